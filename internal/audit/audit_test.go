package audit

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func open(t *testing.T, dir string) *Log {
	t.Helper()
	l, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// ids asks for the last entries.
func ids(t *testing.T, l *Log, n int, before int64) string {
	t.Helper()
	es, err := l.Last(n, before)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range es {
		out = append(out, fmt.Sprint(e.ID))
	}
	return strings.Join(out, " ")
}

func TestFileIsLines(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	l.Add(Entry{User: "ann", Source: "http 10.0.0.7:5123", Action: "delete queue", VHost: "/", Object: "q", Result: "refused", Reason: "two\nlines"})
	l.Add(Entry{User: strings.Repeat("x", 10000), Action: "a", Result: "ok"})
	l.Flush()
	b, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	first, second, _ := strings.Cut(string(b), "\n")
	if !strings.HasPrefix(first, `{"id":1,"time":"`) || !strings.HasSuffix(first, `Z","user":"ann","source":"http 10.0.0.7:5123","action":"delete queue","vhost":"/","object":"q","result":"refused","reason":"two\nlines"}`) {
		t.Errorf("%s", first)
	}
	if len(second) > maxText+200 {
		t.Errorf("a long name is not cut: %d bytes", len(second))
	}
	if fi, err := os.Stat(l.File()); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", fi, err)
	}
}

func TestLast(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		l := open(t, dir)
		if got := ids(t, l, 5, 0); got != "" {
			t.Errorf("empty: %s", got)
		}
		for range 10 {
			l.Add(Entry{Action: "a", Result: "ok"})
		}
		for _, c := range []struct {
			n      int
			before int64
			want   string
		}{{3, 0, "10 9 8"}, {3, 8, "7 6 5"}, {100, 3, "2 1"}, {5, 1, ""}, {0, 0, ""}} {
			if got := ids(t, l, c.n, c.before); got != c.want {
				t.Errorf("%d before %d: %s, want %s", c.n, c.before, got, c.want)
			}
		}
	}
}

// What is not in memory any more is read from the files, also by a later run,
// and also if a crash has torn the last line.
func TestOldOnes(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	for i := range 3000 {
		l.Add(Entry{Action: "a", Result: "ok", Detail: strings.Repeat("d", i%500)})
		if i == 1000 {
			l.Flush()
			if err := l.file.Rotate(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := ids(t, l, 3, 500); got != "499 498 497" {
		t.Errorf("from an older file: %s", got)
	}
	es, err := l.Last(2500, 2800)
	if err != nil || len(es) != 2500 || es[0].ID != 2799 || es[2499].ID != 300 {
		t.Errorf("across memory and files: %d entries, %v", len(es), err)
	}
	l.Close()
	f, err := os.OpenFile(l.File(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"id":9999,"time":"20`)
	f.Close()
	l = open(t, dir)
	if got := ids(t, l, 2, 0); got != "3000 2999" {
		t.Errorf("after a restart: %s", got)
	}
	l.Add(Entry{Action: "b", Result: "ok"})
	l.Close()
	l = open(t, dir)
	if got := ids(t, l, 2, 0); got != "3001 3000" {
		t.Errorf("goes on with %s", got)
	}
}

// Many at once: every id once, nothing lost.
func TestManyWriters(t *testing.T) {
	l := open(t, t.TempDir())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				l.Add(Entry{Action: "a", Result: "ok"})
			}
		})
	}
	wg.Wait()
	l.Flush()
	b, err := os.ReadFile(l.File())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, line := range bytes.Split(bytes.TrimSpace(b), []byte("\n")) {
		id, _, _ := bytes.Cut(line, []byte(","))
		seen[string(id)] = true
	}
	if len(seen) != 1600 {
		t.Errorf("%d different ids in the file", len(seen))
	}
}

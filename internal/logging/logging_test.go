package logging

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// open makes a log whose console is a buffer.
func open(t *testing.T, change func(*Config)) (*Log, *bytes.Buffer) {
	t.Helper()
	cfg := Default()
	cfg.Dir, cfg.File = t.TempDir(), "node.log"
	change(&cfg)
	var b bytes.Buffer
	l, err := Open(cfg, io.Discard, &b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, &b
}

func TestLine(t *testing.T) {
	l, out := open(t, func(c *Config) { c.ConsoleLevel = Debug })
	g := l.Logger()
	g.Info("plain")
	g.With("category", "connection").Warn("login refused", "user", "ann b", "n", 5, "err", errors.New("a\nb"))
	g.Info("csi \u009b31m", "name", "a\u009bb", "right", "x\u202ey", "name2", "中é")
	g.WithGroup("g").Error("two\nlines \x1b[31m", "k", "v", slog.Group("h", "x", 1))
	l.Flush()
	want := `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d \[info\] <default> plain
\S+ \S+ \[warning\] <connection> login refused user="ann b" n=5 err="a\\nb"
\S+ \S+ \[info\] <default> csi \\u009b31m name="a\\u009bb" right="x\\u202ey" name2=中é
\S+ \S+ \[error\] <default> two\\nlines \\x1b\[31m g.k=v g.h.x=1
$`
	if !regexp.MustCompile(want).Match(out.Bytes()) {
		t.Errorf("%s", out)
	}
	file, err := os.ReadFile(l.Files()[0])
	if err != nil || string(file) != out.String() {
		t.Errorf("the file: %s, %v", file, err)
	}
}

func TestJSON(t *testing.T) {
	l, out := open(t, func(c *Config) {
		c.ConsoleFormat = Format{JSON: true, Time: "epoch_secs", Level: "uc3"}
	})
	l.Logger().Warn("te\"xt", "category", "queue", "time", "mine", "list", []string{"a"}, "n", 5, "ok", true)
	l.Flush()
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	if _, ok := got["time"].(float64); !ok {
		t.Errorf("time %v", got["time"])
	}
	delete(got, "time")
	if s := fmt.Sprint(got); s != `map[attr.time:mine domain:rabbitmq.queue level:WRN list:[a] msg:te"xt n:5 ok:true]` {
		t.Error(s)
	}
}

func TestFormats(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 59, 26, 366164000, time.UTC)
	for _, c := range []struct {
		f    Format
		want string
	}{
		{Format{}, "2026-11-20 12:59:26.366164+00:00 [warning] <default> x\n"},
		{Format{Time: "rfc3339_T", Level: "uc"}, "2026-11-20T12:59:26.366164+00:00 [WARNING] <default> x\n"},
		{Format{Time: "epoch_usecs", Level: "lc4"}, "1795179566366164 [warn] <default> x\n"},
		{Format{Time: "lager_default", Level: "uc3"}, "2026-11-20 12:59:26.366 [WRN] <default> x\n"},
	} {
		if got := string(c.f.append(nil, &entry{time: at, level: Warning, category: "default", text: "x"})); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// Levels hold for outputs, for categories, and change while the log is open.
func TestLevels(t *testing.T) {
	l, out := open(t, func(c *Config) {
		c.NoFile = true
		c.Levels["connection"] = Error
	})
	g := l.Logger()
	conn := g.With("category", "connection")
	said := func(what string) string {
		out.Reset()
		g.Debug("d")
		g.Warn("w")
		conn.Warn("cw")
		conn.Error("ce")
		l.Flush()
		var words []string
		for line := range strings.Lines(out.String()) {
			f := strings.Fields(line)
			words = append(words, f[len(f)-1])
		}
		return strings.Join(words, " ")
	}
	for _, c := range []struct{ category, level, want string }{
		{"", "", "w ce"},
		{"connection", "debug", "w cw ce"},
		{"", "error", "ce"},
		{"connection", "none", ""},
		{"", "debug", "d w cw ce"},
	} {
		if c.level != "" {
			if err := l.SetLevel(c.category, c.level); err != nil {
				t.Fatal(err)
			}
		}
		if got := said(c.level); got != c.want {
			t.Errorf("after %q %q: %q, want %q", c.category, c.level, got, c.want)
		}
	}
	for _, c := range [][2]string{{"", "loud"}, {"nosuch", "info"}} {
		if err := l.SetLevel(c[0], c[1]); err == nil {
			t.Errorf("%v is accepted", c)
		}
	}
	if g.Enabled(t.Context(), slog.LevelDebug-1) {
		t.Error("enabled below debug")
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range es {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func TestRotation(t *testing.T) {
	dir := t.TempDir()
	f, err := OpenFile(filepath.Join(dir, "a.log"), Rotation{Size: 10, Count: 2, Compress: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, line := range []string{"one------\n", "two------\n", "three----\n", "four-----\n"} {
		if _, err := f.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(t, dir); got != "a.log a.log.0.gz a.log.1.gz" {
		t.Errorf("files %s", got)
	}
	for name, want := range map[string]string{"a.log.0.gz": "three----\n", "a.log.1.gz": "two------\n"} {
		z, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		r, err := gzip.NewReader(z)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); string(b) != want || err != nil {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

// A file that cannot be put aside is written on.
func TestRotationFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a.log.0", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(filepath.Join(dir, "a.log"), Rotation{Size: 10, Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, line := range []string{"one------\n", "two------\n", "three----\n"} {
		if _, err := f.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "a.log")); string(b) != "one------\ntwo------\nthree----\n" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

// A file that somebody has moved away is left to them.
func TestReopen(t *testing.T) {
	l, _ := open(t, func(c *Config) { c.FileLevel = Info })
	name := l.Files()[0]
	l.Logger().Info("before")
	l.Flush()
	if err := errors.Join(os.Rename(name, name+".moved"), l.Reopen()); err != nil {
		t.Fatal(err)
	}
	l.Logger().Info("after")
	l.Flush()
	for file, want := range map[string]string{name: "after\n", name + ".moved": "before\n"} {
		if b, err := os.ReadFile(file); err != nil || !strings.HasSuffix(string(b), want) || strings.Count(string(b), "\n") != 1 {
			t.Errorf("%s: %s, %v", file, b, err)
		}
	}
}

func TestSchedule(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 59, 26, 0, time.UTC) // a Friday
	for s, want := range map[string]string{
		"$D0": "2026-11-21 00:00", "$D13": "2026-11-20 13:00", "$D12": "2026-11-21 12:00", "$W0D23": "2026-11-22 23:00",
		"$W5D16": "2026-11-20 16:00", "$M1D0": "2026-12-01 00:00", "$M31D0": "2026-12-31 00:00", "$H30": "2026-11-20 13:30", "$H59": "2026-11-20 13:59",
	} {
		sc, err := ParseSchedule(s)
		if got := sc.Next(at).Format("2006-01-02 15:04"); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", s, got, err, want)
		}
	}
	for _, s := range []string{"D0", "$", "$D24", "$W7", "$M0D0", "$X1", "$D"} {
		if _, err := ParseSchedule(s); err == nil {
			t.Errorf("%s is accepted", s)
		}
	}
	if sc, err := ParseSchedule(""); err != nil || !sc.Next(at).IsZero() {
		t.Error("no schedule, and a next time")
	}
}

func TestRotationByDate(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 20, 23, 59, 0, 0, time.UTC)
	f, err := openFile(filepath.Join(dir, "a.log"), Rotation{Date: "$D0"}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, step := range []time.Duration{0, 30 * time.Second, 40 * time.Second, time.Hour} {
		now = now.Add(step)
		if _, err := f.Write([]byte(now.Format("15:04\n"))); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"a.log": "00:00\n01:00\n", "a.log.0": "23:59\n23:59\n"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

// stuck is a disk that hangs until it is let go.
type stuck struct {
	release chan struct{}
	bytes.Buffer
}

func (s *stuck) Write(b []byte) (int, error) {
	<-s.release
	return s.Buffer.Write(b)
}

// A disk that hangs holds nobody back for long, and what is lost is counted.
func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &stuck{release: make(chan struct{})}
		var lost int64
		q := NewQueue(w, func(n int64, err error) { lost += n })
		begin := time.Now()
		kept := 0
		for range queueLines + 1000 {
			if q.Put([]byte("x")) {
				kept++
			}
		}
		if d := time.Since(begin); d > patience {
			t.Errorf("waited %v", d)
		}
		close(w.release)
		q.Flush()
		q.Close()
		if w.Len() != kept || kept < queueLines || int64(queueLines+1000-kept) != lost || q.Dropped() != lost {
			t.Errorf("%d kept, %d written, %d lost, %d dropped", kept, w.Len(), lost, q.Dropped())
		}
		if q.Put(nil) {
			t.Error("a closed queue takes lines")
		}
	})
}

// written notes when and how much it was given at a time.
type written struct {
	at    []time.Duration
	lines []string
	begin time.Time
}

func (w *written) Write(b []byte) (int, error) {
	w.at, w.lines = append(w.at, time.Since(w.begin)), append(w.lines, string(b))
	return len(b), nil
}

// A line that comes alone is written at once, those that follow together; an
// error waits for nothing, and its order is kept.
func TestQueueGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &written{begin: time.Now()}
		q := NewQueue(w, func(n int64, err error) { t.Errorf("%d lost: %v", n, err) })
		put := func(lines ...string) {
			for _, l := range lines {
				q.Put([]byte(l + "\n"))
			}
			synctest.Wait()
		}
		put("a")
		put("b", "c")
		time.Sleep(gather / 2)
		put("d")
		time.Sleep(gather)
		put("e")
		q.PutNow([]byte("now\n"))
		synctest.Wait()
		put("f")
		q.Flush()
		put("g")
		q.Close()
		want := []string{"a\n", "b\nc\nd\n", "e\nnow\n", "f\n", "g\n"}
		if !slices.Equal(w.lines, want) {
			t.Errorf("written %q, want %q", w.lines, want)
		}
		for i, at := range []time.Duration{0, gather, gather + gather/2, gather + gather/2, gather + gather/2} {
			if i < len(w.at) && w.at[i] != at {
				t.Errorf("%q written after %v, want %v", w.lines[i], w.at[i], at)
			}
		}
	})
}

// Lines that are written together are put aside as if each had come alone.
func TestRotationBetweenLines(t *testing.T) {
	dir := t.TempDir()
	f, err := OpenFile(filepath.Join(dir, "a.log"), Rotation{Size: 10, Count: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n, err := f.Write([]byte("1234\n5678\nabcd\nefgh\nijkl\n")); n != 25 || err != nil {
		t.Fatal(n, err)
	}
	for name, want := range map[string]string{"a.log": "ijkl\n", "a.log.0": "abcd\nefgh\n", "a.log.1": "1234\n5678\n"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

// Times and values are written as the standard library writes them.
func TestFormsAreThoseOfTheLibrary(t *testing.T) {
	for _, name := range []string{"UTC", "America/St_Johns", "Asia/Kolkata"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []time.Time{time.Unix(0, 0), time.Unix(1_700_000_000, 123_456_789), time.Unix(1_709_251_199, 999_999_999)} {
			at = at.In(zone)
			for between, layout := range map[byte]string{' ': "2006-01-02 15:04:05.000000-07:00", 'T': "2006-01-02T15:04:05.000000-07:00"} {
				if got := string(appendStamp(nil, at, between)); got != at.Format(layout) {
					t.Errorf("%s, want %s", got, at.Format(layout))
				}
			}
		}
	}
	quoted := func(s string) string { return strconv.Quote(s) }
	plain := func(s string) string { return s }
	for s, want := range map[string]func(string) string{
		"": quoted, "a": plain, "a b": quoted, "a=b": quoted, `a"b`: quoted, "a\x7fb": quoted, "a\nb": quoted, `a\b`: plain, `a\ b`: quoted,
		"ü": plain, "ü b": quoted, "bad \xff": quoted, "bad\xff": quoted, "\ufffd": quoted, "1.2.3.4:5 -> 6.7.8.9:10": quoted,
	} {
		if got := string(appendValue(nil, slog.StringValue(s))); got != want(s) {
			t.Errorf("%q is written as %s, want %s", s, got, want(s))
		}
	}
}

// A category may have a file of its own, and is nowhere else then.
func TestOwnFile(t *testing.T) {
	l, out := open(t, func(c *Config) {
		c.ConsoleLevel = Debug
		c.Own = map[string]OwnFile{"connection": {File: "conn.log"}, "channel": {File: "conn.log"}, "queue": {File: "queue.log"}}
		c.Levels["queue"] = Debug
	})
	g := l.Logger()
	g.Info("all")
	for _, c := range []string{"connection", "channel", "queue"} {
		g.With("category", c).Info(c)
		g.With("category", c).Debug("debug " + c)
	}
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	g.Info("after", "category", "queue")
	l.Flush()
	texts := func(s string) string {
		var words []string
		for line := range strings.Lines(s) {
			_, text, _ := strings.Cut(strings.TrimSpace(line), "> ")
			words = append(words, text)
		}
		return strings.Join(words, ", ")
	}
	if got := texts(out.String()); got != "all" {
		t.Errorf("the console: %s", got)
	}
	for i, want := range []string{"all", "connection, channel", "queue, debug queue, after"} {
		files := slices.DeleteFunc(l.Files(), func(s string) bool { return s == "<stderr>" })
		slices.SortStableFunc(files, func(a, b string) int { return strings.Compare(order(a), order(b)) })
		b, err := os.ReadFile(files[i])
		if got := texts(string(b)); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", files[i], got, err, want)
		}
	}
}

// order puts node.log before conn.log and queue.log.
func order(name string) string {
	return map[string]string{"node.log": "1", "conn.log": "2", "queue.log": "3"}[filepath.Base(name)]
}

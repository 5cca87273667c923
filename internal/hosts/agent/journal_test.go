package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/hosts/record"
)

func open(t *testing.T, dir string) *journal {
	t.Helper()
	j, err := openJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.close)
	return j
}

func put(t *testing.T, j *journal, es ...entry) {
	t.Helper()
	for _, e := range es {
		if err := j.put(&e, true); err != nil {
			t.Fatal(err)
		}
	}
}

// brief is what is known of tasks 1 to n of realm r.
func brief(j *journal, n record.ID) string {
	var parts []string
	for id := record.ID(1); id <= n; id++ {
		e, known, forgotten := j.find("r", id)
		switch {
		case known:
			parts = append(parts, string(e.State))
		case forgotten:
			parts = append(parts, "forgotten")
		default:
			parts = append(parts, "new")
		}
	}
	return strings.Join(parts, " ")
}

func TestJournal(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	put(t, j,
		entry{State: started, Realm: "r", ID: 1, Nonce: "a"},
		entry{State: started, Realm: "r", ID: 2},
		entry{State: started, Realm: "r", ID: 2, PID: 42, Started: "7"},
		entry{State: started, Realm: "r", ID: 3},
		entry{State: finished, Realm: "r", ID: 1, Nonce: "a", Events: []storedEvent{{record.Event{Kind: record.Output, Task: 1}, []byte("\x00\xff")}}},
		entry{State: finished, Realm: "r", ID: 3},
		entry{State: done, Realm: "r", ID: 3},
	)
	for range 2 { // as it is in memory, and as it is read
		if got := brief(j, 4); got != "finished started done new" {
			t.Errorf("%s", got)
		}
		es := j.unfinished()
		if len(es) != 2 || es[0].ID != 1 || string(es[0].Events[0].Data) != "\x00\xff" || es[1].PID != 42 || es[1].Started != "7" {
			t.Errorf("%+v", es)
		}
		if _, err := openJournal(dir); err == nil || !strings.Contains(err.Error(), "another agent uses") {
			t.Errorf("two agents in one directory: %v", err)
		}
		j.close()
		j = open(t, dir)
	}
	if err := j.put(&entry{State: done, Realm: "other", ID: 1}, true); err != nil {
		t.Error(err)
	}
	if _, known, _ := j.find("third", 1); known {
		t.Error("a task of another realm is known")
	}
}

// What a crash leaves behind.
func TestJournalDamage(t *testing.T) {
	good := `{"state":"done","realm":"r","id":1}` + "\n"
	for what, c := range map[string][2]string{
		"torn end":        {good + `{"state":"started","realm":"r","id":2`, "done new"},
		"torn, no text":   {good + "\x00\x00\x00", "done new"},
		"empty":           {"", "new new"},
		"damaged":         {good + "x\n" + good, "line 2 is damaged"},
		"damaged, at end": {good + "{}x\n", "line 2 is damaged"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, journalFile), []byte(c[0]), 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := openJournal(dir)
		if err != nil {
			if !strings.Contains(err.Error(), c[1]) {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		if got := brief(j, 2); got != c[1] {
			t.Errorf("%s: %s, want %s", what, got, c[1])
		}
		put(t, j, entry{State: started, Realm: "r", ID: 2})
		j.close()
		if got := brief(open(t, dir), 2); !strings.HasSuffix(got, "started") {
			t.Errorf("%s: then %s", what, got)
		}
	}
}

// A directory that everybody can write into is none for an agent's state.
func TestStateDirectory(t *testing.T) {
	for mode, want := range map[os.FileMode]string{0o700: "", 0o755: "", 0o775: "", 0o777: "everybody can write", 0o777 | os.ModeSticky: "everybody can write"} {
		dir := t.TempDir()
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		j, err := openJournal(dir)
		if err == nil {
			j.close()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", mode, err)
		}
	}
	dir := t.TempDir()
	if os.Chown(dir, 12345, 12345) == nil {
		if _, err := openJournal(dir); err == nil || !strings.Contains(err.Error(), "somebody else") {
			t.Errorf("of another user: %v", err)
		}
	}
}

// Old tasks are forgotten, but not that they were there.
func TestJournalForgets(t *testing.T) {
	dir := t.TempDir()
	var text strings.Builder
	fmt.Fprintln(&text, `{"state":"started","realm":"r","id":1}`)
	for id := 2; id <= keepEntries+5; id++ {
		fmt.Fprintf(&text, `{"state":"done","realm":"r","id":%d}`+"\n", id)
	}
	if err := os.WriteFile(filepath.Join(dir, journalFile), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		j := open(t, dir)
		if got := brief(j, 8); got != "started forgotten forgotten forgotten forgotten forgotten done done" {
			t.Errorf("%s", got)
		}
		if _, _, forgotten := j.find("r", keepEntries+6); forgotten {
			t.Error("the next one is new")
		}
		j.close()
	}
}

// It does not grow for ever.
func TestJournalShrinks(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	big := []storedEvent{{Data: make([]byte, 1<<20)}}
	for id := record.ID(1); id <= 20; id++ {
		put(t, j, entry{State: started, Realm: "r", ID: id})
		if err := j.put(&entry{State: finished, Realm: "r", ID: id, Events: big}, false); err != nil {
			t.Fatal(err)
		}
		put(t, j, entry{State: done, Realm: "r", ID: id})
	}
	if st, err := os.Stat(filepath.Join(dir, journalFile)); err != nil || st.Size() > rewriteAt+4<<20 {
		t.Errorf("%d bytes, %v", st.Size(), err)
	}
	if got := brief(j, 20); got != strings.TrimSpace(strings.Repeat("done ", 20)) {
		t.Error(got)
	}
}

// A journal that cannot be written anew stays as it is, and in use.
func TestJournalDiskFull(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	put(t, j, entry{State: started, Realm: "r", ID: 1})
	full := filepath.Join(dir, journalFile+".new")
	if err := os.Symlink("/dev/full", full); err != nil {
		t.Skip(err)
	}
	if err := j.rewrite(); err == nil {
		t.Fatal("written to a full disk")
	}
	if _, err := os.Lstat(full); err == nil {
		t.Error("what was begun takes room")
	}
	if err := os.Symlink("/dev/full", full); err != nil {
		t.Fatal(err)
	}
	j.size = j.rewriteAt + 1 // as if it had grown
	put(t, j, entry{State: started, Realm: "r", ID: 2})
	j.close()
	if got := brief(open(t, dir), 2); got != "started started" {
		t.Errorf("then: %s", got)
	}
}

// A result is told by the agent's next life; what ran is lost.
func TestRecall(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	put(t, j,
		entry{State: started, Realm: "r", ID: 1, Nonce: "n"},
		entry{State: finished, Realm: "r", ID: 2, Events: []storedEvent{
			{record.Event{Kind: record.Output, Task: 2, Host: "h"}, []byte("text")}, {record.Event{Kind: record.Finished, Task: 2, Host: "h"}, nil}}},
		entry{State: done, Realm: "r", ID: 3},
	)
	j.close()
	a, err := New(Config{Name: "h", StateDir: dir, Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	es := a.outbox.from(t.Context(), 0)
	if len(es) != 3 || es[0].event.Outcome.State != record.Lost || es[0].event.Nonce != "n" || string(es[1].event.Data) != "text" || es[2].event.Kind != record.Finished {
		t.Fatalf("%+v", es)
	}
	for _, e := range es {
		a.outbox.confirmed(e.number)
	}
	if got := brief(a.journal, 3); got != "done done done" {
		t.Error(got)
	}
	a.journal.close()
}

func TestBadNames(t *testing.T) {
	for _, name := range []string{"", "a b", "@all", "web*", "../x", strings.Repeat("x", 101)} {
		if _, err := New(Config{Name: name, StateDir: t.TempDir(), Log: discard()}); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
}

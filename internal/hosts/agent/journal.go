package agent

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/warrenmq/warren/internal/hosts/record"
)

// journal remembers, in a file, which tasks were here and what became of them,
// so that none runs twice whatever happens. It is a list of entries, one JSON
// text a line; the last one of a task counts. docs/format/hosts.md has the
// fields.
//
// What has to survive a crash is on disk when put returns.
type journal struct {
	dir  string
	lock *os.File

	mu   sync.Mutex // held while writing: puts are few, and in order
	file *os.File
	size int64
	live int64 // size after the last rewrite
	// rewriteAt is how much more than twice that it may become.
	rewriteAt int64
	entries   map[string]*entry
	order     []string             // keys, oldest first
	floor     map[string]record.ID // of each realm: tasks up to here are forgotten, and refused
}

// entry is what is known of a task.
type entry struct {
	Key     string        `json:"key,omitempty"`
	State   entryState    `json:"state"`
	Realm   string        `json:"realm,omitempty"`
	ID      record.ID     `json:"id,omitempty"`
	Nonce   string        `json:"nonce,omitempty"`
	PID     int           `json:"pid,omitempty"`
	Started string        `json:"started,omitempty"` // command.Started of the process
	Events  []storedEvent `json:"events,omitempty"`  // finished: what the broker has not confirmed
}

// storedEvent is an event with its output.
type storedEvent struct {
	Event record.Event `json:"event"`
	Data  []byte       `json:"data,omitempty"`
}

type entryState string

const (
	started  entryState = "started"  // it may have begun
	finished entryState = "finished" // it has ended; the broker may not know
	done     entryState = "done"     // the broker knows
	floor    entryState = "floor"    // of a realm: what is older is not remembered
)

const (
	journalFile = "journal"
	keepEntries = 20_000
	rewriteAt   = 8 << 20
)

func taskKey(realm string, id record.ID) string { return realm + "/" + id.String() }

// openJournal reads the journal of a directory. The directory belongs to one
// agent at a time.
func openJournal(dir string) (*journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := private(dir); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("another agent uses %s; give each its own --state-dir", dir)
	}
	j := &journal{dir: dir, lock: lock, entries: map[string]*entry{}, floor: map[string]record.ID{}}
	err = j.load()
	if err == nil {
		err = j.rewrite()
	}
	if err != nil {
		j.close()
		return nil, fmt.Errorf("journal in %s: %w", dir, err)
	}
	return j, nil
}

// private refuses a directory in which others could put what this agent
// believes: processes to be ended, tasks that were here, links to files.
func private(dir string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok && sys.Uid != 0 && int(sys.Uid) != os.Geteuid() {
		return fmt.Errorf("the state directory %s belongs to somebody else", dir)
	}
	if st.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("everybody can write into the state directory %s; try: chmod o-w %s", dir, dir)
	}
	return nil
}

func (j *journal) path() string { return filepath.Join(j.dir, journalFile) }

// load reads all lines. A last one without its end was being written when the
// agent died; nobody was told of it, so it goes. Damage elsewhere is an error:
// an agent that has forgotten what it ran must not go on by itself.
func (j *journal) load() error {
	f, err := os.Open(j.path())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("line %d is damaged: %w; tasks of the past could run again if it were ignored; move the file away to begin anew", n, err)
		}
		j.take(&e)
	}
}

// take makes an entry the current one of its task.
func (j *journal) take(e *entry) {
	if e.State == floor {
		j.floor[e.Realm] = max(j.floor[e.Realm], e.ID)
		return
	}
	e.Key = taskKey(e.Realm, e.ID)
	if old := j.entries[e.Key]; old == nil {
		j.order = append(j.order, e.Key)
	} else if e.PID == 0 {
		e.PID, e.Started = old.PID, old.Started
	}
	j.entries[e.Key] = e
}

// forget drops the oldest entries that are done with. Of each realm it keeps
// in mind how far they reached.
func (j *journal) forget() {
	excess := len(j.order) - keepEntries
	j.order = slices.DeleteFunc(j.order, func(key string) bool {
		e := j.entries[key]
		if excess <= 0 || e.State != done {
			return false
		}
		excess--
		j.floor[e.Realm] = max(j.floor[e.Realm], e.ID)
		delete(j.entries, key)
		return true
	})
}

// rewrite writes what is still of interest to a new file.
func (j *journal) rewrite() error {
	j.forget()
	var text strings.Builder
	enc := json.NewEncoder(&text)
	for realm, id := range j.floor {
		if err := enc.Encode(entry{State: floor, Realm: realm, ID: id}); err != nil {
			return err
		}
	}
	for _, key := range j.order {
		if err := enc.Encode(j.entries[key]); err != nil {
			return err
		}
	}
	f, err := j.replace(text.String())
	if f == nil {
		return err
	}
	if j.file != nil {
		j.file.Close()
	}
	j.file, j.size, j.live, j.rewriteAt = f, int64(text.Len()), int64(text.Len()), rewriteAt
	return err
}

// replace puts a new file in the place of the journal, which stays as it is if
// there is none.
func (j *journal) replace(text string) (*os.File, error) {
	temp := j.path() + ".new"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err = f.WriteString(text); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(temp, j.path())
	}
	if err != nil {
		os.Remove(temp) // it takes room that may be what is missing
		return nil, errors.Join(err, f.Close())
	}
	return f, syncDir(j.dir)
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// put writes an entry. With sync it is on disk when put returns.
func (j *journal) put(e *entry, sync bool) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	raw, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if j.file == nil {
		return os.ErrClosed
	}
	n, err := j.file.Write(append(raw, '\n'))
	if err == nil && sync {
		err = j.file.Sync()
	}
	if err != nil {
		if n > 0 { // half a line must not have others behind it
			j.file.Truncate(j.size)
			j.file.Seek(j.size, io.SeekStart)
		}
		return err
	}
	j.size += int64(n)
	j.take(e)
	if j.size > j.rewriteAt+2*j.live && j.rewrite() != nil {
		j.rewriteAt = j.size + rewriteAt // the entry is there all the same; try again later
	}
	return nil
}

// find says whether a task was here; forgotten means that it is too old to tell.
func (j *journal) find(realm string, id record.ID) (e entry, known, forgotten bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if found := j.entries[taskKey(realm, id)]; found != nil {
		return *found, true, false
	}
	return entry{}, false, id <= j.floor[realm]
}

// open lists the entries that are not done, oldest first.
func (j *journal) unfinished() []entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	var es []entry
	for _, key := range j.order {
		if e := j.entries[key]; e.State != done {
			es = append(es, *e)
		}
	}
	return es
}

func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file != nil {
		j.file.Close()
		j.file = nil
	}
	j.lock.Close()
}

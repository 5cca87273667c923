// Package audit keeps the record of what operators and clients have changed,
// and of what was refused to them: one JSON object per line, only ever appended
// to.
package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/warrenmq/warren/internal/logging"
)

// Entry is one line.
type Entry struct {
	ID     int64     `json:"id"`
	Time   time.Time `json:"time"`
	User   string    `json:"user"`
	Source string    `json:"source,omitempty"` // by which way: a connection, "http 10.0.0.7:5123", "ctl"
	Action string    `json:"action"`
	VHost  string    `json:"vhost,omitempty"`
	Object string    `json:"object,omitempty"`
	Result string    `json:"result"`
	Reason string    `json:"reason,omitempty"`
	Detail string    `json:"detail,omitempty"`
}

const (
	// FileName is the record's name in the directory of logs.
	FileName = "audit.log"

	recent     = 1000     // entries that are kept in memory
	fileSize   = 64 << 20 // bytes, then the file is put aside
	filesKept  = 10
	maxText    = 4 << 10 // bytes of a field: peers choose names and reasons
	lostAction = "audit entries lost"
)

// Log is an open record. It may be used by many goroutines.
type Log struct {
	file   *logging.File  // nil: in memory only
	queue  *logging.Queue // nil: in memory only
	logger *slog.Logger
	now    func() time.Time

	mu   sync.Mutex
	next int64
	last []Entry // the most recent, oldest first
}

// Open opens the record in a directory of logs; "": in memory only. What is lost
// is told to logger as well.
func Open(dir string, logger *slog.Logger) (*Log, error) {
	l := &Log{logger: logger, now: time.Now, next: 1}
	if dir == "" {
		return l, nil
	}
	f, err := logging.OpenFile(filepath.Join(dir, FileName), logging.Rotation{Size: fileSize, Count: filesKept})
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	l.file = f
	if l.last, err = l.read(0, recent); err != nil {
		return nil, errors.Join(fmt.Errorf("audit log: %w", err), f.Close())
	}
	slices.Reverse(l.last)
	if n := len(l.last); n > 0 {
		l.next = l.last[n-1].ID + 1
	}
	l.queue = logging.NewQueue(f, l.lost)
	if torn(f.Name()) {
		l.queue.Put([]byte("\n"))
	}
	return l, nil
}

// torn reports whether a crash has left half a line at the end of a file.
func torn(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	var b [1]byte
	fi, err := f.Stat()
	if err != nil || fi.Size() == 0 {
		return false
	}
	_, err = f.ReadAt(b[:], fi.Size()-1)
	return err == nil && b[0] != '\n'
}

// Add appends an entry. It gets the next id, and the present time if it has
// none. Add does not wait for the disk; what the disk cannot keep up with is
// missing in the file, and counted there.
func (l *Log) Add(e Entry) {
	for _, s := range []*string{&e.User, &e.Source, &e.Action, &e.VHost, &e.Object, &e.Reason, &e.Detail} {
		if len(*s) > maxText {
			*s = (*s)[:maxText] + "..."
		}
	}
	if e.Time.IsZero() {
		e.Time = l.now()
	}
	e.Time = e.Time.UTC()
	l.mu.Lock()
	e.ID = l.next
	l.next++
	if len(l.last) >= 2*recent {
		l.last = slices.Clone(l.last[len(l.last)-recent:])
	}
	l.last = append(l.last, e)
	q := l.queue
	l.mu.Unlock()
	if q == nil {
		return
	}
	line, err := json.Marshal(e)
	if err != nil {
		l.logger.Error("an audit entry cannot be written", "action", e.Action, "err", err)
		return
	}
	q.Put(append(line, '\n'))
}

// lost is told by the queue what was not written.
func (l *Log) lost(n int64, err error) {
	reason := "the disk could not keep up"
	if err != nil {
		reason = err.Error()
	}
	l.logger.Error("the audit log could not be written", "entries", n, "reason", reason)
	if err == nil {
		l.Add(Entry{User: "rmq-internal", Action: lostAction, Result: "failed", Reason: reason, Detail: fmt.Sprintf("%d entries", n)})
	}
}

// Last returns at most n entries with ids below before (0: from the newest on),
// the newest first.
func (l *Log) Last(n int, before int64) ([]Entry, error) {
	if n <= 0 {
		return nil, nil
	}
	var out []Entry
	l.mu.Lock()
	oldest := l.next
	if len(l.last) > 0 {
		oldest = l.last[0].ID
	}
	for i := len(l.last) - 1; i >= 0 && len(out) < n; i-- {
		if before == 0 || l.last[i].ID < before {
			out = append(out, l.last[i])
		}
	}
	l.mu.Unlock()
	if len(out) == n || l.file == nil {
		return out, nil
	}
	if before == 0 || before > oldest {
		before = oldest
	}
	l.queue.Flush()
	older, err := l.read(before, n-len(out))
	return append(out, older...), err
}

// Reopen opens the file anew, for somebody who has moved it away.
func (l *Log) Reopen() error {
	if l.file == nil {
		return nil
	}
	l.queue.Flush()
	return l.file.Reopen()
}

// File is the path of the record; "" in memory.
func (l *Log) File() string {
	if l.file == nil {
		return ""
	}
	return l.file.Name()
}

// Flush waits until what was added before is in the file.
func (l *Log) Flush() {
	if l.queue != nil {
		l.queue.Flush()
	}
}

// Close writes what is left. Entries that are added later are not written.
func (l *Log) Close() error {
	if l.file == nil {
		return nil
	}
	l.queue.Close()
	return l.file.Close()
}

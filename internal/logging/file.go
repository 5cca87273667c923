package logging

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// File is a file of lines that is put aside when it is large or old. The one put
// aside last is NAME.0, the one before NAME.1, and so on.
type File struct {
	name     string
	rotation Rotation
	schedule Schedule
	now      func() time.Time

	mu   sync.Mutex // held while writing: each file has one writer, the others wait in its Queue
	f    *os.File
	size int64
	next time.Time // when it is put aside by the schedule; zero: never
}

// OpenFile opens a file to append to, and makes its directory.
func OpenFile(name string, r Rotation) (*File, error) { return openFile(name, r, time.Now) }

func openFile(name string, r Rotation, now func() time.Time) (*File, error) {
	if r.Count == 0 {
		r.Count = DefaultCount
	}
	s, err := ParseSchedule(r.Date)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	f := &File{name: name, rotation: r, schedule: s, now: now}
	return f, f.open()
}

// open opens the file. A file of an earlier run is put aside when its time has
// come meanwhile.
func (f *File) open() error {
	file, err := os.OpenFile(f.name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	fi, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.f, f.size = file, fi.Size()
	since := f.now()
	if f.size > 0 {
		since = fi.ModTime()
	}
	f.next = f.schedule.Next(since)
	return nil
}

// Name is the file's path.
func (f *File) Name() string { return f.name }

// Write appends a line or more. If the file is to be put aside in between, that
// is done between two lines.
func (f *File) Write(lines []byte) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if room := f.rotation.Size; f.f != nil && !f.due(len(lines)) && (room <= 0 || f.size+int64(len(lines)) <= room) {
		return f.write(lines)
	}
	for n < len(lines) {
		end := len(lines)
		if i := bytes.IndexByte(lines[n:], '\n'); i >= 0 {
			end = n + i + 1
		}
		m, err := f.write(lines[n:end])
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

func (f *File) write(line []byte) (int, error) {
	if f.f == nil { // a rotation has failed half way
		if err := f.open(); err != nil {
			return 0, err
		}
	}
	// A file that cannot be put aside is written on: no line is lost for that.
	if f.due(len(line)) {
		if kept := f.rotate(); kept != nil && f.f == nil {
			if err := f.open(); err != nil {
				return 0, errors.Join(kept, err)
			}
		}
	}
	n, err := f.f.Write(line)
	f.size += int64(n)
	return n, err
}

func (f *File) due(more int) bool {
	if f.size == 0 {
		return false
	}
	if f.rotation.Size > 0 && f.size+int64(more) > f.rotation.Size {
		return true
	}
	return !f.next.IsZero() && !f.now().Before(f.next)
}

// Rotate puts the file aside now.
func (f *File) Rotate() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rotate()
}

func (f *File) rotate() (err error) {
	if f.f != nil {
		err, f.f = f.f.Close(), nil
	}
	if err != nil {
		return err
	}
	for i := f.rotation.Count - 1; i >= 0; i-- {
		for _, ext := range []string{"", ".gz"} {
			from := fmt.Sprintf("%s.%d%s", f.name, i, ext)
			if i == f.rotation.Count-1 {
				err = os.Remove(from)
			} else {
				err = os.Rename(from, fmt.Sprintf("%s.%d%s", f.name, i+1, ext))
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	if err := os.Rename(f.name, f.name+".0"); err != nil {
		return err
	}
	if f.rotation.Compress {
		if err := compress(f.name + ".0"); err != nil {
			return err
		}
	}
	return f.open()
}

func compress(name string) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(name+".gz", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, in)
	if err = errors.Join(err, z.Close(), out.Close()); err != nil {
		return errors.Join(err, os.Remove(name+".gz"))
	}
	return os.Remove(name)
}

// Reopen opens the file anew, for somebody who has moved it away.
func (f *File) Reopen() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.f
	if err := f.open(); err != nil {
		return err
	}
	if old != nil {
		return old.Close()
	}
	return nil
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.f == nil {
		return nil
	}
	err := f.f.Close()
	f.f = nil
	return err
}

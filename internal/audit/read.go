package audit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// read returns at most n entries of the files with ids below before (0: all),
// the newest first.
func (l *Log) read(before int64, n int) ([]Entry, error) {
	var out []Entry
	seen := map[int64]bool{} // a rotation between two files would show entries twice
	names := []string{l.file.Name()}
	for i := range filesKept {
		names = append(names, fmt.Sprintf("%s.%d", l.file.Name(), i))
	}
	for _, name := range names {
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the file was just put aside, or there are no more
		}
		if err != nil {
			return out, err
		}
		err = backwards(f, func(line []byte) bool {
			var e Entry
			// A line that is torn or somebody's own is not ours to judge.
			if json.Unmarshal(line, &e) != nil || e.ID == 0 || before != 0 && e.ID >= before {
				return true
			}
			if !seen[e.ID] {
				seen[e.ID] = true
				out = append(out, e)
			}
			return len(out) < n
		})
		if err = errors.Join(err, f.Close()); err != nil {
			return out, err
		}
		if len(out) >= n {
			break
		}
	}
	// Entries that were added at the same time may have been written either way.
	slices.SortFunc(out, func(a, b Entry) int { return cmp.Compare(b.ID, a.ID) })
	return out, nil
}

const (
	block   = 64 << 10
	maxLine = 1 << 20
)

// backwards calls f with the lines of a file, the last one first, until f has
// enough.
func backwards(f *os.File, more func(line []byte) bool) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	var rest []byte // the beginning of a line whose end was in a later block
	for end := fi.Size(); end > 0; {
		begin := max(0, end-block)
		b := make([]byte, end-begin, end-begin+int64(len(rest)))
		if _, err := f.ReadAt(b, begin); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		b, end = append(b, rest...), begin
		for {
			i := bytes.LastIndexByte(b, '\n')
			if i < 0 {
				break
			}
			if line := b[i+1:]; len(line) > 0 && !more(line) {
				return nil
			}
			b = b[:i]
		}
		if rest = b; len(rest) > maxLine {
			rest = nil
		}
	}
	if len(rest) > 0 {
		more(rest)
	}
	return nil
}

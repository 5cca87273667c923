package store

import (
	"bytes"
	"testing"

	"github.com/warrenmq/warren/internal/vfs"
)

// FuzzCheckpoint: no panic, and what is accepted says what was written.
func FuzzCheckpoint(f *testing.F) {
	mem := vfs.NewMem()
	for _, n := range []int{0, 1, ckptBlock, ckptBlock + 5} {
		file, err := mem.OpenFile("c", 0x42|0x200) // O_RDWR|O_CREATE|O_TRUNC
		if err != nil {
			f.Fatal(err)
		}
		w := newCkptWriter(file, CheckpointInfo{Start: 70})
		w.Write(bytes.Repeat([]byte("x"), n))
		if err := w.finish(80); err != nil {
			f.Fatal(err)
		}
		b := make([]byte, w.off)
		file.ReadAt(b, 0)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var n int64
		c, err := parseCheckpoint(bytes.NewReader(b), func(p []byte) error { n += int64(len(p)); return nil })
		if err == nil && (c.Bytes != n || c.Start == 0 || c.End < c.Start) {
			t.Errorf("%+v, %d bytes", c, n)
		}
	})
}

package listen

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestPipe(t *testing.T) {
	a, b := Pipe()
	want := bytes.Repeat([]byte("0123456789"), 100000) // more than the buffer holds
	go func() {
		a.Write(want)
		a.(interface{ CloseWrite() error }).CloseWrite()
	}()
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes came, %v", len(got), err)
	}
	// The other direction is still open.
	if _, err := b.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	if n, err := a.Read(buf); string(buf[:n]) != "answer" || err != nil {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	b.Close()
	if _, err := a.Read(buf); err != io.EOF {
		t.Errorf("after the close: %v", err)
	}
	if _, err := a.Write(buf); err == nil {
		t.Error("a write to a closed pipe succeeds")
	}
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		begin := time.Now()
		a.SetReadDeadline(begin.Add(time.Minute))
		_, err := a.Read(make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		// A deadline that was moved does not strike.
		a.SetReadDeadline(time.Now().Add(time.Second))
		a.SetReadDeadline(time.Now().Add(time.Hour))
		time.AfterFunc(time.Minute, func() { b.Write([]byte{1}) })
		if n, err := a.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		// Nobody reads: a write ends at its deadline.
		b.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := b.Write(make([]byte, 10<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
		a.Close()
		b.Close()
	})
}

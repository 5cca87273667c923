package listen

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestControl(t *testing.T) {
	short := t.TempDir()
	long := filepath.Join(t.TempDir(), strings.Repeat("a long name/", 20))
	if err := os.MkdirAll(long, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{short, long} {
		if _, err := DialControl(context.Background(), dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("nobody there: %v", err)
		}
		// What a crash leaves behind is not in the way.
		left, err := Control(dir)
		if err != nil {
			t.Fatal(err)
		}
		left.(*controlListener).Listener.Close()
		if _, err := DialControl(context.Background(), dir); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("after a crash: %v", err)
		}
		ln, err := Control(dir)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, ControlSocket)
		if fi, err := os.Stat(name); err != nil || fi.Mode().Perm() != 0o600 || ln.Addr().String() != name {
			t.Errorf("%v, %v, %v", fi, err, ln.Addr())
		}
		go func() {
			nc, err := ln.Accept()
			if err == nil {
				nc.Write([]byte("hello"))
				nc.Close()
			}
		}()
		nc, err := DialControl(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(nc); string(b) != "hello" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		if err := ln.Close(); err != nil {
			t.Error(err)
		}
		if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed twice: %v", err)
		}
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the socket stays: %v", err)
		}
	}
}

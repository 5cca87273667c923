package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// ControlSocket is the name of a node's control socket in its data directory.
const ControlSocket = "warren.sock"

// maxUnixPath is what the address of a Unix socket holds where least fits.
const maxUnixPath = 103

// Control listens on the control socket of a data directory: whoever owns the
// directory may command the node. The caller holds the node's lock, so a socket
// that is there was left behind by a crash.
func Control(dir string) (net.Listener, error) {
	name := filepath.Join(dir, ControlSocket)
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	path, done, err := shortPath(dir)
	if err != nil {
		return nil, err
	}
	// Between listening and changing its mode, the umask and the directory, which
	// is the owner's alone unless somebody made it otherwise, protect the socket.
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		done()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	ln.SetUnlinkOnClose(false)
	c := &controlListener{Listener: ln, name: name, done: done}
	if err := os.Chmod(name, 0o600); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

type controlListener struct {
	net.Listener
	name string
	done func()
}

// Addr is where the socket really is.
func (c *controlListener) Addr() net.Addr { return &net.UnixAddr{Name: c.name, Net: "unix"} }

func (c *controlListener) Close() error {
	err := c.Listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	os.Remove(c.name)
	c.done()
	return err
}

// DialControl connects to the node that runs with a data directory. The error
// is fs.ErrNotExist or ECONNREFUSED if there is none.
func DialControl(ctx context.Context, dir string) (net.Conn, error) {
	path, done, err := shortPath(dir)
	if err != nil {
		return nil, err
	}
	defer done()
	var d net.Dialer
	return d.DialContext(ctx, "unix", path)
}

// shortPath returns a path of the control socket that fits into the address of
// a socket, and what is to be called when it is not used any more. A long one is
// reached through an open file of the directory, or from where we are.
func shortPath(dir string) (path string, done func(), err error) {
	nothing := func() {}
	name := filepath.Join(dir, ControlSocket)
	if len(name) <= maxUnixPath {
		return name, nothing, nil
	}
	if f, err := os.Open(dir); err == nil {
		link := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
		if _, err := os.Stat(link); err == nil {
			return filepath.Join(link, ControlSocket), func() { f.Close() }, nil
		}
		f.Close()
	}
	if cwd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(cwd, name); err == nil && len(rel) <= maxUnixPath {
			return rel, nothing, nil
		}
	}
	return "", nil, fmt.Errorf("%s: the path is too long for a socket; use a data directory with a shorter one", name)
}

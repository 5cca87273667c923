package broker

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/warrenmq/warren/internal/vfs"
)

// nodeIdentity reads the node's id from its data directory, or gives it one.
// A log that carries another id is somebody else's.
func nodeIdentity(fsys vfs.FS, dir string) (id [16]byte, err error) {
	if err := fsys.MkdirAll(dir); err != nil {
		return id, err
	}
	name := path.Join(dir, "node-id")
	f, err := fsys.OpenFile(name, os.O_RDONLY)
	if vfs.IsNotExist(err) {
		rand.Read(id[:])
		return id, writeIdentity(fsys, dir, name, id)
	}
	if err != nil {
		return id, err
	}
	defer f.Close()
	var b [64]byte
	n, _ := f.ReadAt(b[:], 0)
	raw, err := hex.DecodeString(strings.TrimSpace(string(b[:n])))
	if err != nil || len(raw) != len(id) {
		return id, fmt.Errorf("%s does not hold a node id", name)
	}
	return [16]byte(raw), nil
}

func writeIdentity(fsys vfs.FS, dir, name string, id [16]byte) error {
	tmp := name + ".tmp"
	f, err := fsys.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt([]byte(hex.EncodeToString(id[:])+"\n"), 0); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := fsys.Rename(tmp, name); err != nil {
		return err
	}
	return fsys.SyncDir(dir)
}

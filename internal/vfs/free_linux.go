package vfs

import "syscall"

// FreeSpace is how many bytes an ordinary user may still write where dir is.
func (OS) FreeSpace(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

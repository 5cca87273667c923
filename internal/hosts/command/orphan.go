package command

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// Started is when a process was started, in the kernel's words, so that a
// number used again is not taken for the same process. Empty if that cannot be
// told.
func Started(pid int) string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name, in parentheses, may contain anything. After it come the fields
	// from the third on; the start time is the 22nd.
	i := bytes.LastIndexByte(raw, ')')
	fields := bytes.Fields(raw[i+1:])
	if len(fields) < 20 {
		return ""
	}
	return string(fields[19])
}

// EndOrphan kills the process group that a former agent has left, if its
// leader is still the process that was started then.
func EndOrphan(pid int, started string) bool {
	if pid <= 1 || started == "" || Started(pid) != started {
		return false
	}
	return syscall.Kill(-pid, syscall.SIGKILL) == nil
}

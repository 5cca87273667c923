package broker

import (
	"bytes"
	"math"
	"os"
	"path"
	"runtime/metrics"
	"strconv"
	"strings"
)

// memoryUsed is what of the machine's memory this process takes up, in bytes.
func memoryUsed() int64 {
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		if f := bytes.Fields(b); len(f) > 1 {
			if pages, err := strconv.ParseInt(string(f[1]), 10, 64); err == nil {
				return pages * int64(os.Getpagesize())
			}
		}
	}
	// Elsewhere: what the runtime has and has not given back.
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64())
}

// memoryTotal is the memory that this process may have: the machine's, or its
// control group's if that is less. If it cannot be told, 8 GiB.
func memoryTotal() int64 {
	total := int64(math.MaxInt64)
	if n := memInfo(); n > 0 {
		total = n
	}
	if n := cgroupLimit("/", "/sys/fs/cgroup"); n > 0 {
		total = min(total, n)
	}
	if total == math.MaxInt64 {
		return 8 << 30
	}
	return total
}

func memInfo() int64 {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if kb, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}

// cgroupLimit is the least limit of the control groups that this process is in,
// 0 if there is none. root is where /proc is.
func cgroupLimit(root, mount string) int64 {
	b, err := os.ReadFile(path.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0
	}
	least := int64(0)
	look := func(file string) {
		if b, err := os.ReadFile(path.Join(root, file)); err == nil {
			n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
			if err == nil && n > 0 && n < 1<<60 && (least == 0 || n < least) { // "max", or absurdly much: no limit
				least = n
			}
		}
	}
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) < 3 {
			continue
		}
		base, name := mount, "memory.max" // version 2
		switch {
		case f[0] == "0":
		case strings.Contains(","+f[1]+",", ",memory,"):
			base, name = mount+"/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		// Within a container the path may be the host's; the limit is then at
		// the mount itself.
		for dir := path.Clean("/" + f[2]); ; dir = path.Dir(dir) {
			look(path.Join(base, dir, name))
			if dir == "/" {
				break
			}
		}
	}
	return least
}

package stats

import (
	"bytes"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Process is how the program stands.
type Process struct {
	RSS, FDs, FDLimit int64
	Goroutines        int64
	DiskFree          int64 // where the data is; 0: not known
	GCs, GCBytes      int64 // collections, bytes that they freed
	ContextSwitches   int64
	Heap, Stacks      int64 // bytes in use
	HeapFree, OtherGo int64 // bytes: kept by the runtime, its own
	GoTotal           int64 // bytes that the Go runtime has of the system
}

// process looks at the program.
type process struct {
	dir string

	mu      sync.Mutex
	samples []metrics.Sample
	at      time.Time
	seen    Process
}

// The names of what is read of the runtime.
func runtimeMetrics() []string {
	return []string{
		"/memory/classes/heap/objects:bytes", "/memory/classes/heap/stacks:bytes", "/memory/classes/heap/free:bytes",
		"/memory/classes/heap/unused:bytes", "/memory/classes/heap/released:bytes", "/memory/classes/total:bytes",
		"/gc/cycles/total:gc-cycles", "/gc/heap/frees:bytes",
	}
}

// look is called with the lock held.
func (p *process) look() (f Process) {
	if p.samples == nil {
		for _, n := range runtimeMetrics() {
			p.samples = append(p.samples, metrics.Sample{Name: n})
		}
	}
	metrics.Read(p.samples)
	v := func(i int) int64 {
		if s := p.samples[i].Value; s.Kind() == metrics.KindUint64 {
			return int64(s.Uint64())
		}
		return 0
	}
	f.Heap, f.Stacks = v(0), v(1)
	f.HeapFree = v(2) + v(3)
	f.GoTotal = v(5) - v(4)
	f.OtherGo = max(f.GoTotal-f.Heap-f.Stacks-f.HeapFree, 0)
	f.GCs, f.GCBytes = v(6), v(7)
	f.Goroutines = int64(runtime.NumGoroutine())
	f.RSS = rss()
	if f.RSS == 0 {
		f.RSS = f.GoTotal
	}
	f.FDs = fds()
	var lim syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim) == nil {
		f.FDLimit = int64(min(lim.Cur, 1<<40))
	}
	var ru syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &ru) == nil {
		f.ContextSwitches = int64(ru.Nvcsw) + int64(ru.Nivcsw)
	}
	if p.dir != "" {
		f.DiskFree = diskFree(p.dir)
	}
	return f
}

// rss is the resident memory, 0 where it is not known.
func rss() int64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(raw)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

// fds is the number of open files, 0 where it is not known.
func fds() int64 {
	// Since Linux 6.2 the directory's size says it, and with thousands of
	// connections reading the directory takes a millisecond.
	if i, err := os.Stat("/proc/self/fd"); err == nil && i.Size() > 0 {
		return i.Size()
	}
	d, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return 0
	}
	return int64(len(names)) - 1 // d itself
}

func diskFree(dir string) int64 {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return 0
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

// processAge is how old the figures of the process may be: one page asks for
// them several times.
const processAge = 100 * time.Millisecond

// Process returns how the program stands now.
func (s *Sampler) Process() Process {
	p := &s.process
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); p.at.IsZero() || now.Sub(p.at) > processAge {
		p.at, p.seen = now, p.look()
	}
	return p.seen
}

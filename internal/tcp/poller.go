//go:build linux && (amd64 || arm64)

package tcp

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"
)

// poller tells sockets when something has happened to them. It is one epoll
// descriptor, which Go's own poller watches, and one goroutine, which hands on
// what it finds there. A listener has one, together with the connections that it
// has accepted, until the last of them all is closed.
type poller struct {
	fd   int
	file *os.File // of fd, as Go's poller knows it

	mu    sync.Mutex
	socks []*sock // by descriptor; nil: not ours
	count int     // of socks
	turns int32   // numbers the sockets: a descriptor's number comes again
}

func newPoller() (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // os.NewFile asks for it
		syscall.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &poller{fd: fd, file: os.NewFile(uintptr(fd), "epoll")}
	raw, err := p.file.SyscallConn()
	if err != nil {
		p.file.Close()
		return nil, err
	}
	go p.run(raw)
	return p, nil
}

// Not in package syscall, or with a sign that epoll_ctl does not take.
const (
	epollET    = 1 << 31
	epollRDHUP = 0x2000
)

const (
	readable = syscall.EPOLLIN | epollRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR
	ragged   = epollRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR | syscall.EPOLLPRI
	writable = syscall.EPOLLOUT | syscall.EPOLLHUP | syscall.EPOLLERR
)

// watch begins to tell s what happens: each time that something new does.
func (p *poller) watch(s *sock) error {
	p.mu.Lock()
	for s.fd >= len(p.socks) {
		p.socks = append(p.socks, nil)
	}
	p.turns++
	s.turn = p.turns
	p.socks[s.fd] = s
	p.count++
	p.mu.Unlock()
	ev := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLPRI | syscall.EPOLLOUT | epollRDHUP | epollET, Fd: int32(s.fd), Pad: s.turn}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, uintptr(p.fd), syscall.EPOLL_CTL_ADD, uintptr(s.fd), uintptr(unsafe.Pointer(&ev)), 0, 0)
	if errno != 0 {
		p.forget(s)
		return os.NewSyscallError("epoll_ctl", errno)
	}
	return nil
}

// forget is called before the descriptor is closed, which ends the watch. The
// poller ends with its last socket.
func (p *poller) forget(s *sock) {
	p.mu.Lock()
	p.socks[s.fd] = nil
	p.count--
	last := p.count == 0
	p.mu.Unlock()
	if last {
		p.file.Close() // waits for run
	}
}

// batch is how many events are taken at a time.
const batch = 128

func (p *poller) run(raw syscall.RawConn) {
	var evs [batch]syscall.EpollEvent
	woken := make([]*sock, 0, batch)
	// Read takes an event that comes before it for an old one. So there is one call
	// of it, which asks for all there is, and then waits for more; it fails when forget has closed
	// the file, and that is the end.
	_ = raw.Read(func(fd uintptr) bool {
		for again := true; again; {
			n := take(fd, evs[:])
			again = n > 0
			p.mu.Lock()
			woken = woken[:0]
			for _, ev := range evs[:n] {
				s := p.socks[ev.Fd]
				if s != nil && s.turn != ev.Pad {
					s = nil // of a descriptor that was closed
				}
				woken = append(woken, s)
			}
			p.mu.Unlock()
			for i, s := range woken {
				if s != nil {
					s.tell(evs[i].Events)
				}
			}
			clear(woken)
			if again && n < batch {
				runtime.Gosched() // by the time they have run, there may be more
			}
		}
		return false
	})
}

// take asks for events that are there.
func take(fd uintptr, evs []syscall.EpollEvent) int {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(&evs[0])), uintptr(len(evs)), 0, 0, 0)
		switch errno {
		case 0:
			return int(n)
		case syscall.EINTR:
		default:
			panic("tcp: epoll_pwait: " + errno.Error()) // the descriptor and the memory are ours
		}
	}
}

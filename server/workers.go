package server

import (
	"net"
	"sync/atomic"
)

// workers serve connections. A few wait for the next when theirs has ended: where
// connections come and go all the time, that saves growing a new goroutine's stack
// for each.
type workers struct {
	serve func(nc net.Conn)
	start func(f func()) // starts a goroutine
	next  chan net.Conn  // to those that wait
	idle  atomic.Int32
}

// maxIdle is how many wait.
const maxIdle = 16

func newWorkers(start func(f func()), serve func(nc net.Conn)) *workers {
	return &workers{serve: serve, start: start, next: make(chan net.Conn)}
}

// take serves a connection.
func (w *workers) take(nc net.Conn) {
	select {
	case w.next <- nc:
	default:
		w.start(func() { w.run(nc) })
	}
}

func (w *workers) run(nc net.Conn) {
	for ok := true; ok; {
		w.serve(nc)
		if w.idle.Add(1) > maxIdle {
			w.idle.Add(-1)
			return
		}
		nc, ok = <-w.next
		w.idle.Add(-1)
	}
}

// end is called after the last take: who waits need not.
func (w *workers) end() { close(w.next) }

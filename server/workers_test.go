package server

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"
)

// A few goroutines wait for the next connection, and all end in the end.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		started, served := 0, 0
		leave := make(chan struct{})
		w := newWorkers(func(f func()) { started++; all.Go(f) }, func(nc net.Conn) { <-leave; nc.Close() })
		take := func(n int) {
			for range n {
				a, b := net.Pipe()
				b.Close()
				w.take(a)
				served++
			}
			synctest.Wait()
		}
		take(maxIdle + 10)
		if started != served {
			t.Errorf("%d started for %d connections at once", started, served)
		}
		close(leave)
		synctest.Wait()
		if n := w.idle.Load(); n != maxIdle {
			t.Errorf("%d wait, want %d", n, maxIdle)
		}
		before := started
		take(maxIdle)
		take(maxIdle)
		if started != before {
			t.Errorf("%d more started while some waited", started-before)
		}
		w.end()
		all.Wait()
	})
}

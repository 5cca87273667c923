package conformance

import (
	"sync"
	"time"
)

// staged is a case that runs up to its next restart at a time.
type staged struct {
	c    *Case
	r    *Run
	next int // line
}

func (s *staged) done() bool { return s.next > len(s.c.lines) }

// stage runs the lines before the next restart; a case without one is over.
func (s *staged) stage(kind string) {
	end := s.next
	for end < len(s.c.lines) && s.c.lines[end] != kind {
		end++
	}
	if s.r.failed == "" && s.next < len(s.c.lines) {
		s.r.steps(s.c.lines[s.next:end])
	}
	s.next = end + 1
	if s.done() {
		s.r.finish()
	}
}

// restarted forgets the connections, which went with the broker.
func (s *staged) restarted(kind string) {
	for _, c := range s.r.conns {
		c.closed = true
		c.nc.Close()
	}
	time.Sleep(10 * time.Millisecond)
	s.r.take(func(*Event) bool { return true })
	s.r.chans = map[string]*chState{}
	s.r.trace = append(s.r.trace, Ev{"> " + kind, ""})
}

// RunDurable runs every case of a kind ("restart", "kill9") up to its next
// restart, restarts the broker once for all of them, and goes on.
func RunDurable(ep *Endpoint, cases []*Case, kind string, restart func() error) (map[string][]Ev, error) {
	var live []*staged
	for _, c := range cases {
		for _, l := range c.lines {
			if l == kind {
				live = append(live, &staged{c: c, r: newRun(ep, ep.prefix("t"))})
				break
			}
		}
	}
	out := map[string][]Ev{}
	for len(live) > 0 {
		var wg sync.WaitGroup
		for _, s := range live {
			wg.Go(func() { s.stage(kind) })
		}
		wg.Wait()
		var more []*staged
		for _, s := range live {
			if s.done() {
				out[s.c.Name] = s.r.trace
			} else {
				more = append(more, s)
			}
		}
		if live = more; len(live) == 0 {
			break
		}
		if err := restart(); err != nil {
			return out, err
		}
		for _, s := range live {
			s.restarted(kind)
		}
	}
	return out, nil
}

package conformance

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// The fuzzer: from a seed, a sequence of script lines over two connections and
// several channels; both brokers execute it in lock-step, one operation at a
// time. After every operation all channels and queues are flushed (channel.flow
// and passive declares from a helper connection), so what has arrived then is
// determined. Only orders that AMQP and RabbitMQ define are exercised: each
// queue is consumed on its own channels (x.1I for queue I), only q0
// dead-letters, messages are transient, nothing expires.

type fuzzer struct {
	r   *Run
	ctl *Run
}

func newFuzzer(ep *Endpoint, prefix string) *fuzzer {
	f := &fuzzer{r: newRun(ep, prefix), ctl: newRun(ep, prefix)}
	f.ctl.open("Z", nil)
	return f
}

func (f *fuzzer) ensure(line string) {
	w := strings.Fields(line)[0]
	cn, chs, ok := strings.Cut(strings.TrimPrefix(w, "@"), ".")
	c := f.r.conns[cn]
	if c == nil || c.closed || c.gotClose {
		for k := range f.r.chans {
			if strings.HasPrefix(k, cn+".") {
				delete(f.r.chans, k)
			}
		}
		f.r.open(cn, []tok{{"", "noch"}})
	}
	if ok {
		ch := uint16(0)
		fmt.Sscan(chs, &ch)
		if !f.r.cs(cn, ch).open {
			f.r.openCh(f.r.conns[cn], ch)
		}
	}
}

// flush does a channel.flow round trip without touching other events.
func (f *fuzzer) flush() {
	for _, n := range f.r.order {
		c := f.r.conns[n]
		if c.closed || c.gotClose {
			continue
		}
		var chs []int
		for k, s := range f.r.chans {
			if s.open && strings.HasPrefix(k, n+".") {
				x := 0
				fmt.Sscan(k[len(n)+1:], &x)
				chs = append(chs, x)
			}
		}
		sort.Ints(chs)
		for _, x := range chs {
			ch := uint16(x)
			c.send(methodFrame(ch, "channel.flow", Args{"active": true}))
			var got *Event
			f.r.hub.waitUntil(func() bool {
				for _, e := range f.r.hub.evs {
					if e.conn != c {
						continue
					}
					if e.kind == evEOF || e.kind == evMethod && (e.m.name == "connection.close" || e.ch == ch && e.m.name == "channel.close") {
						return true
					}
					if e.ch == ch && e.kind == evMethod && e.m.name == "channel.flow-ok" {
						got = e
						return true
					}
				}
				return false
			}, opTimeout)
			if got != nil {
				f.r.take(func(e *Event) bool { return e == got })
			}
		}
	}
}

func (f *fuzzer) counts() string {
	var s []string
	z := f.ctl.conns["Z"]
	for _, q := range []string{"q0", "q1", "q2", "q3", "dq"} {
		z.send(methodFrame(1, "queue.declare", Args{"queue": f.r.prefix + q, "passive": true}))
		e := f.ctl.next(z, opTimeout)
		switch {
		case e == nil || e.kind != evMethod:
			s = append(s, "?")
		case e.m.name == "queue.declare-ok":
			s = append(s, fmt.Sprintf("%v/%v", e.args["message-count"], e.args["consumer-count"]))
		default:
			s = append(s, fmt.Sprint(e.args["reply-code"]))
			z.send(append(methodFrame(1, "channel.close-ok", nil), methodFrame(1, "channel.open", nil)...))
			f.ctl.next(z, opTimeout)
		}
	}
	return strings.Join(s, " ")
}

func (f *fuzzer) step(line string) (out []Ev) {
	defer func() {
		if x := recover(); x != nil {
			f.r.log(fmt.Sprintf("ABORTED: %v", x), "")
			out = f.r.trace
		}
	}()
	f.r.trace = nil
	f.ensure(line)
	f.r.exec(line)
	slow := strings.Contains(line, "close")
	for _, e := range f.r.trace {
		if strings.Contains(e[0], ".close ") {
			slow = true
		}
	}
	f.flush()
	if slow {
		time.Sleep(80 * time.Millisecond)
	}
	f.counts()
	f.flush()
	time.Sleep(8 * time.Millisecond)
	n := len(f.r.trace)
	f.r.drainAll()
	for _, e := range f.r.trace[n:] { // something was closed asynchronously
		if strings.Contains(e[0], ".close ") {
			time.Sleep(80 * time.Millisecond)
		}
	}
	f.counts()
	f.flush()
	time.Sleep(4 * time.Millisecond)
	f.r.drainAll()
	f.r.log("= "+f.counts(), "")
	return f.r.trace
}

func (f *fuzzer) end() {
	f.r.cleanup()
	// remove what the sequence left
	z := f.ctl.conns["Z"]
	for _, q := range []string{"q0", "q1", "q2", "q3", "dq"} {
		z.send(methodFrame(1, "queue.delete", Args{"queue": f.r.prefix + q}))
		f.ctl.next(z, time.Second)
	}
	for i := 0; i < 4; i++ {
		z.send(methodFrame(1, "exchange.delete", Args{"exchange": fmt.Sprintf("%sx%d", f.r.prefix, i)}))
		f.ctl.next(z, time.Second)
	}
	f.ctl.cleanup()
}

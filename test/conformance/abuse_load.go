package conformance

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"time"
)

func (l *abuseList) connections() {
	l.add("idle-connections-400", func(a *abuser) {
		var cs []net.Conn
		for i := 0; i < 400; i++ {
			if c, err := net.Dial("tcp", a.ep.Addr); err == nil {
				cs = append(cs, c)
			}
		}
		a.say(fmt.Sprintf("%d connected", len(cs)), "")
		a.health("while they are idle")
		for _, c := range cs {
			c.Close()
		}
	})
	l.add("connect-and-drop-2000", func(a *abuser) {
		var wg sync.WaitGroup
		for i := 0; i < 20; i++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for j := 0; j < 100; j++ {
					if c, err := net.Dial("tcp", a.ep.Addr); err == nil {
						c.Write([]byte("AMQP"))
						c.Close()
					}
				}
			}()
		}
		wg.Wait()
	})
	l.add("handshake-churn-200", func(a *abuser) {
		ok := 0
		for i := 0; i < 200; i++ {
			_, c := a.opened()
			if c != nil && !c.closed {
				ok++
			}
			c.nc.Close()
		}
		a.say(fmt.Sprintf("%d opened", ok), "")
	})
	l.add("channels-2047-then-one-more", func(a *abuser) {
		r, c := a.opened(tok{"", "noch"})
		var b []byte
		for i := 1; i <= 2047; i++ {
			b = append(b, methodFrame(uint16(i), "channel.open", nil)...)
		}
		c.send(b)
		n := 0
		for i := 0; i < 2047; i++ {
			if e := r.next(c, 5*time.Second); e != nil && e.kind == evMethod && e.m.name == "channel.open-ok" {
				n++
			}
		}
		a.say(fmt.Sprintf("%d channel.open-ok", n), "")
		c.send(methodFrame(2048, "channel.open", nil))
		a.say(ending(r, c, 3*time.Second))
		c.nc.Close()
	})
	l.add("channels-10k-on-5-connections", func(a *abuser) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		n := 0
		for k := 0; k < 5; k++ {
			r, c := a.opened(tok{"", "noch"})
			wg.Add(1)
			go func() {
				defer wg.Done()
				var b []byte
				for i := 1; i <= 2000; i++ {
					b = append(b, methodFrame(uint16(i), "channel.open", nil)...)
				}
				c.send(b)
				m := 0
				for i := 0; i < 2000; i++ {
					if e := r.next(c, 5*time.Second); e != nil && e.kind == evMethod && e.m.name == "channel.open-ok" {
						m++
					}
				}
				mu.Lock()
				n += m
				mu.Unlock()
				c.nc.Close()
			}()
		}
		wg.Wait()
		a.say(fmt.Sprintf("%d channel.open-ok", n), "")
	})
	l.add("channel-open-close-10k", func(a *abuser) {
		r, c := a.opened(tok{"", "noch"})
		n := 0
		for k := 0; k < 100; k++ {
			var b []byte
			for i := 1; i <= 100; i++ {
				b = append(b, methodFrame(uint16(i), "channel.open", nil)...)
				b = append(b, methodFrame(uint16(i), "channel.close", nil)...)
			}
			c.send(b)
			for i := 0; i < 200; i++ {
				if e := r.next(c, 5*time.Second); e != nil && e.kind == evMethod {
					n++
				}
			}
		}
		a.say(fmt.Sprintf("%d replies", n), "")
		c.nc.Close()
	})
	l.add("channel-errors-1000", func(a *abuser) {
		r, c := a.opened()
		n := 0
		for i := 0; i < 1000; i++ {
			c.send(methodFrame(1, "queue.declare", Args{"queue": r.prefix + "nope", "passive": true}))
			e := r.next(c, 5*time.Second)
			if e != nil && e.kind == evMethod && e.m.name == "channel.close" {
				n++
			}
			c.send(append(methodFrame(1, "channel.close-ok", nil), methodFrame(1, "channel.open", nil)...))
			r.next(c, 5*time.Second)
		}
		a.say(fmt.Sprintf("%d channel errors", n), "")
		c.nc.Close()
	})
	l.add("half-close-after-open", func(a *abuser) {
		r, c := a.opened()
		c.nc.(*net.TCPConn).CloseWrite()
		a.say(ending(r, c, 5*time.Second))
	})
	l.add("reset-mid-publish", func(a *abuser) {
		_, c := a.opened()
		c.send(methodFrame(1, "basic.publish", Args{"routing-key": "nope"}))
		c.nc.(*net.TCPConn).SetLinger(0)
		c.nc.Close()
	})
}

func (l *abuseList) floods() {
	l.add("publish-flood-missing-exchange", func(a *abuser) {
		r, c := a.opened()
		one := append(methodFrame(1, "basic.publish", Args{"exchange": r.prefix + "nox"}), contentFrames(1, 60, nil, make([]byte, 1000), 131072)...)
		b := bytes.Repeat(one, 1000)
		for i := 0; i < 50; i++ {
			if c.send(b) != nil {
				break
			}
		}
		a.say(ending(r, c, 5*time.Second))
		c.nc.Close()
	})
	l.add("never-reads-replies", func(a *abuser) {
		nc, r := rawOpen(a)
		if nc == nil {
			a.say("could not open", "")
			return
		}
		nc.Write(methodFrame(1, "queue.declare", Args{"queue": r.prefix + "q", "exclusive": true}))
		b := bytes.Repeat(methodFrame(1, "basic.get", Args{"queue": r.prefix + "q"}), 1000)
		nc.SetWriteDeadline(time.Now().Add(3 * time.Second))
		for {
			if _, err := nc.Write(b); err != nil {
				break
			}
		}
		a.health("while it does not read")
		nc.Close()
	})
	l.add("consumer-never-reads", func(a *abuser) {
		r, c := a.opened()
		r.steps([]string{"qd %q"})
		body := make([]byte, 20000)
		for i := 0; i < 3000; i++ {
			c.send(append(methodFrame(1, "basic.publish", Args{"routing-key": r.prefix + "q"}), contentFrames(1, 60, nil, body, 131072)...))
		}
		nc, _ := rawOpen(a)
		nc.Write(methodFrame(1, "basic.consume", Args{"queue": r.prefix + "q", "no-ack": true}))
		time.Sleep(2 * time.Second)
		a.health("while the consumer does not read")
		nc.Close()
		r.steps([]string{"qx %q"})
		c.nc.Close()
	})
	l.add("body-of-1TB-announced-30MB-sent", func(a *abuser) {
		r, c := a.opened()
		h := make([]byte, 14)
		binary.BigEndian.PutUint16(h, 60)
		binary.BigEndian.PutUint64(h[4:], 1<<40)
		c.send(methodFrame(1, "basic.publish", Args{"routing-key": "nope"}))
		c.send(frameBytes(2, 1, h))
		f := frameBytes(3, 1, make([]byte, 100000))
		for i := 0; i < 300; i++ {
			if c.send(f) != nil {
				break
			}
		}
		a.say(ending(r, c, 1500*time.Millisecond))
		a.health("with the content incomplete")
		c.nc.Close()
	})
}

func (l *abuseList) quantities() {
	l.add("consume-tags-1000", func(a *abuser) {
		r, c := a.opened()
		r.steps([]string{"qd %q exclusive"})
		n := 0
		var b []byte
		for i := 0; i < 1000; i++ {
			b = append(b, methodFrame(1, "basic.consume", Args{"queue": r.prefix + "q", "consumer-tag": fmt.Sprint("t", i)})...)
		}
		go c.send(b)
		for i := 0; i < 1000; i++ {
			if e := r.next(c, 10*time.Second); e != nil && e.kind == evMethod && e.m.name == "basic.consume-ok" {
				n++
			} else {
				break
			}
		}
		a.say(fmt.Sprintf("%d consumers", n), "")
		c.nc.Close()
	})
	l.add("exclusive-queues-1000", func(a *abuser) {
		r, c := a.opened()
		n := 0
		for i := 0; i < 1000; i++ {
			c.send(methodFrame(1, "queue.declare", Args{"exclusive": true}))
			if e := r.next(c, 10*time.Second); e != nil && e.kind == evMethod && e.m.name == "queue.declare-ok" {
				n++
			}
		}
		a.say(fmt.Sprintf("%d queues", n), "")
		c.nc.Close()
		time.Sleep(time.Second)
	})
	l.add("headers-table-100k", func(a *abuser) {
		r, c := a.opened()
		r.steps([]string{"qd %q exclusive"})
		var t Table
		for i := 0; i < 5000; i++ {
			t = append(t, KV{fmt.Sprintf("key-%d", i), Value{T: 'I', I: int64(i)}})
		}
		c.send(append(methodFrame(1, "basic.publish", Args{"routing-key": r.prefix + "q"}), contentFrames(1, 60, Args{"headers": t}, []byte("x"), 131072)...))
		c.send(methodFrame(1, "basic.get", Args{"queue": r.prefix + "q"}))
		e := r.next(c, 5*time.Second)
		if e != nil && e.kind == evMethod && e.m.name == "basic.get-ok" {
			ht, _ := e.props["headers"].(Table)
			a.say(fmt.Sprintf("%d headers back", len(ht)), "")
		} else {
			a.say("no message", "")
		}
		c.nc.Close()
	})
}

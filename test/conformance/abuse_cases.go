package conformance

import (
	"fmt"
	"math/rand"
	"time"
)

type abuseCase struct {
	name string
	f    func(a *abuser)
}

// abuseList collects the cases.
type abuseList struct{ cases []abuseCase }

func abuseCases() []abuseCase {
	l := &abuseList{}
	l.bytes()
	l.beforeLogin()
	l.slowness()
	l.arguments()
	l.nesting()
	l.connections()
	l.floods()
	l.quantities()
	return l.cases
}

func (l *abuseList) add(n string, f func(a *abuser)) {
	l.cases = append(l.cases, abuseCase{"abuse/" + n, f})
}

// raw sends bytes instead of a protocol header.
func (l *abuseList) raw(n string, d time.Duration, b []byte) {
	l.add(n, func(a *abuser) {
		r := a.run()
		c := r.dial("A")
		c.send(b)
		a.say(ending(r, c, d))
		c.nc.Close()
	})
}

// afterOpen sends bytes on an open connection.
func (l *abuseList) afterOpen(n string, d time.Duration, b []byte) {
	l.add(n, func(a *abuser) {
		r, c := a.opened()
		c.send(b)
		a.say(ending(r, c, d))
		c.nc.Close()
	})
}

// preauth sends bytes where start-ok should be.
func (l *abuseList) preauth(n string, b []byte) {
	l.add(n, func(a *abuser) {
		r := a.run()
		c := r.dial("A")
		c.send([]byte(protocolHeader))
		r.next(c, opTimeout)
		c.send(b)
		a.say(ending(r, c, 14*time.Second))
		c.nc.Close()
	})
}

// slow measures when a client that dawdles is shown out.
func (l *abuseList) slow(n string, f func(r *Run, c *Conn, stop <-chan struct{})) {
	l.add(n, func(a *abuser) {
		r := a.run()
		c := r.dial("A")
		stop := make(chan struct{})
		t := time.Now()
		go f(r, c, stop)
		line, text := ending(r, c, 20*time.Second)
		close(stop)
		el := time.Since(t)
		when := fmt.Sprintf("after %.1f s", el.Seconds())
		if el > 8500*time.Millisecond && el < 12500*time.Millisecond {
			when = "after about 10 s"
		} else if el > 19*time.Second {
			when = "not within 20 s"
		}
		a.say(line+" "+when, text)
		c.nc.Close()
	})
}

// randomBytes are the same for the same seed.
func randomBytes(seed int64, n int) []byte {
	b := make([]byte, n)
	rand.New(rand.NewSource(seed)).Read(b)
	return b
}

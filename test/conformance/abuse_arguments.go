package conformance

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

func (l *abuseList) arguments() {
	// every method with arguments cut, padded and random
	var names []string
	for n := range specs {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		if strings.HasPrefix(n, "connection.") {
			continue
		}
		l.add("arguments-"+n, func(a *abuser) {
			m := specs[n]
			full := encodeMethod(m, Args{})
			variants := map[string][]byte{"none": full[:4], "cut": full[:max(4, len(full)-1)], "padded": append(append([]byte(nil), full...), 1, 2, 3), "random": append(full[:4:4], randomBytes(int64(m.class)*1000+int64(m.id), 40)...)}
			for _, k := range []string{"none", "cut", "padded", "random"} {
				r, c := a.opened()
				c.send(frameBytes(1, 1, variants[k]))
				l, t := ending(r, c, 700*time.Millisecond)
				a.say(k+": "+l, t)
				c.nc.Close()
			}
		})
	}
	for _, n := range names {
		if !strings.HasPrefix(n, "connection.") {
			continue
		}
		l.add("arguments-"+n, func(a *abuser) {
			m := specs[n]
			full := encodeMethod(m, Args{})
			for k, v := range [][]byte{full[:4], append(append([]byte(nil), full...), 1, 2, 3)} {
				for ch := uint16(0); ch < 2; ch++ {
					r, c := a.opened()
					c.send(frameBytes(1, ch, v))
					l, t := ending(r, c, 700*time.Millisecond)
					a.say(fmt.Sprintf("%s channel %d: %s", []string{"none", "padded"}[k], ch, l), t)
					c.nc.Close()
				}
			}
		})
	}
}

func (l *abuseList) nesting() {
	l.add("headers-nested-table-deep", func(a *abuser) {
		r, c := a.opened()
		r.steps([]string{"qd %q exclusive"})
		for _, depth := range []int{10, 100, 1000, 10000} {
			h := append([]byte{0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x20, 0}, nest(depth)...)
			c.send(methodFrame(1, "basic.publish", Args{"routing-key": r.prefix + "q"}))
			c.send(frameBytes(2, 1, h))
			c.send(frameBytes(3, 1, []byte("hi")))
			l, t := ending(r, c, 800*time.Millisecond)
			a.say(fmt.Sprintf("depth %d: %s", depth, l), t)
			if c.closed {
				break
			}
		}
		c.nc.Close()
	})
}

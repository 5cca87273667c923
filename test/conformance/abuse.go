package conformance

import (
	"fmt"
	"strings"
	"time"
)

// Protocol abuse against one broker. Every case gives a few outcome lines (how
// the bad connection ended) which are compared with the golden file; after
// every case a connection that was open all the time must still work, a new
// connection must work, and the broker's memory must be bounded.

type abuser struct {
	ep  *Endpoint
	out []Ev
}

func (a *abuser) say(line, text string) { a.out = append(a.out, Ev{line, text}) }

func (a *abuser) run() *Run {
	return newRun(a.ep, a.ep.prefix("z"))
}

// ending says how a connection ended within d.
func ending(r *Run, c *Conn, d time.Duration) (string, string) {
	var last *Event
	dl := time.Now().Add(d)
	for {
		e := r.next(c, time.Until(dl))
		if e == nil {
			if last != nil && last.kind == evMethod && last.m.name == "connection.close" {
				// whether the socket is closed then depends on what else is in the stream
				return fmt.Sprintf("connection.close %v %v.%v", last.args["reply-code"], last.args["class-id"], last.args["method-id"]), r.norm(fmt.Sprint(last.args["reply-text"]))
			}
			return "still open", ""
		}
		switch {
		case e.kind == evEOF:
			c.nc.Close()
			c.closed = true
			if last == nil {
				return "closed without a frame", ""
			}
			if last.kind == evHeader {
				return "protocol header " + last.raw + " then closed", ""
			}
			return fmt.Sprintf("connection.close %v %v.%v", last.args["reply-code"], last.args["class-id"], last.args["method-id"]), r.norm(fmt.Sprint(last.args["reply-text"]))
		case e.kind == evHeader:
			last = e
		case e.kind == evMethod && e.m.name == "connection.close":
			last = e
			c.send(methodFrame(0, "connection.close-ok", nil))
		case e.kind == evMethod && e.m.name == "channel.close":
			c.send(methodFrame(e.ch, "channel.close-ok", nil))
			dl2 := time.Now().Add(300 * time.Millisecond)
			if dl2.Before(dl) {
				dl = dl2
			}
			if last == nil {
				code, txt := fmt.Sprint(e.args["reply-code"]), r.norm(fmt.Sprint(e.args["reply-text"]))
				x, _ := ending(r, c, time.Until(dl))
				if x == "still open" {
					return "channel.close " + code, txt
				}
				return "channel.close " + code + ", " + x, txt
			}
		}
	}
}

func (a *abuser) opened(args ...tok) (*Run, *Conn) {
	r := a.run()
	r.open("A", args)
	return r, r.conns["A"]
}

// health: a new connection declares, publishes and gets within 5 seconds.
func (a *abuser) health(when string) {
	done := make(chan string, 1)
	go func() {
		r := a.run()
		if !r.steps([]string{"open", "qd %h exclusive", "pub - %h ping", "poll %h 1", "get %h no-ack"}) {
			done <- "UNHEALTHY: " + r.failed
			return
		}
		got := false
		for _, e := range r.trace {
			if strings.Contains(e[0], `"ping"`) && strings.Contains(e[0], "get-ok") {
				got = true
			}
		}
		r.cleanup()
		if got {
			done <- "a new connection works"
		} else {
			done <- "UNHEALTHY: no message"
		}
	}()
	select {
	case s := <-done:
		a.say(s+" "+when, "")
	case <-time.After(8 * time.Second):
		a.say("UNHEALTHY: no answer within 8 s "+when, "")
	}
}

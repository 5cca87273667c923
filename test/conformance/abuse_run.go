package conformance

import (
	"fmt"
	"strings"
)

// AbuseNames lists the cases of abuse.
func AbuseNames() []string {
	var out []string
	for _, c := range abuseCases() {
		out = append(out, c.name)
	}
	return out
}

// RunAbuse runs one case of abuse. A connection that was open all the time
// must still work after it, and a new one must work.
func RunAbuse(ep *Endpoint, name string) []Ev {
	a := &abuser{ep: ep}
	witness := newRun(ep, ep.prefix("w"))
	witness.steps([]string{"open", "qd %w exclusive", "con %w t no-ack"})
	defer witness.cleanup()
	for _, c := range abuseCases() {
		if c.name == name {
			a.try(c.f)
		}
	}
	witness.trace = nil
	witness.steps([]string{"pub - %w ping", "wait 1"})
	if traceHas(witness.trace, "deliver", `"ping"`) {
		a.say("the old connection works", "")
	} else {
		a.say("UNHEALTHY: the old connection does not deliver", "")
	}
	a.health("at the end")
	return a.out
}

func (a *abuser) try(f func(a *abuser)) {
	defer func() {
		if x := recover(); x != nil {
			a.say(fmt.Sprintf("ABORTED: %v", x), "")
		}
	}()
	f(a)
}

// traceHas tells whether a line has all the words.
func traceHas(t []Ev, words ...string) bool {
	for _, e := range t {
		all := true
		for _, w := range words {
			all = all && strings.Contains(e[0], w)
		}
		if all {
			return true
		}
	}
	return false
}

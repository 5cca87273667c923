package conformance

import (
	"fmt"
)

// equivalence declares a queue again with other arguments.
func (g *generator) equivalence() {
	eq := [][3]string{
		{"x-message-ttl", "1000", "2000"}, {"x-expires", "60000", "70000"}, {"x-max-length", "5", "6"}, {"x-max-length-bytes", "500", "600"},
		{"x-max-priority", "5", "6"}, {"x-overflow", `"drop-head"`, `"reject-publish"`}, {"x-dead-letter-exchange", `"a"`, `"b"`},
		{"x-queue-mode", `"lazy"`, `"default"`}, {"x-queue-version", "1", "2"}, {"x-single-active-consumer", "true", "false"},
		{"x-queue-type", `"classic"`, `"quorum"`}, {"x-queue-master-locator", `"client-local"`, `"random"`}, {"x-max-in-memory-length", "1", "2"},
		{"x-delivery-limit", "1", "2"}, {"x-foo", "1", "2"}, {"x-queue-leader-locator", `"client-local"`, `"balanced"`}, {"x-max-age", `"1h"`, `"2h"`}, {"x-cancel-on-ha-failover", "true", "false"},
	}
	for _, e := range eq {
		d := ""
		if e[0] == "x-queue-type" {
			d = " durable"
		}
		g.add("argeq/"+e[0]+"-changed", fmt.Sprintf("open ;; qd %%q%s args={%s:%s} ;; qd %%q%s args={%s:%s} ;; quiet 50", d, e[0], e[1], d, e[0], e[2]))
		g.add("argeq/"+e[0]+"-dropped", fmt.Sprintf("open ;; qd %%q%s args={%s:%s} ;; qd %%q%s", d, e[0], e[1], d))
		g.add("argeq/"+e[0]+"-added", fmt.Sprintf("open ;; qd %%q%s ;; qd %%q%s args={%s:%s}", d, d, e[0], e[1]))
	}
	g.add("argeq/int-types-equal", "open ;; qd %q args={x-message-ttl:1000} ;; qd %q args={x-message-ttl:l1000} ;; qd %q args={x-message-ttl:s1000} ;; qd %q args={x-message-ttl:i1000}")
	g.add("argeq/int-vs-string", `open ;; qd %q args={x-max-length:5} ;; qd %q args={x-max-length:"5"}`)
	g.add("argeq/int-vs-float", `open ;; qd %q args={x-max-length:5} ;; qd %q args={x-max-length:d5.0}`)
	g.add("argeq/dlrk-changed", `open ;; qd %q args={x-dead-letter-exchange:"a",x-dead-letter-routing-key:"x"} ;; qd %q args={x-dead-letter-exchange:"a",x-dead-letter-routing-key:"y"}`)
	g.add("argeq/dlrk-without-dlx", `open ;; qd %q args={x-dead-letter-routing-key:"x"}`)
	g.add("argeq/dlrk-bad-type", `open ;; qd %q args={x-dead-letter-exchange:"a",x-dead-letter-routing-key:5}`)
	g.add("argeq/order-does-not-matter", "open ;; qd %q args={x-max-length:5,x-message-ttl:1000} ;; qd %q args={x-message-ttl:1000,x-max-length:5}")
	g.add("argeq/unknown-args-not-compared", `open ;; qd %q args={foo:1} ;; qd %q args={bar:"x"} ;; qd %q`)
	g.add("argeq/two-bad-args-which-first", `open ;; qd %q args={x-message-ttl:-1,x-expires:0}`)
	g.add("argeq/two-bad-args-which-first-2", `open ;; qd %q args={x-expires:0,x-message-ttl:-1}`)
	g.add("argeq/duplicate-key", `open ;; qd %q args={x-max-length:1,x-max-length:2} ;; pubs - %q a,b,c ;; quiet ;; qs %q`)
	g.add("argeq/durable-before-args", `open ;; qd %q ;; qd %q durable args={x-max-length:-5}`)
	g.add("argeq/invalid-args-on-existing-queue", `open ;; qd %q ;; qd %q args={x-max-length:-5}`)
	g.add("argeq/classic-explicit-vs-absent", `open ;; qd %q args={x-queue-type:"classic"} ;; qd %q ;; qd %q args={x-queue-type:"classic"}`)
}

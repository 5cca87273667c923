package conformance

// traces are copies that the firehose makes of messages.
func (g *generator) traces() {
	vh := []string{`http PUT /api/vhosts/%v {"tracing":true}`, `http PUT /api/permissions/%v/guest {"configure":".*","write":".*","read":".*"}`,
		"open vhost=%v ;; qd %p exclusive ;; qb %p amq.rabbitmq.trace publish.# ;; @A.2 chan ;; @A.2 qd %d exclusive ;; @A.2 qb %d amq.rabbitmq.trace deliver.# ;; @A.3 chan"}
	add := func(name, script string) { g.add("trace/"+name, append(append([]string{}, vh...), script)...) }
	add("default-exchange", "@A.3 qd %q exclusive ;; @A.3 pub - %q hi ;; poll %p 1 ;; drain %p ;; @A.3 poll %q 1 ;; @A.3 get %q no-ack ;; @A.2 poll %d 1 ;; @A.2 drain %d")
	add("properties", "@A.3 qd %q exclusive ;; @A.3 pub - %q hi content-type=text/plain priority=3 delivery-mode=2 correlation-id=c headers={a:1,b:\"x\"} expiration=60000 ;; poll %p 1 ;; drain %p")
	add("fanout", "@A.3 qd %q1 exclusive ;; @A.3 qd %q2 exclusive ;; @A.3 qb %q1 amq.fanout - ;; @A.3 qb %q2 amq.fanout - ;; @A.3 pub amq.fanout k hi ;; poll %p 1 ;; drain %p")
	add("unroutable", "@A.3 pub amq.fanout k hi ;; poll %p 1 ;; drain %p")
	add("cc", "@A.3 qd %q exclusive ;; @A.3 qd %r exclusive ;; @A.3 qd %s exclusive ;; @A.3 pub - %q hi headers={CC:[\"%r\"],BCC:[\"%s\"]} ;; poll %p 1 ;; drain %p")
	add("consume", "@A.3 qd %q exclusive ;; @A.3 con %q t ;; @A.3 pub - %q hi ;; @A.3 wait 1 ;; @A.2 poll %d 1 ;; @A.2 drain %d ;; @A.3 nack 1 ;; @A.3 wait 1 ;; @A.2 poll %d 1 ;; @A.2 drain %d")
	add("off", "@A.3 qd %q exclusive\nhttp PUT /api/vhosts/%v {\"tracing\":false}\nsleep 300 ;; @A.3 pub - %q hi ;; @A.3 poll %q 1 ;; quiet ;; drain %p")
	add("publish-to-trace", "@A.3 pub amq.rabbitmq.trace k hi ;; @A.3 wait 1")
}

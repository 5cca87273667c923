package conformance

import (
	"fmt"
	"math/rand"
	"strings"
)

func fuzzOps(seed int64, n int) []string {
	rng := rand.New(rand.NewSource(seed))
	pick := func(xs ...string) string { return xs[rng.Intn(len(xs))] }
	attrs := []string{"", "", "durable", "auto-delete", "args={x-max-length:3}", `args={x-max-length:2,x-overflow:"reject-publish"}`,
		"args={x-max-priority:3}", "args={x-single-active-consumer:true}", `args={x-queue-mode:"lazy"}`, "args={x-max-length-bytes:12}",
		"args={x-max-priority:2,x-max-length:4}"}
	dl := []string{`args={x-dead-letter-exchange:"",x-dead-letter-routing-key:"%dq"}`, `args={x-dead-letter-exchange:"",x-dead-letter-routing-key:"%dq",x-max-length:2}`,
		`args={x-dead-letter-exchange:"",x-dead-letter-routing-key:"%dq",x-max-length:1,x-overflow:"reject-publish-dlx"}`, `args={x-dead-letter-exchange:"",x-dead-letter-routing-key:"%dq",x-max-priority:3}`}
	qa := make([]string, 4)
	for i := range qa {
		qa[i] = attrs[rng.Intn(len(attrs))]
	}
	if rng.Intn(3) > 0 {
		qa[0] = dl[rng.Intn(len(dl))]
	}
	if rng.Intn(6) == 0 {
		qa[3] = "exclusive"
	}
	xt := []string{"direct", "fanout", "topic", "headers"}
	rng.Shuffle(4, func(i, j int) { xt[i], xt[j] = xt[j], xt[i] })
	xa := make([]string, 4)
	for i := range xa {
		xa[i] = pick("", "", "", "auto-delete", "durable")
	}
	if rng.Intn(3) == 0 {
		xa[3] = `args={alternate-exchange:"%x0"}`
	}
	nq := 1 + rng.Intn(3) // few queues, so that much happens on each
	if rng.Intn(5) == 0 {
		nq = 4
	}
	Q := func() int { return rng.Intn(nq) }
	X := func() string { return fmt.Sprintf("%%x%d", rng.Intn(4)) }
	conn := func() string { return pick("A", "A", "B") }
	pubCh := func() string { return pick("@A.1", "@A.1", "@A.2", "@B.1") }
	rk := func() string { return pick("k1", "k2", "a.b", "a.c", "b", fmt.Sprintf("%%q%d", Q())) }
	brk := func(i int) string { return pick("k1", "k2", "a.*", "#", "a.b", "*.c", "b", fmt.Sprintf("%%q%d", i)) }
	hdr := func() string { return pick("", "", "headers={h:1}", "headers={h:2}", "headers={h:1,g:\"x\"}") }
	bargs := func() string {
		return pick("", "", "", "args={h:1}", `args={x-match:"any",h:1,g:"x"}`, `args={x-match:"all",h:1,g:"x"}`)
	}
	msg := 0
	ctag := 0
	var tags []string
	var out []string
	add := func(f string, a ...any) { out = append(out, strings.TrimSpace(fmt.Sprintf(f, a...))) }
	decl := func(i int) {
		a := qa[i]
		if rng.Intn(14) == 0 {
			a = attrs[rng.Intn(len(attrs))]
		}
		add("@%s.1 qd %%q%d %s", conn(), i, a)
	}
	declX := func(i int) {
		t := xt[i]
		if rng.Intn(14) == 0 {
			t = xt[rng.Intn(4)]
		}
		add("@%s.1 xd %%x%d %s %s", conn(), i, t, xa[i])
	}
	add("@A.1 qd %%dq")
	for i := 0; i < 4; i++ {
		if i < nq {
			decl(i)
		}
		if rng.Intn(6) > 0 {
			declX(i)
		}
	}
	for i := 0; i < 5; i++ {
		q := Q()
		add("@A.2 qb %%q%d %s %s %s", q, X(), brk(q), bargs())
	}
	var used []string // channels that got or consume something
	for len(out) < n {
		q := Q()
		c := conn()
		qc := fmt.Sprintf("@%s.1%d", c, q)
		busy := qc
		if len(used) > 0 && rng.Intn(10) > 0 {
			busy = used[rng.Intn(len(used))]
		}
		switch w := rng.Intn(100); {
		case w < 12: // some at once, on the channel that never confirms
			var b []string
			for i := 0; i <= rng.Intn(5); i++ {
				msg++
				b = append(b, fmt.Sprintf("m%d", msg))
			}
			add("@A.1 pubs - %%q%d %s %s", Q(), strings.Join(b, ","), pick("", "", "priority=2", "priority=1", hdr()))
		case w < 30:
			msg++
			x := X()
			k := rk()
			if rng.Intn(2) == 0 {
				x, k = "-", fmt.Sprintf("%%q%d", Q())
			}
			fl := pick("", "", "", "mandatory", "priority=2", "priority=1", `type="t"`)
			add("%s pub %s %s m%d %s %s", pubCh(), x, k, msg, hdr(), fl)
		case w < 38:
			add("%s get %%q%d %s", qc, q, pick("", "", "", "no-ack"))
			used = append(used, qc)
		case w < 46:
			ctag++
			t := fmt.Sprintf("t%d", ctag)
			if rng.Intn(12) == 0 && len(tags) > 0 {
				t = strings.Fields(tags[rng.Intn(len(tags))])[1]
			}
			add("%s con %%q%d %s %s %s", qc, q, t, pick("", "", "", "", "no-ack", "exclusive"), pick("", "", "", "args={x-priority:5}"))
			tags = append(tags, qc+" "+t)
			used = append(used, qc)
		case w < 49:
			if len(tags) > 0 {
				f := strings.Fields(tags[rng.Intn(len(tags))])
				add("%s can %s", f[0], f[1])
			}
		case w < 61:
			add("%s ackk %d %s", busy, rng.Intn(6), pick("", "", "multiple"))
		case w < 69:
			add("%s nackk %d %s %s", busy, rng.Intn(6), pick("", "", "multiple"), pick("", "requeue=false"))
		case w < 73:
			add("%s rejk %d %s", busy, rng.Intn(6), pick("", "requeue=false"))
		case w < 77:
			add("%s qos %d %s", busy, rng.Intn(4), pick("", "", "global"))
		case w < 79:
			add("%s recover", busy)
		case w < 80:
			add("%s qp %%q%d", pick("@A.1", "@B.1"), q)
		case w < 81:
			add("%s qx %%q%d %s", pick("@A.1", "@B.1"), q, pick("", "", "if-unused", "if-empty"))
		case w < 84:
			decl(q)
		case w < 85:
			declX(q)
		case w < 86:
			add("@A.2 xx %s %s", X(), pick("", "if-unused"))
		case w < 89:
			add("%s qb %%q%d %s %s %s", pick("@A.2", "@B.1"), q, X(), brk(q), bargs())
		case w < 90:
			add("@A.2 qu %%q%d %s %s %s", q, X(), brk(q), bargs())
		case w < 91:
			add("@A.1 xb %s %s %s", X(), X(), pick("k1", "a.*", "#"))
		case w < 92:
			add("%s sel", pick("@A.2", "@B.1"))
		case w < 93:
			add("%s tx", pick("@A.2", "@B.1", busy))
		case w < 95:
			add("%s %s", pick("@A.2", "@B.1", busy), pick("commit", "commit", "rollback"))
		case w < 97:
			add("%s channel.close", pick(busy, busy, "@A.1", "@A.2"))
		case w < 98:
			add("%s close", pick("@A", "@B"))
		case w < 99:
			add("@A.1 get %%dq no-ack")
		default:
			add("%s ack %d", busy, 900+rng.Intn(3))
		}
	}
	add("@A.1 drain %%dq")
	for i := 0; i < 4; i++ {
		add("@A.1%d drain %%q%d", i, i)
	}
	return out
}

package conformance

import (
	"fmt"
	"strings"
)

// queueArguments tries every argument with good and bad values.
func (g *generator) queueArguments() {
	ints := []string{"1", "0", "-1", "b5", "B200", "s5", "u7", "i9", "l5", "L6", `"10"`, "true", "f1.5", "d2.5", "D100/1", "T1000", "V", "[1]", "{a:1}", `x"5"`}
	strs := []string{"5", "true", "V", "l5", "[]", `""`, `"nosuch"`}
	vals := map[string][]string{
		"x-message-ttl":                   append(ints, "4294967295", "4294967296", "l9223372036854775807", "315360000000", "315360000001"),
		"x-expires":                       append(ints, "4294967295", "4294967296", "315360000001"),
		"x-max-length":                    append(ints, "l9223372036854775807"),
		"x-max-length-bytes":              {"0", "-1", "1000", `"10"`, "true", "V"},
		"x-max-priority":                  append(ints, "255", "256", "10"),
		"x-overflow":                      append(strs, `"drop-head"`, `"reject-publish"`, `"reject-publish-dlx"`, `"Drop-Head"`),
		"x-dead-letter-exchange":          append(strs, `"amq.fanout"`),
		"x-queue-mode":                    append(strs, `"lazy"`, `"default"`, `"LAZY"`),
		"x-queue-version":                 {"1", "2", "3", "0", "-1", `"2"`, "true"},
		"x-queue-type":                    append(strs, `"classic"`, `"quorum"`, `"stream"`, `"Classic"`),
		"x-single-active-consumer":        {"true", "false", "1", `"true"`, "V"},
		"x-queue-master-locator":          append(strs, `"min-masters"`, `"client-local"`, `"random"`),
		"x-queue-leader-locator":          append(strs, `"client-local"`, `"balanced"`, `"random"`, `"least-leaders"`),
		"x-max-in-memory-length":          {"1", "-1", `"a"`},
		"x-max-in-memory-bytes":           {"1", "-1"},
		"x-delivery-limit":                {"1", "-1", `"a"`},
		"x-quorum-initial-group-size":     {"1", "0", "-1", `"a"`},
		"x-initial-cluster-size":          {"1", "0"},
		"x-max-age":                       {`"1h"`, `"bogus"`, "5"},
		"x-stream-max-segment-size-bytes": {"1000", "-1"},
		"x-dead-letter-strategy":          {`"at-most-once"`, `"at-least-once"`, `"bogus"`, "1"},
		"x-cancel-on-ha-failover":         {"true"},
		"x-ha-policy":                     {`"all"`},
		"x-unknown-argument":              {"1", `"a"`},
		"unknown":                         {"1"},
	}
	order := []string{"x-message-ttl", "x-expires", "x-max-length", "x-max-length-bytes", "x-max-priority", "x-overflow", "x-dead-letter-exchange", "x-queue-mode", "x-queue-version", "x-queue-type", "x-single-active-consumer", "x-queue-master-locator", "x-queue-leader-locator", "x-max-in-memory-length", "x-max-in-memory-bytes", "x-delivery-limit", "x-quorum-initial-group-size", "x-initial-cluster-size", "x-max-age", "x-stream-max-segment-size-bytes", "x-dead-letter-strategy", "x-cancel-on-ha-failover", "x-ha-policy", "x-unknown-argument", "unknown"}
	for _, k := range order {
		for _, v := range vals[k] {
			if k == "x-queue-type" && (v == `"quorum"` || v == `"stream"`) {
				g.add(fmt.Sprintf("args/%s=%s", k, inName(v)), fmt.Sprintf("open ;; qd %%q durable args={%s:%s} ;; qd %%q durable args={%s:%s} ;; ?qx %%q", k, v, k, v))
				continue
			}
			n := inName(v)
			if n == "" {
				n = "empty"
			}
			g.add(fmt.Sprintf("args/%s=%s", k, n), fmt.Sprintf("open ;; qd %%q args={%s:%s} ;; ?qx %%q", k, v))
		}
	}
}

// typeArguments tries arguments that only some queue types know.
func (g *generator) typeArguments() {
	// arguments only some queue types know
	for _, t := range []string{"classic", "quorum", "stream"} {
		for _, a := range []string{"x-message-ttl:1000", "x-expires:60000", "x-max-length:5", "x-max-length-bytes:500", "x-max-priority:5", `x-overflow:"drop-head"`, `x-overflow:"reject-publish"`, `x-overflow:"reject-publish-dlx"`, `x-dead-letter-exchange:"amq.fanout"`, `x-queue-mode:"lazy"`, "x-single-active-consumer:true", "x-delivery-limit:3", "x-max-in-memory-length:5", `x-max-age:"1h"`, "x-stream-max-segment-size-bytes:1000000", "x-quorum-initial-group-size:1", `x-queue-leader-locator:"client-local"`, `x-dead-letter-strategy:"at-least-once"`, "x-queue-version:2", "x-initial-cluster-size:1", `x-queue-master-locator:"client-local"`, "x-foo:1"} {
			k, v, _ := strings.Cut(a, ":")
			g.add(fmt.Sprintf("argtypes/%s-%s=%s", t, k, inName(v)), fmt.Sprintf(`open ;; qd %%q durable args={x-queue-type:"%s",%s} ;; ?qx %%q`, t, a))
		}
	}
}

// typeFlags tries the properties that replicated types refuse.
func (g *generator) typeFlags() {
	for _, f := range []string{"", "exclusive", "auto-delete", "durable exclusive", "durable auto-delete"} {
		for _, t := range []string{"quorum", "stream"} {
			g.add(fmt.Sprintf("argtypes/%s-flags-%s", t, strings.ReplaceAll(f+"-", " ", "-")), fmt.Sprintf(`open ;; qd %%q %s args={x-queue-type:"%s"} ;; quiet 50`, f, t))
		}
	}
	g.add("argtypes/quorum-server-named", `open ;; qd - durable args={x-queue-type:"quorum"}`)
	g.add("argtypes/stream-server-named", `open ;; qd - durable args={x-queue-type:"stream"}`)
}

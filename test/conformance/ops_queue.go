package conformance

import (
	"fmt"
	"time"
)

// opDrain gets everything, without acknowledgement.
func opDrain(r *Run, s *statement) {
	c := r.conn(s.conn)
	for range 1000 {
		r.cs(s.conn, s.ch).getNA = true
		c.send(methodFrame(s.ch, "basic.get", Args{"queue": str(s.arg(0)), "no-ack": true}))
		e := r.await(c, s.ch, specs["basic.get"])
		if e == nil || e.kind != evMethod || e.m.name != "basic.get-ok" {
			break
		}
	}
}

func opStatus(r *Run, s *statement) {
	c := r.conn(s.conn)
	c.send(methodFrame(s.ch, "queue.declare", Args{"queue": str(s.arg(0)), "passive": true}))
	r.await(c, s.ch, specs["queue.declare"])
}

// opPoll waits until the counts of a queue are so: poll Q messages [consumers].
func opPoll(r *Run, s *statement) {
	c := r.conn(s.conn)
	want := uint64(s.number(1))
	for i := range 100 {
		c.send(methodFrame(s.ch, "queue.declare", Args{"queue": str(s.arg(0)), "passive": true}))
		n := len(r.trace)
		last := r.await(c, s.ch, specs["queue.declare"])
		if last == nil || last.kind != evMethod || last.m.name != "queue.declare-ok" || i == 99 {
			break
		}
		if num(last.args["message-count"]) == want && (s.arg(2) == "" || fmt.Sprint(last.args["consumer-count"]) == s.arg(2)) {
			break
		}
		r.trace = r.trace[:n]
		time.Sleep(40 * time.Millisecond)
	}
}

// opGone waits until a queue no longer exists, on a channel of its own.
func opGone(r *Run, s *statement) {
	const helper = 999
	c := r.conn(s.conn)
	for i := range 120 {
		n := len(r.trace)
		r.openCh(c, helper)
		c.send(methodFrame(helper, "queue.declare", Args{"queue": str(s.arg(0)), "passive": true}))
		e := r.await(c, helper, specs["queue.declare"])
		if e == nil || e.kind != evMethod || e.m.name == "channel.close" || i == 119 {
			break
		}
		r.trace = r.trace[:n]
		c.send(methodFrame(helper, "channel.close", nil))
		r.await(c, helper, specs["channel.close"])
		r.trace = r.trace[:n]
		time.Sleep(50 * time.Millisecond)
	}
}

// opSettle settles the k-th outstanding delivery, whatever its tag: for the
// random sequences.
func opSettle(r *Run, s *statement) {
	st := r.cs(s.conn, s.ch)
	if len(st.out) == 0 {
		return
	}
	k := s.number(0) % len(st.out)
	multiple, requeue := false, true
	for _, t := range s.args[1:] {
		if t.v == "multiple" && s.op != "rejk" {
			multiple = true
		}
		if t.k == "requeue" && t.v == "false" {
			requeue = false
		}
	}
	name := map[string]string{"ackk": "basic.ack", "nackk": "basic.nack", "rejk": "basic.reject"}[s.op]
	r.conn(s.conn).send(methodFrame(s.ch, name, Args{"delivery-tag": st.out[k], "multiple": multiple, "requeue": requeue}))
	if multiple {
		st.out = append([]uint64(nil), st.out[k+1:]...)
	} else {
		st.out = append(append([]uint64(nil), st.out[:k]...), st.out[k+1:]...)
	}
}

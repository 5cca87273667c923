package meta

import (
	"slices"
	"strconv"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

func rsQueue(vhost, name string) string { return "queue '" + name + "' in vhost '" + vhost + "'" }

// Queue types.
const (
	Classic = "classic"
	Quorum  = "quorum"
	Stream  = "stream"
)

// CheckAccess refuses a queue that is exclusive to another connection than conn.
func CheckAccess(q *Queue, conn string) error {
	if !q.Exclusive || q.Owner == conn {
		return nil
	}
	return locked(q.VHost, q.Name)
}

// checkNameLength refuses names that have no room in AMQP's short strings, which
// the HTTP API and definitions could bring.
func checkNameLength(kind, name string) error {
	if len(name) > 255 {
		return errf(PreconditionFailed, "%s should be less than 255 bytes, actually was %d\n", kind, len(name))
	}
	return nil
}

func locked(vhost, name string) *Error {
	return errf(ResourceLocked, "cannot obtain exclusive access to locked %s. It could be originally declared on "+
		"another connection or the exclusive property value does not match that of the original declaration.", rsQueue(vhost, name))
}

// CheckQueue is what is refused before permissions are looked at: reserved
// names, and types that the server makes no names for. The name of a command
// with Generated may still be missing.
func (s *State) CheckQueue(c *DeclareQueue) error {
	if err := checkNameLength("queue", c.Name); err != nil {
		return err
	}
	if !c.Generated {
		if reserved(c.Name) {
			return errf(AccessRefused, "queue name '%s' contains reserved prefix 'amq.*'", c.Name)
		}
		return nil
	}
	if t := queueType(s.withDefaultType(c)); t == Quorum || t == Stream {
		return errf(PreconditionFailed, "Cannot declare a server-named queue for type rabbit_%s_queue", t)
	}
	return nil
}

// CheckNewQueue is what is refused of a queue that is not there, between the
// permission to declare it and those on its dead-letter exchange.
func (s *State) CheckNewQueue(c *DeclareQueue) error {
	v := s.vhost(c.VHost)
	if v == nil {
		return noVHost(c.VHost)
	}
	if n, ok := v.info.Limits["max-queues"]; ok && n >= 0 && int64(len(v.queues)) >= n {
		return errf(PreconditionFailed, "cannot declare queue '%s': queue limit in vhost '%s' (%d) is reached", c.Name, c.VHost, n)
	}
	if n := s.opt.MaxQueues; n > 0 && len(s.byID) >= n {
		return errf(PreconditionFailed, "cannot declare queue '%s': queue limit in cluster (%d) is reached", c.Name, n)
	}
	if d, ok := c.Args.Get("x-dead-letter-exchange"); ok && d.Code() != 'S' {
		return errf(PreconditionFailed, "invalid type '%s' for arg 'x-dead-letter-exchange' in %s", d.Type(), rsQueue(c.VHost, c.Name))
	}
	return nil
}

// DeadLetterExchange returns the one of the arguments. Declaring a new queue
// with one needs read permission on the queue and write on the exchange.
func (m *DeclareQueue) DeadLetterExchange() (string, bool) {
	return str(m.Args, "x-dead-letter-exchange")
}

// withDefaultType returns the arguments with the type that the virtual host
// gives to queues that say none, if the queue can be of it.
func (s *State) withDefaultType(c *DeclareQueue) Args {
	v := s.vhost(c.VHost)
	if v == nil {
		return c.Args
	}
	t := v.info.DefaultQueueType
	if t == "" || t == "undefined" {
		t = s.opt.DefaultQueueType
	}
	if t == "" {
		return c.Args
	}
	if _, ok := c.Args.Get("x-queue-type"); ok {
		return c.Args
	}
	if t == Classic || c.Durable && !c.Exclusive && !c.AutoDelete {
		return c.Args.Set("x-queue-type", wire.String(t))
	}
	return c.Args
}

// queueType is that of the arguments, classic if they say nothing.
func queueType(a Args) string {
	if t, ok := str(a, "x-queue-type"); ok {
		return t
	}
	return Classic
}

func (s *State) declareQueue(c *DeclareQueue, r *Result) error {
	v := s.vhost(c.VHost)
	if v == nil {
		return noVHost(c.VHost)
	}
	if err := c.Args.Check(); err != nil {
		return errf(InternalError, "%v", err)
	}
	args, durable := c.Args, c.Durable && !c.Exclusive
	if !s.replaying {
		if err := s.CheckQueue(c); err != nil {
			return err
		}
		args = s.withDefaultType(c)
	}
	if q := v.queues[c.Name]; q != nil {
		if s.replaying {
			return nil
		}
		r.Existed, r.Queue = true, q.q
		return sameQueue(q.q, c, durable, args)
	}
	if !s.replaying {
		if err := s.checkNewQueue(v, c, durable, args); err != nil {
			return err
		}
	}
	if c.ID == 0 || s.byID[c.ID] != nil {
		return errf(InternalError, "queue id %d is not new", c.ID)
	}
	q := &Queue{VHost: c.VHost, Name: c.Name, ID: c.ID, Type: queueType(args), Durable: durable, AutoDelete: c.AutoDelete,
		Exclusive: c.Exclusive, Args: slices.Clone(args), User: c.User}
	if c.Exclusive {
		q.Owner = c.Owner
	}
	q.Policy, q.OperatorPolicy = v.matchQueue(q)
	q.Effective = effective(q, s.opt.DefaultDeliveryLimit)
	n := &queueNode{q: q}
	v.queues[q.Name] = n
	v.qorder.set(q.Name, n)
	s.byID[q.ID] = n
	s.maxID = max(s.maxID, q.ID)
	if q.Exclusive {
		o := s.owned[q.Owner]
		if o == nil {
			o = map[*queueNode]struct{}{}
			s.owned[q.Owner] = o
		}
		o[n] = struct{}{}
	}
	r.Queue = q
	r.add(Change{Kind: QueueDeclared, VHost: c.VHost, Queue: q})
	if durable {
		log := *c
		log.Args, log.Owner = q.Args, "" // with the type that the virtual host gave
		r.log(&log)
	}
	return nil
}

func sameQueue(q *Queue, c *DeclareQueue, durable bool, args Args) error {
	name := rsQueue(c.VHost, c.Name)
	if q.Exclusive != c.Exclusive || q.Exclusive && q.Owner != c.Owner {
		return locked(c.VHost, c.Name)
	}
	if err := sameBool("durable", name, durable, q.Durable); err != nil {
		return err
	}
	if err := sameBool("auto_delete", name, c.AutoDelete, q.AutoDelete); err != nil {
		return err
	}
	for _, key := range queueArgs[q.Type] {
		if err := sameArg(key, name, args, q.Args); err != nil {
			return err
		}
	}
	return nil
}

func (s *State) checkNewQueue(v *vhost, c *DeclareQueue, durable bool, args Args) error {
	name := rsQueue(c.VHost, c.Name)
	if err := s.CheckNewQueue(c); err != nil {
		return err
	}
	t, err := checkQueueArgs(name, args)
	if err != nil {
		return err
	}
	if t != Classic {
		if c.AutoDelete {
			return errf(PreconditionFailed, "invalid property 'auto-delete' for %s", name)
		}
		if c.Exclusive {
			return errf(PreconditionFailed, "invalid property 'exclusive-owner' for %s", name)
		}
		if !durable {
			return errf(PreconditionFailed, "invalid property 'non-durable' for %s", name)
		}
	}
	if n, _ := argInt(args, "x-stream-max-segment-size-bytes"); t == Stream && n > maxSegment {
		return errf(PreconditionFailed, "Exceeded max value for x-stream-max-segment-size-bytes")
	}
	return nil
}

// maxSegment is the largest x-stream-max-segment-size-bytes.
const maxSegment = 3_000_000_000

func (s *State) deleteQueue(c *DeleteQueue, r *Result) error {
	v := s.vhost(c.VHost)
	if v == nil {
		if s.replaying {
			return nil
		}
		return noVHost(c.VHost)
	}
	n := v.queues[c.Name]
	if n == nil || c.ID != 0 && c.ID != n.q.ID {
		return nil
	}
	if !s.replaying && !c.Internal {
		if err := CheckAccess(n.q, c.Conn); err != nil {
			return err
		}
	}
	r.Existed, r.Queue = true, n.q
	if n.q.Durable {
		r.log(&DeleteQueue{VHost: c.VHost, Name: c.Name, ID: n.q.ID})
	}
	sources := v.dropBindingsTo(&n.to, r)
	s.forgetQueue(v, n)
	r.add(Change{Kind: QueueDeleted, VHost: c.VHost, Queue: n.q})
	s.autoDelete(v, sources, r)
	return nil
}

func (s *State) forgetQueue(v *vhost, n *queueNode) {
	delete(v.queues, n.q.Name)
	v.qorder.delete(n.q.Name)
	delete(s.byID, n.q.ID)
	if n.q.Exclusive {
		o := s.owned[n.q.Owner]
		if delete(o, n); len(o) == 0 {
			delete(s.owned, n.q.Owner)
		}
	}
}

// inequivalent is the error of a redeclaration that differs.
func inequivalent(key, name, received, current string) error {
	return errf(PreconditionFailed, "inequivalent arg '%s' for %s: received %s but current is %s", key, name, received, current)
}

func sameBool(key, name string, received, current bool) error {
	if received == current {
		return nil
	}
	return inequivalent(key, name, "'"+strconv.FormatBool(received)+"'", "'"+strconv.FormatBool(current)+"'")
}

// sameArg compares one argument as rabbit_misc:assert_args_equivalence does.
func sameArg(key, name string, received, current Args) error {
	n, hasN := received.Get(key)
	o, hasO := current.Get(key)
	switch {
	case !hasN && !hasO:
		return nil
	case hasN && hasO:
		if n.class() == o.class() && n.same(o) {
			return nil
		}
		if n.binary() && o.binary() && n.plain() == o.plain() {
			return nil // in Erlang both are binaries
		}
		return inequivalent(key, name, "'"+n.plain()+"'", "'"+o.plain()+"'")
	case key == "x-queue-type" && (hasN && queueType(received) == Classic || hasO && queueType(current) == Classic):
		return nil
	case hasN:
		return inequivalent(key, name, n.described(), "none")
	}
	return inequivalent(key, name, "none", o.described())
}

// plain is the value without quotes, as in inequivalent.
func (v Value) plain() string {
	if v.binary() {
		return string(v.Bytes())
	}
	return v.String()
}

func (v Value) described() string {
	return "the value '" + v.plain() + "' of type '" + v.Type() + "'"
}

package broker

import (
	"crypto/rand"
	"encoding/base64"
	"errors"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queueproc"
)

// ExchangeSpec is a request to declare an exchange.
type ExchangeSpec struct {
	Name, Type                             string
	Passive, Durable, AutoDelete, Internal bool
	Args                                   meta.Args
}

// DeclareExchange makes an exchange, or checks that an equal one is there.
func (c *Client) DeclareExchange(s ExchangeSpec) error {
	v := c.vhost.Name
	if s.Passive {
		if s.Name == "" {
			return defaultExchange()
		}
		if c.vhost.Exchange(s.Name) == nil {
			return noExchange(s.Name, v)
		}
		return nil
	}
	cmd := &meta.DeclareExchange{
		VHost: v, Name: s.Name, Type: s.Type, Durable: s.Durable, AutoDelete: s.AutoDelete,
		Internal: s.Internal, Args: s.Args, User: c.User,
	}
	if err := c.mayDeclareExchange(cmd); err != nil {
		return c.deny(cmd, err)
	}
	_, err := c.apply(cmd)
	return err
}

// mayDeclareExchange refuses in RabbitMQ's order: what can never be declared,
// the permission, and, of an exchange that is not there, the rest.
func (c *Client) mayDeclareExchange(cmd *meta.DeclareExchange) error {
	if err := c.b.check(func(s *meta.State) error { return s.CheckExchange(cmd) }); err != nil {
		return err
	}
	if err := c.allowed(auth.Exchange, cmd.Name, auth.Configure); err != nil {
		return err
	}
	alt, ok := cmd.Alternate()
	if !ok || c.vhost.Exchange(cmd.Name) != nil {
		return nil
	}
	if err := meta.CheckNewExchange(cmd); err != nil {
		return coreError(err)
	}
	if err := c.allowed(auth.Exchange, cmd.Name, auth.Read); err != nil {
		return err
	}
	return c.allowed(auth.Exchange, alt, auth.Write)
}

// check looks at the definitions without changing them.
func (b *Broker) check(f func(*meta.State) error) (err error) {
	b.View(func(s *meta.State) { err = f(s) })
	return coreError(err)
}

func defaultExchange() *Error {
	return errf(AccessRefused, "operation not permitted on the default exchange")
}

// DeleteExchange deletes an exchange; one that is not there is no error.
func (c *Client) DeleteExchange(name string, ifUnused bool) error {
	cmd := &meta.DeleteExchange{VHost: c.vhost.Name, Name: name, IfUnused: ifUnused}
	if err := meta.CheckExchangeDelete(c.vhost.Name, name); err != nil {
		return c.deny(cmd, coreError(err))
	}
	if err := c.allowed(auth.Exchange, name, auth.Configure); err != nil {
		return c.deny(cmd, err)
	}
	_, err := c.apply(cmd)
	return err
}

// QueueSpec is a request to declare a queue.
type QueueSpec struct {
	Name                                    string // "": the server makes one up
	Passive, Durable, Exclusive, AutoDelete bool
	Args                                    meta.Args
}

// QueueState is the answer to a declaration.
type QueueState struct {
	Name                string
	Messages, Consumers int
}

// DeclareQueue makes a queue, or checks that an equal one is there.
func (c *Client) DeclareQueue(s QueueSpec) (QueueState, error) {
	if isReplyAddress(s.Name) || (s.Passive && s.Name == replyQueue) {
		if s.Name != replyQueue && !c.b.replyExists(s.Name) {
			return QueueState{}, noQueue(s.Name, c.vhost.Name)
		}
		return QueueState{Name: s.Name, Consumers: 1}, nil
	}
	if s.Passive {
		q, err := c.open(s.Name)
		if err != nil {
			return QueueState{}, err
		}
		q.Touch()
		return q.state(), nil
	}
	cmd := &meta.DeclareQueue{
		VHost: c.vhost.Name, Name: s.Name, Durable: s.Durable, AutoDelete: s.AutoDelete, Exclusive: s.Exclusive,
		Owner: c.ID, Args: s.Args, ID: c.b.nextID.Add(1), Generated: s.Name == "", User: c.User,
	}
	if cmd.Generated {
		s.Name = generatedName()
		cmd.Name = s.Name
	}
	if err := c.mayDeclareQueue(cmd); err != nil {
		return QueueState{}, c.deny(cmd, err)
	}
	c.b.churn.queuesDeclared.Add(1)
	res, err := c.apply(cmd)
	if err != nil {
		return QueueState{}, err
	}
	q, err := c.open(s.Name)
	if err != nil {
		return QueueState{}, err
	}
	if !res.Existed || q.Definition().Type != "quorum" {
		q.Touch()
	}
	return q.state(), nil
}

// mayDeclareQueue refuses in RabbitMQ's order: what can never be declared, the
// permission, and, of a queue that is not there, the rest.
func (c *Client) mayDeclareQueue(cmd *meta.DeclareQueue) error {
	if err := c.b.check(func(s *meta.State) error { return s.CheckQueue(cmd) }); err != nil {
		return err
	}
	if err := c.allowed(auth.Queue, cmd.Name, auth.Configure); err != nil {
		return err
	}
	dlx, ok := cmd.DeadLetterExchange()
	if !ok || c.vhost.Queue(cmd.Name) != nil {
		return nil
	}
	if err := c.b.check(func(s *meta.State) error { return s.CheckNewQueue(cmd) }); err != nil {
		return err
	}
	if err := c.allowed(auth.Queue, cmd.Name, auth.Read); err != nil {
		return err
	}
	return c.allowed(auth.Exchange, exchangeLabel(dlx), auth.Write)
}

func (q *Queue) state() QueueState {
	i := q.Info()
	return QueueState{Name: q.Name, Messages: i.Ready, Consumers: i.Consumers}
}

func generatedName() string {
	var raw [16]byte
	rand.Read(raw[:])
	return "amq.gen-" + base64.RawURLEncoding.EncodeToString(raw[:])
}

// DeleteQueue deletes a queue; one that is not there is no error. done is
// called with the number of messages that were ready, when the deletion is
// safe and before the consumers are cancelled.
func (c *Client) DeleteQueue(name string, ifUnused, ifEmpty bool, done func(messages int)) error {
	entry := AuditEntry{Action: "delete queue", VHost: c.vhost.Name, Object: name}
	if err := c.allowed(auth.Queue, name, auth.Configure); err != nil {
		return c.refused(entry, err)
	}
	q, err := c.open(name)
	if err != nil {
		var e *Error
		if errors.As(err, &e) && e.Kind == NotFound {
			done(0)
			return nil
		}
		return err
	}
	n, err := c.b.endQueue(q, ifUnused, ifEmpty)
	if err != nil {
		return err
	}
	c.did(entry)
	done(n)
	q.CancelConsumers()
	return nil
}

// endQueue deletes a queue and its definition, and returns how many messages
// were ready. It is the caller's to cancel the consumers.
func (b *Broker) endQueue(q *Queue, ifUnused, ifEmpty bool) (int, error) {
	if q.Definition().Type == "quorum" && (ifUnused || ifEmpty) {
		what := "if-unused"
		if !ifUnused {
			what = "if-empty"
		}
		return 0, errf(NotImplemented, "cannot delete %s. queue.delete operations with %s flag set are not supported by quorum queues", q.label(), what)
	}
	n, err := q.Delete(ifUnused, ifEmpty)
	switch {
	case errors.Is(err, queueproc.ErrInUse):
		return 0, errf(PreconditionFailed, "%s in use", q.label())
	case errors.Is(err, queueproc.ErrNotEmpty):
		return 0, errf(PreconditionFailed, "%s not empty", q.label())
	case errors.Is(err, queueproc.ErrDeleted):
		return 0, nil
	}
	_, err = b.apply(&meta.DeleteQueue{VHost: q.VHost, Name: q.Name, ID: q.ID, Internal: true})
	return n, err
}

func (q *Queue) label() string {
	return "queue '" + q.Name + "' in vhost '" + q.VHost + "'"
}

// deleteQueue deletes a queue on the broker's own account.
func (b *Broker) deleteQueue(q *Queue) {
	if _, err := q.Delete(false, false); err != nil {
		return
	}
	if _, err := b.apply(&meta.DeleteQueue{VHost: q.VHost, Name: q.Name, ID: q.ID, Internal: true}); err != nil {
		b.logger.Error("queue not deleted", "vhost", q.VHost, "queue", q.Name, "err", err)
	}
	q.CancelConsumers()
}

// Gone implements queueproc.Host: the queue's last consumer left, or it expired.
func (b *Broker) Gone(pq *queueproc.Queue, expired bool) {
	b.deleteQueue(pq.Owner.(*Queue))
}

// Failed implements queueproc.Host.
func (b *Broker) Failed(q *queueproc.Queue, err error) {
	b.logger.Error("message could not be read back", "vhost", q.VHost, "queue", q.Name, "err", err)
}

// PurgeQueue drops a queue's ready messages and returns their number.
func (c *Client) PurgeQueue(name string) (int, error) {
	entry := AuditEntry{Action: "purge queue", VHost: c.vhost.Name, Object: name}
	if err := c.allowed(auth.Queue, name, auth.Read); err != nil {
		return 0, c.refused(entry, err)
	}
	q, err := c.open(name)
	if err != nil {
		return 0, err
	}
	if err := q.NotForStreams("queue.purge"); err != nil {
		return 0, err
	}
	c.did(entry)
	return q.Purge(), nil
}

// BindSpec is a request to bind or unbind.
type BindSpec struct {
	Source   string
	DestKind meta.DestKind
	Dest     string
	Key      string
	Args     meta.Args
}

// Bind binds a queue or exchange to an exchange.
func (c *Client) Bind(s BindSpec) error {
	cmd := c.binding(&s)
	if err := c.mayBind(&s); err != nil {
		return c.deny(cmd, err)
	}
	_, err := c.apply(cmd)
	return err
}

// Unbind takes a binding away; one that is not there is no error.
func (c *Client) Unbind(s BindSpec) error {
	cmd := (*meta.Unbind)(c.binding(&s))
	if err := c.mayBind(&s); err != nil {
		return c.deny(cmd, err)
	}
	_, err := c.apply(cmd)
	return err
}

func (c *Client) binding(s *BindSpec) *meta.Bind {
	return &meta.Bind{VHost: c.vhost.Name, Source: s.Source, DestKind: s.DestKind, Dest: s.Dest, Key: s.Key, Args: s.Args, Conn: c.ID}
}

func (c *Client) mayBind(s *BindSpec) error {
	kind := auth.Queue
	if s.DestKind == meta.ToExchange {
		kind = auth.Exchange
	}
	if err := c.allowed(kind, s.Dest, auth.Write); err != nil {
		return err
	}
	if s.Source == "" || s.DestKind == meta.ToExchange && s.Dest == "" {
		return defaultExchange()
	}
	if err := c.allowed(auth.Exchange, s.Source, auth.Read); err != nil {
		return err
	}
	if x := c.vhost.Exchange(s.Source); x != nil && x.Type == topicType {
		if err := c.topicAllowed(s.Source, s.Key, auth.Read); err != nil {
			return err
		}
	}
	return nil
}

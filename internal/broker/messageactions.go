package broker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
)

// MessageAction is what is done with messages.
type MessageAction string

// The actions.
const (
	MoveMessages   MessageAction = "move"
	CopyMessages   MessageAction = "copy"
	DeleteMessages MessageAction = "delete"
	ReturnMessages MessageAction = "return" // dead letters, to the queue in which they died last
)

// MessageTarget is where messages go: into Queue as they are, or through an
// exchange, with the routing key that they have or another.
type MessageTarget struct {
	VHost      string // "": that of the source
	Queue      string
	Exchange   string
	RoutingKey string
	SetKey     bool
}

// MessageWork is a request to ActOnMessages.
type MessageWork struct {
	Action MessageAction
	Seqs   []uint64 // sequence numbers; nil: all that the filter accepts
	Filter MessageFilter
	Target MessageTarget
	Rate   int // messages per second at most; 0: no limit
	Limit  int // messages at most; 0: no limit
}

// MessageResult is what became of a MessageWork.
type MessageResult struct {
	Matched, Done, Failed int
	Reason                string // of the first failure
}

func (r *MessageResult) fail(err error) {
	r.Failed++
	if r.Reason == "" {
		r.Reason = err.Error()
	}
}

// actBatch is how many messages are out of their queue at a time.
const actBatch = 128

// ActOnMessages does something with ready messages of a queue, in their order.
// A message that has no place to go stays, or is put back. When ctx ends, what is
// done is done and the rest stays. It returns when what was done is durable.
func (b *Broker) ActOnMessages(ctx context.Context, a Actor, vhost, name string, w MessageWork) (MessageResult, error) {
	q, err := b.queueAt(vhost, name)
	if err != nil {
		return MessageResult{}, err
	}
	res, err := b.actOnMessages(ctx, q, &w)
	e := AuditEntry{Actor: a, Action: string(w.Action) + " messages", VHost: vhost, Object: name, Result: AuditOK,
		Detail: fmt.Sprintf("%d of %d%s", res.Done, res.Matched, w.Target.describe())}
	if err != nil {
		e.Result, e.Reason = AuditRefused, err.Error()
	}
	b.Audit(e)
	if err != nil || res.Done == 0 {
		return res, err
	}
	return res, b.barrier()
}

func (t *MessageTarget) describe() string {
	switch {
	case t.Queue != "":
		return fmt.Sprintf(" to queue %q", t.Queue)
	case t.Exchange != "" || t.SetKey:
		return fmt.Sprintf(" to exchange %q", t.Exchange)
	}
	return ""
}

func (b *Broker) actOnMessages(ctx context.Context, q *Queue, w *MessageWork) (res MessageResult, err error) {
	if q.Stream && w.Action != CopyMessages {
		return res, errf(PreconditionFailed, "%s is a stream: single messages cannot be taken out of it, only copied; old ones go by retention (x-max-age, x-max-length-bytes)", q.label())
	}
	var send func(*message.Message) (*queueproc.Pub, []*Queue, error)
	switch w.Action {
	case MoveMessages, CopyMessages:
		if send, err = b.sender(q, w.Target); err != nil {
			return res, err
		}
	case ReturnMessages:
		send = b.returner(q)
	case DeleteMessages:
	default:
		return res, errf(PreconditionFailed, "unknown action '%s'", w.Action)
	}
	seqs := slices.Clone(w.Seqs)
	if seqs == nil {
		if seqs, err = b.matching(ctx, q, w); err != nil {
			return res, err
		}
	}
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	if w.Limit > 0 {
		seqs = seqs[:min(len(seqs), w.Limit)]
	}
	pace := newPace(w.Rate)
	if w.Action == CopyMessages {
		return b.copyMessages(ctx, q, seqs, send, pace)
	}
	for len(seqs) > 0 {
		n := min(len(seqs), pace.batch)
		if err := pace.wait(ctx, n); err != nil {
			return res, nil
		}
		taken, err := q.Take(seqs[:n])
		if err != nil {
			return res, coreQueueError(q, err)
		}
		res.Matched += len(taken)
		for _, t := range taken {
			b.actOn(t, send, &res)
		}
		seqs = seqs[n:]
		if err := b.log.Throttle(ctx); err != nil {
			return res, nil
		}
	}
	return res, nil
}

// actOn ends one message that was taken out.
func (b *Broker) actOn(t *queueproc.Taken, send func(*message.Message) (*queueproc.Pub, []*Queue, error), res *MessageResult) {
	if send != nil {
		m, err := t.Message()
		if err == nil {
			err = b.sendTo(send, &m)
		}
		if err != nil {
			res.fail(err)
			t.PutBack()
			return
		}
	}
	t.Bury()
	res.Done++
}

func (b *Broker) sendTo(send func(*message.Message) (*queueproc.Pub, []*Queue, error), m *message.Message) error {
	pub, targets, err := send(m)
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		return errf(NotFound, "no queue takes the message")
	}
	one := []queueproc.Pub{*pub}
	if b.fanOut(targets, one); one[0].Refused {
		return errf(ResourceError, "refused: queue '%s' is full", targets[0].Name)
	}
	if !slices.ContainsFunc(targets, func(t *Queue) bool { return !t.Deleted() }) {
		return noQueue(targets[0].Name, targets[0].VHost) // it may have gone before the message came
	}
	return nil
}

// matching returns the sequence numbers of the ready messages that the filter
// accepts.
func (b *Broker) matching(ctx context.Context, q *Queue, w *MessageWork) (seqs []uint64, err error) {
	err = q.Browse(ctx, queueproc.ReadyOnly, 0, int(^uint(0)>>1), func(m queueproc.Browsed) bool {
		if f := (Found{Browsed: m}); f.matches(&w.Filter) {
			seqs = append(seqs, m.Item.Seq)
		}
		return w.Limit == 0 || len(seqs) < w.Limit
	}, nil)
	return seqs, coreQueueError(q, err)
}

func (b *Broker) copyMessages(ctx context.Context, q *Queue, seqs []uint64, send func(*message.Message) (*queueproc.Pub, []*Queue, error), pace *pace) (res MessageResult, err error) {
	if q.Stream {
		// It may be long, and what is wanted in its midst.
		for len(seqs) > 0 && err == nil {
			n := 1
			for n < len(seqs) && seqs[n]-seqs[n-1] < 256 {
				n++
			}
			first := uint64(q.Info().Stream.FirstOffset) + 1
			if last := seqs[n-1]; last >= first {
				offset := int(max(seqs[0], first) - first)
				err = b.copySome(ctx, q, seqs[:n], offset, int(last-first)+1-offset, send, pace, &res)
			}
			seqs = seqs[n:]
		}
		return res, err
	}
	err = b.copySome(ctx, q, seqs, 0, q.Info().Ready+q.Info().Unacked, send, pace, &res)
	return res, err
}

// copySome copies messages that are among the n from position offset on.
func (b *Broker) copySome(ctx context.Context, q *Queue, seqs []uint64, offset, n int, send func(*message.Message) (*queueproc.Pub, []*Queue, error), pace *pace, res *MessageResult) error {
	var failed error
	left := len(seqs)
	err := q.Browse(ctx, queueproc.ReadyThenUnacked, offset, n, func(m queueproc.Browsed) bool {
		if _, ok := slices.BinarySearch(seqs, m.Item.Seq); !ok {
			return true
		}
		if failed = pace.wait(ctx, 1); failed != nil {
			return false
		}
		res.Matched++
		if err := b.sendTo(send, &m.Message); err != nil {
			res.fail(err)
		} else {
			res.Done++
		}
		if failed = b.log.Throttle(ctx); failed != nil {
			return false
		}
		left--
		return left > 0
	}, nil)
	return coreQueueError(q, err)
}

func coreQueueError(q *Queue, err error) error {
	if err == queueproc.ErrDeleted {
		return noQueue(q.Name, q.VHost)
	}
	return err
}

// pace spreads work over time.
type pace struct {
	batch int
	each  time.Duration
	next  time.Time
}

func newPace(rate int) *pace {
	p := &pace{batch: actBatch}
	if rate > 0 {
		p.each = time.Second / time.Duration(rate)
		p.batch = min(actBatch, max(1, rate/10))
	}
	return p
}

// wait waits until n more are due.
func (p *pace) wait(ctx context.Context, n int) error {
	if p.each == 0 {
		return ctx.Err()
	}
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	t := time.NewTimer(p.next.Sub(now))
	defer t.Stop()
	p.next = p.next.Add(time.Duration(n) * p.each)
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

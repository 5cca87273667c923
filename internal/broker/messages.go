package broker

import (
	"context"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// Working with single messages: an operator looks at them where they wait, and
// moves, copies, deletes, changes or returns them. Nothing here is on the way of a
// message.

// Found is a message that BrowseMessages shows. It is valid during the call.
type Found struct {
	queueproc.Browsed
	Props wire.Properties
}

// BrowseOptions say what BrowseMessages shows.
type BrowseOptions struct {
	Which   queueproc.Which
	Offset  int // position of the first message that is looked at
	Count   int // messages shown at most
	MaxScan int // messages looked at at most; 0: DefaultMaxScan
	Filter  MessageFilter
}

// DefaultMaxScan bounds how many messages one search looks at.
const DefaultMaxScan = 100_000

// BrowseResult tells how far BrowseMessages came.
type BrowseResult struct {
	Total   int // messages of that kind in the queue
	Scanned int // looked at
	Next    int // position from which to go on
	More    bool
	Damaged int // could not be read
}

// BrowseMessages shows a queue's messages, of which nothing changes. The error
// is NotFound, or that of ctx.
func (b *Broker) BrowseMessages(ctx context.Context, vhost, name string, o BrowseOptions, use func(*Found)) (BrowseResult, error) {
	q, err := b.queueAt(vhost, name)
	if err != nil {
		return BrowseResult{}, err
	}
	i := q.Info()
	res := BrowseResult{Next: o.Offset}
	switch o.Which {
	case queueproc.ReadyOnly:
		res.Total = i.Ready + i.Delayed
	case queueproc.UnackedOnly:
		res.Total = i.Unacked
	default:
		res.Total = i.Ready + i.Delayed + i.Unacked
	}
	if o.MaxScan <= 0 {
		o.MaxScan = DefaultMaxScan
	}
	scan := o.MaxScan
	if o.Filter.empty() {
		scan = min(scan, o.Count)
	}
	shown := 0
	err = q.Browse(ctx, o.Which, o.Offset, scan, func(m queueproc.Browsed) bool {
		res.Scanned++
		res.Next = m.Position + 1
		if f := (&Found{Browsed: m}); f.matches(&o.Filter) {
			use(f)
			shown++
		}
		return shown < o.Count
	}, func(uint64, error) { res.Damaged++ })
	res.More = res.Next < res.Total
	if err == queueproc.ErrDeleted {
		return res, noQueue(name, vhost)
	}
	return res, err
}

// LookAtMessage shows one message of a queue, of which nothing changes. The
// error is NotFound if the queue or the message is not there.
func (b *Broker) LookAtMessage(vhost, name string, seq uint64, use func(*Found)) error {
	q, err := b.queueAt(vhost, name)
	if err != nil {
		return err
	}
	ok, err := q.Look(seq, func(m queueproc.Browsed) {
		f := &Found{Browsed: m}
		f.matches(&MessageFilter{})
		use(f)
	})
	if err == nil && !ok {
		err = errf(NotFound, "no message %d in %s", seq, q.label())
	}
	return coreQueueError(q, err)
}

// Permitted checks a permission of a user who is no client.
func (b *Broker) Permitted(user, vhost string, kind auth.Kind, name string, p auth.Permission) error {
	c, err := b.auth.Checker(user, vhost, nil)
	if err == nil {
		err = c.Check(kind, name, p)
	}
	return coreAuthError(err)
}

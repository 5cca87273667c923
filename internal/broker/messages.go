package broker

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// Working with single messages: an operator looks at them where they wait, and
// moves, copies, deletes, changes or returns them. Nothing here is on the way of a
// message.

// MessageFilter says which messages are meant. An empty field means any.
type MessageFilter struct {
	Text       string            // in the body, whatever the case of ASCII letters
	Headers    map[string]string // header and its value as text; "": it is there
	Properties map[string]string // property ("correlation_id" …, "exchange", "routing_key") and its value
	Reason     string            // of the last death: rejected, expired, maxlen, delivery_limit
	From, To   int64             // when it came into the queue, ms since 1970; To exclusive

	fold []byte // scratch
}

func (f *MessageFilter) empty() bool {
	return f.Text == "" && len(f.Headers) == 0 && len(f.Properties) == 0 && f.Reason == "" && f.From == 0 && f.To == 0
}

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
		res.Total = i.Ready
	case queueproc.UnackedOnly:
		res.Total = i.Unacked
	default:
		res.Total = i.Ready + i.Unacked
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

// matches reads the properties and reports whether the filter accepts.
func (f *Found) matches(w *MessageFilter) bool {
	var err error
	if f.Props, err = wire.ParseProperties(f.Message.Props); err != nil {
		f.Props = wire.Properties{}
	}
	if w.From != 0 && f.Item.Time < w.From || w.To != 0 && f.Item.Time >= w.To {
		return false
	}
	for k, want := range w.Properties {
		if got, ok := f.property(k); !ok || want != "" && got != want {
			return false
		}
	}
	for k, want := range w.Headers {
		v, ok := f.Props.Headers.Get(k)
		if !ok || want != "" && headerText(v) != want {
			return false
		}
	}
	if w.Reason != "" {
		d := deaths(&f.Props.Headers)
		if len(d) == 0 || d[0].reason != w.Reason {
			return false
		}
	}
	if w.Text == "" {
		return true
	}
	var ok bool
	ok, w.fold = containsFold(f.Message.Body, w.Text, w.fold)
	return ok
}

func headerText(v wire.Value) string {
	if s, ok := wire.AsString(v); ok {
		return s
	}
	if n, ok := wire.AsInt64(v); ok {
		return strconv.FormatInt(n, 10)
	}
	return fmt.Sprint(v)
}

// containsFold reports whether text is in b, whatever the case of ASCII letters.
// fold is scratch.
func containsFold(b []byte, text string, fold []byte) (bool, []byte) {
	fold = append(fold[:0], b...)
	for i, c := range fold {
		if c-'A' < 26 {
			fold[i] = c + ('a' - 'A')
		}
	}
	return bytes.Contains(fold, []byte(lowerASCII(text))), fold
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}

// property returns a property, or where the message was published to, as text.
func (f *Found) property(name string) (string, bool) {
	p := &f.Props
	switch name {
	case "exchange":
		return string(f.Message.Exchange), true
	case "routing_key":
		return string(f.Message.RoutingKey), true
	case "content_type":
		return p.ContentType, p.Has(wire.FlagContentType)
	case "content_encoding":
		return p.ContentEncoding, p.Has(wire.FlagContentEncoding)
	case "delivery_mode":
		return strconv.Itoa(int(p.DeliveryMode)), p.Has(wire.FlagDeliveryMode)
	case "priority":
		return strconv.Itoa(int(p.Priority)), p.Has(wire.FlagPriority)
	case "correlation_id":
		return p.CorrelationID, p.Has(wire.FlagCorrelationID)
	case "reply_to":
		return p.ReplyTo, p.Has(wire.FlagReplyTo)
	case "expiration":
		return p.Expiration, p.Has(wire.FlagExpiration)
	case "message_id":
		return p.MessageID, p.Has(wire.FlagMessageID)
	case "timestamp":
		return strconv.FormatUint(uint64(p.Timestamp), 10), p.Has(wire.FlagTimestamp)
	case "type":
		return p.Type, p.Has(wire.FlagType)
	case "user_id":
		return p.UserID, p.Has(wire.FlagUserID)
	case "app_id":
		return p.AppID, p.Has(wire.FlagAppID)
	case "cluster_id":
		return p.ClusterID, p.Has(wire.FlagClusterID)
	}
	return "", false
}

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

// sender returns how a message is sent to t.
func (b *Broker) sender(from *Queue, t MessageTarget) (func(*message.Message) (*queueproc.Pub, []*Queue, error), error) {
	v := from.vhost
	if t.VHost != "" {
		if v = b.VHost(t.VHost); v == nil {
			return nil, errf(NotFound, "vhost '%s' not found", t.VHost)
		}
	}
	if t.Queue != "" {
		q := v.Queue(t.Queue)
		if q == nil {
			return nil, noQueue(t.Queue, v.Name)
		}
		return func(m *message.Message) (*queueproc.Pub, []*Queue, error) {
			pub, err := republished(m)
			return pub, []*Queue{q}, err
		}, nil
	}
	var x *Exchange
	if t.Exchange != "" {
		if x = v.Exchange(t.Exchange); x == nil {
			return nil, noExchange(t.Exchange, v.Name)
		}
	}
	return func(m *message.Message) (*queueproc.Pub, []*Queue, error) {
		pub, err := republished(m)
		if err != nil {
			return nil, nil, err
		}
		pub.Msg.Exchange = []byte(t.Exchange)
		if t.SetKey {
			pub.Msg.RoutingKey = []byte(t.RoutingKey)
		}
		view, err := wire.ParsePropertiesView(m.Props)
		if err != nil {
			return nil, nil, err
		}
		table, _ := view.Headers()
		var r router
		return pub, r.route(v, x, pub.Msg.RoutingKey, nil, r.headers(table)), nil
	}, nil
}

// republished is m as it is published anew. Its own time to live begins again.
func republished(m *message.Message) (*queueproc.Pub, error) {
	view, err := wire.ParsePropertiesView(m.Props)
	if err != nil {
		return nil, err
	}
	pub := &queueproc.Pub{Msg: *m, Persistent: view.Persistent()}
	pub.Priority, _ = view.Priority()
	if s, ok := view.Expiration(); ok {
		ms, err := parseExpiration(s)
		if err != nil {
			return nil, err
		}
		pub.Expiry = nowMillis() + ms
	}
	return pub, nil
}

// returner sends a dead letter back to the queue in which it died last, as it
// was published then. Its history stays with it.
func (b *Broker) returner(from *Queue) func(*message.Message) (*queueproc.Pub, []*Queue, error) {
	return func(m *message.Message) (*queueproc.Pub, []*Queue, error) {
		props, err := wire.ParseProperties(m.Props)
		if err != nil {
			return nil, nil, err
		}
		history := deaths(&props.Headers)
		if len(history) == 0 {
			return nil, nil, errf(PreconditionFailed, "the message is no dead letter")
		}
		d := history[0]
		q := from.vhost.Queue(d.queue)
		if q == nil {
			return nil, nil, noQueue(d.queue, from.VHost)
		}
		if s, ok := d.raw.Get("original-expiration"); ok {
			props.Expiration, _ = wire.AsString(s)
		}
		back := *m
		back.Props = props.Append(nil)
		pub, err := republished(&back)
		if err != nil {
			return nil, nil, err
		}
		if s, ok := d.raw.Get("exchange"); ok {
			x, _ := wire.AsString(s)
			pub.Msg.Exchange = []byte(x)
		}
		if keys := headerStrings(d.raw, "routing-keys"); len(keys) > 0 {
			pub.Msg.RoutingKey = []byte(keys[0])
		}
		return pub, []*Queue{q}, nil
	}
}

// EditMessage puts another message in the place of a ready one: it is published to the
// target (the queue itself if that is empty), and then the old one goes.
func (b *Broker) EditMessage(ctx context.Context, a Actor, vhost, name string, seq uint64, props wire.Properties, body []byte, t MessageTarget) error {
	q, err := b.queueAt(vhost, name)
	if err != nil {
		return err
	}
	err = b.editMessage(a, q, seq, props, body, t)
	e := AuditEntry{Actor: a, Action: "edit message", VHost: vhost, Object: name, Result: AuditOK, Detail: fmt.Sprintf("message %d%s", seq, t.describe())}
	if err != nil {
		e.Result, e.Reason = AuditRefused, err.Error()
	}
	b.Audit(e)
	if err != nil {
		return err
	}
	return b.barrier()
}

func (b *Broker) editMessage(a Actor, q *Queue, seq uint64, props wire.Properties, body []byte, t MessageTarget) error {
	if q.Stream {
		return errf(PreconditionFailed, "%s is a stream: its messages cannot be changed", q.label())
	}
	if int64(len(body)) > b.cfg.MaxMessageSize {
		return errf(PreconditionFailed, "message size %d is larger than configured max size %d", len(body), b.cfg.MaxMessageSize)
	}
	if t == (MessageTarget{}) {
		t.Queue = q.Name
	}
	send, err := b.sender(q, t)
	if err != nil {
		return err
	}
	taken, err := q.Take([]uint64{seq})
	if err != nil {
		return coreQueueError(q, err)
	}
	if len(taken) == 0 {
		return errf(NotFound, "no ready message %d in %s", seq, q.label())
	}
	old, err := taken[0].Message()
	if err == nil {
		err = mayClaim(a, &props, &old)
	}
	if err == nil {
		err = b.sendTo(send, &message.Message{Exchange: old.Exchange, RoutingKey: old.RoutingKey, Props: props.Append(nil), Body: body})
	}
	if err != nil {
		taken[0].PutBack()
		return err
	}
	taken[0].Bury()
	return nil
}

// barrier returns when everything that was appended before is durable.
func (b *Broker) barrier() error {
	pos := b.log.Append(kindMark, 0, true, nil, nil, nil)
	if pos == 0 {
		return errf(InternalError, "the store has failed: %v", b.log.Err())
	}
	return b.sync(pos)
}

// mayClaim refuses a user-id that neither was the message's nor is the editor's.
func mayClaim(a Actor, props *wire.Properties, old *message.Message) error {
	if !props.Has(wire.FlagUserID) || props.UserID == a.User {
		return nil
	}
	if was, err := wire.ParseProperties(old.Props); err == nil && was.UserID == props.UserID {
		return nil
	}
	return errf(PreconditionFailed, "user_id property set to '%s' but authenticated user was '%s'", props.UserID, a.User)
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

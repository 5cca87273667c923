package broker

import (
	"crypto/rand"
	"encoding/base64"
	"strings"

	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
)

// Direct reply-to: a consumer of the pseudo-queue amq.rabbitmq.reply-to makes
// its channel reachable at an address that only its requests carry. A message
// to the address goes straight to the channel; there is no queue.
const (
	replyQueue  = "amq.rabbitmq.reply-to"
	replyPrefix = replyQueue + "."
)

type replyTarget struct {
	address  string
	consumer *queueproc.Consumer
	out      Outlet
}

// IsReplyQueue reports whether name is that of the direct reply-to pseudo-queue.
func IsReplyQueue(name string) bool { return name == replyQueue }

func isReplyAddress(key string) bool {
	return len(key) > len(replyPrefix) && strings.HasPrefix(key, replyPrefix)
}

// ConsumeReplies makes the channel the target of replies to its requests.
func (ch *Channel) ConsumeReplies(tag string, noAck bool, user any, attached func(*queueproc.Consumer)) (*queueproc.Consumer, error) {
	if ch.reply != nil {
		return nil, errf(PreconditionFailed, "reply consumer already set")
	}
	if !noAck {
		return nil, errf(PreconditionFailed, "reply consumer cannot acknowledge")
	}
	var raw [18]byte
	rand.Read(raw[:])
	cons := &queueproc.Consumer{Sink: ch.out, User: user}
	cons.Tag, cons.NoAck = tag, true
	ch.reply = &replyTarget{address: replyPrefix + base64.RawURLEncoding.EncodeToString(raw[:]), consumer: cons, out: ch.out}
	if attached != nil {
		attached(cons)
	}
	ch.c.b.replies.Store(ch.reply.address, ch.reply)
	return cons, nil
}

// CancelReplies ends it.
func (ch *Channel) CancelReplies() {
	if ch.reply != nil {
		ch.c.b.replies.Delete(ch.reply.address)
		ch.reply = nil
	}
}

// deliverReply hands a message to the channel behind an address. It reports
// whether there is one.
func (b *Broker) deliverReply(address string, m *message.Message) bool {
	t, ok := b.replies.Load(address)
	if !ok {
		return false
	}
	target := t.(*replyTarget)
	if target.out.Overdue() {
		return false // it asks and does not listen
	}
	target.out.Deliver(target.consumer, queueproc.Delivery{}, m)
	target.out.Flush()
	return true
}

// replyExists reports whether somebody waits at the address.
func (b *Broker) replyExists(address string) bool {
	_, ok := b.replies.Load(address)
	return ok
}

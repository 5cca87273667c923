package api

import (
	"fmt"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/stats"
)

// Verdicts of a Why.
const (
	verdictEmpty    = "empty"          // nothing waits
	verdictNobody   = "no_consumers"   // nobody consumes
	verdictFlowing  = "delivering"     // somebody can take messages
	verdictHindered = "hindered"       // messages wait and nobody can take one
	verdictUnacked  = "unacknowledged" // all that is there is delivered
)

// queueWhy says why a queue's consumers get nothing.
func (a *API) queueWhy(rq *Request) error {
	q, err := rq.findQueue()
	if err != nil {
		return err
	}
	return rq.Reply(a.why(rq, q))
}

func (a *API) why(rq *Request, q *broker.Queue) apitype.Why {
	i := q.Info()
	w := apitype.Why{Reasons: []apitype.Reason{}}
	say := func(code, consumer, format string, args ...any) {
		w.Reasons = append(w.Reasons, apitype.Reason{Code: code, Consumer: consumer, Text: fmt.Sprintf(format, args...)})
	}
	consumers := q.Consumers()
	if i.Ready == 0 {
		w.Verdict = verdictEmpty
		say("queue_empty", "", "No message is ready in the queue.")
		flowing := a.Stats.Queue(q, stats.Ranges{}).Rate(stats.DeliverGet) > 0
		if flowing {
			w.Verdict = verdictFlowing
		} else if i.Unacked > 0 {
			w.Verdict = verdictUnacked
			say("all_unacknowledged", "", "%s delivered and wait to be acknowledged. Look at the consumers that hold them.", messages(i.Unacked))
		}
		if i.Delayed > 0 {
			say("delayed_retry", "", "%s came back and delayed until tried again, the first until %s.", messages(i.Delayed), time.UnixMilli(i.DelayedFirst).UTC().Format(time.RFC3339))
		}
		a.whyNothingComes(q, say)
		return w
	}
	if len(consumers) == 0 {
		w.Verdict = verdictNobody
		if q.Stream {
			say("no_readers", "", "Nobody reads the stream. Its messages stay there as long as its retention says.")
			return w
		}
		say("no_consumers", "", "%s ready, and the queue has no consumers. Start one.", messages(i.Ready))
		return w
	}
	free := 0
	at := rq.where()
	for _, c := range consumers {
		if a.whyNot(&c, at[c.Channel], say) {
			free++
		}
	}
	switch {
	case free == 0:
		w.Verdict = verdictHindered
	case !q.Stream && q.HeadOnDisk():
		w.Verdict = verdictFlowing
		say("reading_from_disk", "", "The message that is next is on disk and is being read.")
	case free < len(consumers):
		w.Verdict = verdictFlowing
		say("delivering_to_others", "", "The other consumers can take messages: %d of %d.", free, len(consumers))
	default:
		w.Verdict = verdictFlowing
		say("delivering", "", "Consumers can take messages: %d of %d.", free, len(consumers))
	}
	return w
}

func messages(n int) string {
	if n == 1 {
		return "1 message is"
	}
	return fmt.Sprintf("%d messages are", n)
}

// whyNot says what keeps a consumer from messages. It reports true if nothing does.
func (a *API) whyNot(c *broker.ConsumerInfo, r *chanRef, say func(code, consumer, format string, args ...any)) bool {
	switch {
	case !c.Active:
		say("single_active_waiting", c.Tag, "The queue has a single active consumer, and it is another one. This one takes over when that one goes.")
	case c.Full:
		say("prefetch_full", c.Tag, "It has %d unacknowledged messages, which is its prefetch. It must acknowledge some.", c.Unacked)
	case c.Gated && channelFull(c, r):
		say("channel_prefetch_full", c.Tag, "Its channel has as many unacknowledged messages as its global prefetch allows.")
	case c.Gated:
		say("connection_full", c.Tag, "Its connection does not read: %d bytes wait to be sent. The client, or the network, is too slow.", pending(r))
	default:
		return true
	}
	return false
}

func channelFull(c *broker.ConsumerInfo, r *chanRef) bool {
	if r == nil {
		return false
	}
	cs, ok := r.ch.Outlet().(broker.ChannelSession)
	if !ok {
		return false
	}
	i := cs.Info()
	return i.GlobalPrefetch > 0 && i.Unacked >= i.GlobalPrefetch
}

func pending(r *chanRef) int64 {
	if r == nil {
		return 0
	}
	t := r.Traffic()
	return t.SendPending
}

// whyNothingComes looks at the publishers' side of an empty queue.
func (a *API) whyNothingComes(q *broker.Queue, say func(code, consumer, format string, args ...any)) {
	if why := a.Broker.Blocked(); why != "" {
		say("publishers_blocked", "", "Publishers are blocked: %s.", why)
	}
	f := a.Stats.Queue(q, stats.Ranges{})
	switch {
	case q.Info().Counters.Published == 0:
		say("nothing_published", "", "Nothing has been published to the queue since the node started. Look at its bindings.")
	case f != nil && f.Rate(stats.Publish) == 0 && int64(q.Info().Counters.Published) == f.Value(stats.Publish):
		say("nothing_published_lately", "", "Nothing has been published to the queue in the last seconds.")
	case f.Rate(stats.Publish) > 0:
		say("keeps_up", "", "%.1f messages come per second, and the consumers keep up.", f.Rate(stats.Publish))
	}
}

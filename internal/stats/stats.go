// Package stats samples what the core counts, so that rates and charts can be
// shown. One goroutine (Sampler.Run) looks at all objects every few seconds;
// nothing is done per message.
//
// The histories keep changes only, as differences in a few bytes: an object at
// rest costs its present figures and no more. If all of them together would
// outgrow their bound, those of single objects become shorter.
//
// Figures are read with Sampler.Node, VHost, Queue and so on: the last value,
// the rate over the last interval, and samples of a time that Range asks for.
package stats

// Metric is something that is sampled.
type Metric uint8

const (
	Ready Metric = iota
	Unacked
	Messages
	Publish
	Confirm
	DropUnroutable
	ReturnUnroutable
	Deliver
	DeliverNoAck
	Get
	GetNoAck
	GetEmpty
	DeliverGet
	Redeliver
	Ack
	Stalled // ms in which no consumer of a queue could take what was ready
	PublishIn
	PublishOut
	DiskReads
	DiskWrites
	RecvOct
	SendOct
	ConnectionCreated
	ConnectionClosed
	ChannelCreated
	ChannelClosed
	QueueDeclared
	QueueCreated
	QueueDeleted
	MemUsed
	FDUsed
	SocketsUsed
	ProcUsed
	DiskFree
	GCNum
	GCBytes
	ContextSwitches
	IOReadCount
	IOReadBytes
	IOWriteCount
	IOWriteBytes
	IOSyncCount
	IOSyncMicros
	Metrics // how many there are
)

// layout says which metrics a kind of object has, and where.
type layout struct {
	metrics []Metric
	at      [Metrics]int8 // place in metrics, or -1
}

func newLayout(ms ...Metric) *layout {
	l := &layout{metrics: ms}
	for i := range l.at {
		l.at[i] = -1
	}
	for i, m := range ms {
		l.at[m] = int8(i)
	}
	return l
}

// layouts are those of all kinds.
type layouts struct{ queue, channel, connection, exchange, feed, flow, delivery, vhost, node *layout }

func newLayouts() layouts {
	received := []Metric{Deliver, DeliverNoAck, Get, GetNoAck, GetEmpty, DeliverGet, Redeliver, Ack}
	lengths := []Metric{Ready, Unacked, Messages}
	join := func(parts ...[]Metric) []Metric {
		var all []Metric
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	sent := []Metric{Publish, Confirm, DropUnroutable, ReturnUnroutable}
	data := []Metric{RecvOct, SendOct}
	node := []Metric{DiskReads, DiskWrites}
	for m := ConnectionCreated; m < Metrics; m++ {
		node = append(node, m)
	}
	return layouts{
		queue:      newLayout(join(lengths, []Metric{Publish}, received, []Metric{Stalled})...),
		channel:    newLayout(join(sent, received)...),
		connection: newLayout(data...),
		exchange:   newLayout(PublishIn, PublishOut),
		feed:       newLayout(sent...),
		flow:       newLayout(Publish),
		delivery:   newLayout(received...),
		vhost:      newLayout(join(lengths, sent, received, data)...),
		node:       newLayout(join(lengths, sent, received, data, node)...),
	}
}

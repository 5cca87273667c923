package stats

import (
	"sync/atomic"

	"github.com/warrenmq/warren/internal/broker"
)

// Ages is a histogram of how old the oldest ready message of a queue was, taken
// at each sample of each queue that has one.
type Ages struct {
	Buckets [ageBuckets]atomic.Uint64 // by AgeBounds; the last is open
	Sum     atomic.Uint64             // ms
}

const ageBuckets = 11

// AgeBounds are the upper bounds of Ages in ms.
func AgeBounds() [ageBuckets - 1]int64 {
	return [...]int64{10, 100, 1000, 5000, 10_000, 60_000, 300_000, 1_800_000, 3_600_000, 86_400_000}
}

func (a *Ages) observe(ms int64) {
	ms = max(ms, 0)
	i := 0
	for b := AgeBounds(); i < len(b) && ms > b[i]; {
		i++
	}
	a.Buckets[i].Add(1)
	a.Sum.Add(uint64(ms))
}

// Ages returns the histogram of queues of a kind.
func (s *Sampler) Ages(k broker.QueueKind) *Ages { return &s.waits[k] }

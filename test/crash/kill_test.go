package crash

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// key names a message: who published it, and as which of his.
type key struct {
	pub uint32
	seq uint64
}

func (k key) String() string { return fmt.Sprintf("%d/%d", k.pub, k.seq) }

// copyFact is what is known of a message in one queue.
type copyFact struct {
	size      int
	prio      uint8
	confirmed bool
	mayGo     bool
	gone      bool
}

// ledger is what the clients of TestKill9 know.
type ledger struct {
	mu        sync.Mutex
	queues    map[string]map[key]*copyFact
	processed []*copyFact // acknowledged, and the server has seen it
	durable   int         // of them certainly on disk
	next      map[uint32]uint64
	published int
	acked     int
}

// killQueues are the queues with their arguments. deep gets more than it gives.
var killQueues = map[string]amqp.Table{
	"plain": nil, "deep": nil, "prio": {"x-max-priority": int32(5)}, "quorum": {"x-queue-type": "quorum"},
	"fan1": nil, "fan2": nil, "fan3": nil,
}

var fanned = []string{"fan1", "fan2", "fan3"}

// TestKill9 kills the broker again and again while clients are at work.
func TestKill9(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	seed := uint64(time.Now().UnixNano())
	if *seedFlag >= 0 {
		seed = uint64(*seedFlag)
	}
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 9))
	dir := filepath.Join(t.TempDir(), "node")
	sets := []string{"warren.segment_size=1MiB", "warren.checkpoint_bytes=2MiB"}
	l := &ledger{queues: map[string]map[key]*copyFact{}, next: map[uint32]uint64{}}
	for q := range killQueues {
		l.queues[q] = map[key]*copyFact{}
	}
	for round := range rounds {
		n, err := startNode(t, dir, sets...)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := declareAll(n.addr); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		stop := make(chan struct{})
		var work sync.WaitGroup
		for p := range uint32(3) {
			r := rand.New(rand.NewPCG(rng.Uint64(), 1))
			work.Go(func() { l.publisher(n.addr, p, r, stop) })
		}
		for range 2 {
			r := rand.New(rand.NewPCG(rng.Uint64(), 2))
			work.Go(func() { l.consumer(n.addr, r, stop) })
		}
		time.Sleep(time.Duration(100+rng.IntN(1100)) * time.Millisecond)
		n.kill()
		close(stop)
		work.Wait()
		if s := n.log.String(); strings.Contains(s, "level=ERROR") {
			t.Errorf("round %d: the node logged:\n%s", round, s)
		}
		// What the disk holds is compared on a copy, so that the story goes on.
		check := filepath.Join(t.TempDir(), "copy")
		copyDir(t, dir, check)
		bad := l.verify(t, check, sets)
		os.RemoveAll(check)
		if len(bad) > 0 {
			if len(bad) > 20 {
				bad = append(bad[:20], "…")
			}
			t.Fatalf("seed %d, round %d:\n%s\nlog: %s", seed, round, strings.Join(bad, "\n"), n.log)
		}
	}
	t.Logf("%d messages published, %d copies acknowledged", l.published, l.acked)
	if bad := l.verify(t, dir, sets); len(bad) > 0 { // what was found in the copy
		t.Fatalf("seed %d, at the end:\n%s", seed, strings.Join(bad, "\n"))
	}
}

func dialChannel(addr string) (*amqp.Connection, *amqp.Channel, error) {
	c, err := amqp.Dial("amqp://guest:guest@" + addr)
	if err != nil {
		return nil, nil, err
	}
	ch, err := c.Channel()
	if err != nil {
		c.Close()
		return nil, nil, err
	}
	return c, ch, nil
}

func declareAll(addr string) error {
	c, ch, err := dialChannel(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := ch.ExchangeDeclare("fan", "fanout", true, false, false, false, nil); err != nil {
		return err
	}
	for q, args := range killQueues {
		if _, err := ch.QueueDeclare(q, true, false, false, false, args); err != nil {
			return err
		}
	}
	for _, q := range fanned {
		if err := ch.QueueBind(q, "", "fan", false, nil); err != nil {
			return err
		}
	}
	return nil
}

// publisher publishes with confirms until the broker dies.
func (l *ledger) publisher(addr string, me uint32, rng *rand.Rand, stop chan struct{}) {
	c, ch, err := dialChannel(addr)
	if err != nil {
		return
	}
	defer c.Close()
	if ch.Confirm(false) != nil {
		return
	}
	type sent struct {
		facts []*copyFact
		mark  int
		done  *amqp.DeferredConfirmation
	}
	waiting := make(chan sent, 500)
	var told sync.WaitGroup
	told.Go(func() {
		for s := range waiting {
			<-s.done.Done()
			if !s.done.Acked() {
				continue
			}
			l.mu.Lock()
			for _, f := range s.facts {
				f.confirmed = true
			}
			l.durable = max(l.durable, s.mark)
			l.mu.Unlock()
		}
	})
	defer told.Wait()
	defer close(waiting)
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		exchange, q, queues := "", "deep", []string{"deep"}
		prio := uint8(0)
		switch r := rng.IntN(20); {
		case r < 4:
			q, queues = "plain", []string{"plain"}
		case r < 7:
			q, queues, prio = "prio", []string{"prio"}, uint8(rng.IntN(6))
		case r < 10:
			q, queues = "quorum", []string{"quorum"}
		case r < 12:
			exchange, q, queues = "fan", "", fanned
		}
		size := 10 + rng.IntN(90)
		switch r := rng.IntN(200); {
		case q == "deep":
		case r == 0:
			size = 1 + rng.IntN(100<<10)
		case r < 40 || exchange != "":
			size = 300 + rng.IntN(1500)
		}
		size = max(size, 12)
		l.mu.Lock()
		k := key{me, l.next[me]}
		l.next[me]++
		s := sent{mark: len(l.processed)}
		for _, name := range queues {
			f := &copyFact{size: size, prio: prio}
			l.queues[name][k] = f
			s.facts = append(s.facts, f)
		}
		l.published++
		l.mu.Unlock()
		s.done, err = ch.PublishWithDeferredConfirm(exchange, q, false, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Priority: prio, Body: killBody(k, size)})
		if err != nil {
			return
		}
		waiting <- s
		if n%32 == 31 {
			time.Sleep(time.Duration(rng.IntN(6)) * time.Millisecond)
		}
	}
}

func killBody(k key, size int) []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint32(b, k.pub)
	binary.BigEndian.PutUint64(b[4:], k.seq)
	for i := 12; i < len(b); i++ {
		b[i] = byte(k.seq) ^ byte(i)
	}
	return b
}

func keyOf(b []byte) (k key, ok bool) {
	if len(b) < 12 {
		return k, false
	}
	k = key{binary.BigEndian.Uint32(b), binary.BigEndian.Uint64(b[4:])}
	return k, string(killBody(k, len(b))) == string(b)
}

// consumer acknowledges some of what it gets, most with multiple, requeues some.
func (l *ledger) consumer(addr string, rng *rand.Rand, stop chan struct{}) {
	c, ch, err := dialChannel(addr)
	if err != nil {
		return
	}
	defer c.Close()
	var names []string
	for q := range killQueues {
		if q != "deep" || rng.IntN(3) == 0 {
			names = append(names, q)
		}
	}
	if ch.Qos(20+rng.IntN(200), 0, false) != nil {
		return
	}
	type one struct {
		queue string
		d     amqp.Delivery
	}
	in := make(chan one, 4096)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer c.Close()
	for _, q := range names {
		ds, err := ch.Consume(q, q, false, false, false, false, nil)
		if err != nil {
			return
		}
		wg.Go(func() {
			for d := range ds {
				select {
				case in <- one{q, d}:
				case <-stop:
				}
			}
		})
	}
	// Deliveries are put in the order of their tags again.
	held := map[uint64]one{}
	var lowest uint64 = 1
	for {
		select {
		case <-stop:
			return
		case o := <-in:
			held[o.d.DeliveryTag] = o
		case <-time.After(5 * time.Millisecond):
		}
		upTo := lowest
		for _, ok := held[upTo]; ok; _, ok = held[upTo] {
			upTo++
		}
		if upTo == lowest || rng.IntN(15) != 0 {
			continue
		}
		to := lowest + rng.Uint64N(upTo-lowest) // the last that is settled now
		var facts []*copyFact
		requeue := rng.IntN(10) == 0
		l.mu.Lock()
		for tag := lowest; tag <= to; tag++ {
			o := held[tag]
			delete(held, tag)
			if k, ok := keyOf(o.d.Body); ok && !requeue {
				if f := l.queues[o.queue][k]; f != nil {
					f.mayGo = true
					facts = append(facts, f)
				}
			}
		}
		l.mu.Unlock()
		if requeue {
			err = ch.Nack(to, true, true)
		} else {
			err = ch.Ack(to, true)
		}
		lowest = to + 1
		if err != nil {
			return
		}
		// The answer comes after the acknowledgement has been dealt with.
		if _, err := ch.QueueDeclarePassive("plain", true, false, false, false, nil); err != nil {
			return
		}
		l.mu.Lock()
		l.processed = append(l.processed, facts...)
		l.acked += len(facts)
		l.mu.Unlock()
	}
}

// verify starts a node on dir, takes everything out of it and compares.
func (l *ledger) verify(t *testing.T, dir string, sets []string) (bad []string) {
	t.Helper()
	for _, f := range l.processed[:l.durable] {
		f.gone = true
	}
	wrong := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	n, err := startNode(t, dir, sets...)
	if err != nil {
		return []string{err.Error()}
	}
	defer n.kill()
	c, ch, err := dialChannel(n.addr)
	if err != nil {
		return []string{err.Error()}
	}
	defer c.Close()
	for q, facts := range l.queues {
		st, err := ch.QueueDeclarePassive(q, true, false, false, false, nil)
		if err != nil {
			return append(bad, err.Error())
		}
		ds, err := ch.Consume(q, q, true, false, false, false, nil)
		if err != nil {
			return append(bad, err.Error())
		}
		found := map[key]*copyFact{}
		type line struct {
			pub  uint32
			prio uint8
		}
		last := map[line]uint64{}
		for i := range st.Messages {
			var d amqp.Delivery
			select {
			case d = <-ds:
			case <-time.After(20 * time.Second):
				return append(bad, fmt.Sprintf("queue %s: %d of %d messages, then none for 20 s; log: %s", q, i, st.Messages, n.log))
			}
			k, ok := keyOf(d.Body)
			f := facts[k]
			switch {
			case !ok:
				wrong("queue %s: a body of %d bytes that nobody published", q, len(d.Body))
				continue
			case found[k] != nil:
				wrong("queue %s: message %v comes twice", q, k)
				continue
			case f == nil:
				wrong("queue %s: message %v was never there, or was gone before", q, k)
				continue
			case f.gone:
				wrong("queue %s: message %v was acknowledged durably and is back", q, k)
			}
			if len(d.Body) != f.size || d.Priority != f.prio {
				wrong("queue %s: message %v has %d bytes and priority %d, not %d and %d", q, k, len(d.Body), d.Priority, f.size, f.prio)
			}
			at := line{k.pub, f.prio}
			if k.seq+1 <= last[at] {
				wrong("queue %s: message %v comes after %d", q, k, last[at]-1)
			}
			last[at] = k.seq + 1
			found[k] = f
		}
		if err := ch.Cancel(q, false); err != nil {
			return append(bad, err.Error())
		}
		for range ds {
			wrong("queue %s: more messages than it said", q)
		}
		for k, f := range facts {
			if f.confirmed && !f.mayGo && found[k] == nil {
				wrong("queue %s: message %v was confirmed and is lost", q, k)
			}
		}
		// What was found is on disk and stays there.
		for _, f := range found {
			f.confirmed, f.mayGo = true, false
		}
		l.queues[q] = found
	}
	l.processed, l.durable = nil, 0
	return bad
}

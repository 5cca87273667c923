package broker

import (
	"fmt"
	"path"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Resources that an alarm can be about.
const (
	MemoryAlarm = "memory"
	DiskAlarm   = "disk"
)

// Watermark is from what use of memory on publishers are blocked: a fraction of
// what there is or, if Absolute is not 0, bytes.
type Watermark struct {
	Relative float64
	Absolute int64
}

// DiskLimit is below what free space publishers are blocked: bytes or, if
// Relative is not 0, a multiple of the memory there is.
type DiskLimit struct {
	Absolute int64
	Relative float64
}

// Defaults of alarms, RabbitMQ's.
const (
	DefaultWatermark = 0.6
	DefaultDiskLimit = 50_000_000
)

// Alarm is a resource that there is too little of.
type Alarm struct {
	Resource string
	Since    time.Time
}

// Resources are what alarms watch. Bytes; a negative value is not known.
type Resources struct {
	MemoryUsed, MemoryLimit, MemoryTotal int64
	DiskFree, DiskLimit                  int64
}

// Hold is why publishes have to wait. Released is closed when it is time to ask
// again.
type Hold struct {
	Reason   string // for connection.blocked
	Released <-chan struct{}
	release  chan struct{}
}

// alarms watch memory and disk. One goroutine checks once a second; whoever
// changes a limit checks at once.
type alarms struct {
	hold atomic.Pointer[Hold] // nil: no alarm is set

	mu        sync.Mutex
	watermark Watermark
	disk      DiskLimit
	unwatched bool // the disk: an operator has said so
	now       Resources
	set       [3]alarmState
	full      bool      // what the store said last
	totalAt   time.Time // when MemoryTotal was looked up
	tidied    time.Time
}

type alarmState struct {
	on    bool
	since time.Time
}

// Sources of alarms. The store tells itself when a write found no room.
const (
	lowMemory = iota
	lowDisk
	fullDisk
)

const (
	alarmInterval = time.Second
	// totalInterval is how long the machine's memory is taken for what it was.
	totalInterval = time.Minute
	// alarmTidyInterval is how often memory that is free is given back, so that it
	// does not count as used.
	alarmTidyInterval = 10 * time.Second
)

func (b *Broker) startAlarms() {
	a := &b.alarms
	a.watermark, a.disk = b.cfg.Memory, b.cfg.Disk
	if a.watermark == (Watermark{}) {
		a.watermark.Relative = DefaultWatermark
	}
	if a.disk == (DiskLimit{}) {
		a.disk.Absolute = DefaultDiskLimit
	}
	b.checkAlarms()
	b.Go(func() {
		tick := time.NewTicker(alarmInterval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				b.checkAlarms()
			case <-b.stopped:
				return
			}
		}
	})
}

// checkAlarms measures, and sets or clears alarms.
func (b *Broker) checkAlarms() {
	a := &b.alarms
	a.mu.Lock()
	defer a.mu.Unlock()
	b.measure()
	n := &a.now
	if n.MemoryUsed > n.MemoryLimit && time.Since(a.tidied) > alarmTidyInterval && b.cfg.MemoryUsed == nil {
		// What a burst left behind is not what is in use; nor is what consumers
		// have taken since the alarm was set.
		a.tidied = time.Now()
		debug.FreeOSMemory()
		n.MemoryUsed = memoryUsed()
	}
	b.turn(lowMemory, n.MemoryUsed > n.MemoryLimit, "used", n.MemoryUsed, "limit", n.MemoryLimit)
	b.turn(lowDisk, !a.unwatched && n.DiskFree >= 0 && n.DiskFree < n.DiskLimit, "free", n.DiskFree, "limit", n.DiskLimit)
	// After the limit, so that one alarm follows the other without a gap.
	b.turn(fullDisk, a.full, "free", n.DiskFree)
}

// measure looks at what there is. Called with alarms.mu held.
func (b *Broker) measure() {
	a := &b.alarms
	n := &a.now
	if now := time.Now(); now.Sub(a.totalAt) > totalInterval {
		if n.MemoryTotal = b.cfg.MemoryTotal; n.MemoryTotal == 0 {
			n.MemoryTotal = memoryTotal()
		}
		a.totalAt = now
	}
	if n.MemoryLimit = a.watermark.Absolute; n.MemoryLimit == 0 {
		n.MemoryLimit = int64(a.watermark.Relative * float64(n.MemoryTotal))
	}
	if n.DiskLimit = a.disk.Absolute; a.disk.Relative > 0 {
		n.DiskLimit = int64(a.disk.Relative * float64(n.MemoryTotal))
	}
	used := memoryUsed
	if b.cfg.MemoryUsed != nil {
		used = b.cfg.MemoryUsed
	}
	n.MemoryUsed, n.DiskFree = used(), -1
	if fs, ok := b.cfg.FS.(interface {
		FreeSpace(dir string) (int64, error)
	}); ok {
		if free, err := fs.FreeSpace(path.Clean(b.cfg.Dir)); err == nil {
			n.DiskFree = free
		}
	}
}

// turn sets or clears one source of alarms. Called with alarms.mu held.
func (b *Broker) turn(source int, on bool, details ...any) {
	s := &b.alarms.set[source]
	if s.on == on {
		return
	}
	s.on = on
	resource := MemoryAlarm
	if source != lowMemory {
		resource = DiskAlarm
	}
	if on {
		s.since = time.Now()
		b.logger.Error(resource+" alarm set: publishers are blocked until it clears", details...)
	} else {
		b.logger.Warn(resource+" alarm cleared", details...)
	}
	b.publishHold()
}

// publishHold tells what the alarms come to. Called with alarms.mu held.
func (b *Broker) publishHold() {
	a := &b.alarms
	mem, disk := a.set[lowMemory].on, a.set[lowDisk].on || a.set[fullDisk].on
	old := a.hold.Load()
	if !mem && !disk {
		if a.hold.Store(nil); old != nil {
			close(old.release)
		}
		return
	}
	h := &Hold{Reason: "low on memory"}
	switch {
	case mem && disk:
		h.Reason = "low on memory & disk"
	case disk:
		h.Reason = "low on disk"
	}
	if h.release = make(chan struct{}); old != nil {
		h.release = old.release // who waits goes on waiting
	}
	h.Released = h.release
	a.hold.Store(h)
}

// onBlocked is told by the store that a write found the disk full, or that there
// is room again.
func (b *Broker) onBlocked(reason string, blocked bool) {
	b.alarms.mu.Lock()
	defer b.alarms.mu.Unlock()
	if b.alarms.full = blocked; blocked {
		b.turn(fullDisk, true, "reason", reason)
	}
	// Cleared at the next look: one segment that was freed is no reason to
	// begin again.
}

// Blocked returns why publishing is blocked on the whole node, or "".
func (b *Broker) Blocked() string {
	if h := b.alarms.hold.Load(); h != nil {
		return h.Reason
	}
	return ""
}

// Alarms lists what there is too little of: memory, then disk.
func (b *Broker) Alarms() []Alarm {
	a := &b.alarms
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Alarm
	if s := a.set[lowMemory]; s.on {
		out = append(out, Alarm{MemoryAlarm, s.since})
	}
	for _, s := range []alarmState{a.set[lowDisk], a.set[fullDisk]} {
		if s.on {
			return append(out, Alarm{DiskAlarm, s.since})
		}
	}
	return out
}

// Resources returns what alarms saw when they looked last.
func (b *Broker) Resources() Resources {
	b.alarms.mu.Lock()
	defer b.alarms.mu.Unlock()
	return b.alarms.now
}

// MemoryHighWatermark and DiskFreeLimit are the limits in force.
func (b *Broker) MemoryHighWatermark() Watermark {
	b.alarms.mu.Lock()
	defer b.alarms.mu.Unlock()
	return b.alarms.watermark
}

// DiskFreeLimit is the limit in force.
func (b *Broker) DiskFreeLimit() DiskLimit {
	b.alarms.mu.Lock()
	defer b.alarms.mu.Unlock()
	return b.alarms.disk
}

// SetMemoryHighWatermark changes the limit until the node stops. Relative 0
// blocks all publishers.
func (b *Broker) SetMemoryHighWatermark(w Watermark) error {
	if w.Relative < 0 || w.Relative > 1 || w.Absolute < 0 {
		return errf(PreconditionFailed, "the memory watermark is a fraction between 0.0 and 1.0, or bytes")
	}
	b.alarms.mu.Lock()
	b.alarms.watermark, b.alarms.totalAt = w, time.Time{}
	b.alarms.mu.Unlock()
	b.checkAlarms()
	return nil
}

// SetDiskFreeLimit changes the limit until the node stops.
func (b *Broker) SetDiskFreeLimit(l DiskLimit) error {
	if l.Relative < 0 || l.Absolute < 0 {
		return errf(PreconditionFailed, "the limit of free disk space cannot be negative")
	}
	b.alarms.mu.Lock()
	b.alarms.disk = l
	b.alarms.mu.Unlock()
	b.checkAlarms()
	return nil
}

// WatchDisk says whether too little free space sets an alarm, until the node stops.
// A disk on which a write has found no room sets one in any case.
func (b *Broker) WatchDisk(on bool) {
	b.alarms.mu.Lock()
	was := !b.alarms.unwatched
	b.alarms.unwatched = !on
	b.alarms.mu.Unlock()
	if was != on {
		b.logger.Warn("free disk space is watched, or no more, as somebody has asked for", "watched", on)
	}
	b.checkAlarms()
}

// Hold returns why the client's publishes have to wait now: an alarm of the
// node, or a limit in bytes of its virtual host or of a queue that it has just
// published to. Nil: they do not. The caller reads no more from the client
// until Released, then asks again.
func (c *Client) Hold() *Hold {
	if h := c.b.alarms.hold.Load(); h != nil {
		return h
	}
	if n := c.vhost.meter.Full(); n != nil {
		return &Hold{Reason: fmt.Sprintf("messages in vhost '%s' take more than %d bytes", c.VHost, n.Limit), Released: n.Room}
	}
	if q := c.pressed; q != nil {
		if n := q.Full(); n != nil {
			return &Hold{Reason: fmt.Sprintf("messages in %s take more than %d bytes", q.label(), n.Limit), Released: n.Room}
		}
	}
	return nil
}

// Flow is a connection's state as far as publishing goes: running, blocking
// (it would be blocked if it published) or blocked.
func (c *Client) Flow() string {
	switch {
	case c.Held.Load():
		return "blocked"
	case c.b.alarms.hold.Load() != nil:
		return "blocking"
	}
	return "running"
}

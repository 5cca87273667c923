// Package broker is the core: virtual hosts, declaring, publishing, consuming.
// Protocol sessions, the HTTP API, movers and embedders are equal callers of
// it; it knows none of them.
//
// A caller opens a Client (a user in a virtual host), and on it Channels (an
// order of publishes, a set of consumers). What comes back without being asked
// for (deliveries, confirms, cancellations) goes to the channel's Outlet.
package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// Config is what a broker is made of.
type Config struct {
	FS        vfs.FS // nil: the operating system's
	Dir       string // of the node's data
	Sync      store.SyncMode
	Logger    *slog.Logger
	Bootstrap Bootstrap

	SegmentSize     int64 // bytes; 0: the store's default
	CheckpointBytes int64 // bytes; 0: the store's default
	MemoryBudget    int64 // bytes of waiting messages in memory, all queues together
	QueueWindow     int64 // the same for one queue
	MaxMessageSize  int64 // bytes
	LoopbackUsers   []string
	NodeName        string // as error texts have it

	// Memory and Disk are from when on publishers are blocked; zero: the defaults.
	Memory      Watermark
	Disk        DiskLimit
	MemoryTotal int64        // bytes; 0: what the machine or its control group has
	MemoryUsed  func() int64 // bytes; nil: what the system says of this process

	// ConsumerTimeout is how long a delivery of a quorum queue may stay
	// unacknowledged; 0: DefaultConsumerTimeout, negative: for ever.
	ConsumerTimeout time.Duration

	PasswordHashing string // of new passwords: an algorithm of package auth; "": SHA256
	Credentials     CredentialValidator
	VHostDefaults   []VHostDefaults

	Limits           Limits
	DefaultQueueType string // of queues that say none: "classic" (or ""), "quorum" or "stream"

	// Detailed: publishes are counted by pairs of objects as well (Feed, Flow).
	Detailed bool

	// Audit is told what operators and clients change, and what is refused to
	// them; nil: nobody. Called on any goroutine, with no lock held.
	Audit func(AuditEntry)
}

// Bootstrap is what an empty node starts with: nothing if VHost is empty.
type Bootstrap struct {
	User, Password, VHost  string
	Tags                   []string
	Configure, Write, Read string // what User may do in VHost; "" is .* here
}

// Defaults of Config.
const (
	DefaultConsumerTimeout = 30 * time.Minute
	DefaultMemoryBudget    = 24 << 20
	DefaultQueueWindow     = 4 << 20
	DefaultMaxMessageSize  = 16 << 20
	maxMaxMessageSize      = 512 << 20
)

// Broker is a running node's core.
type Broker struct {
	cfg    Config
	logger *slog.Logger
	log    *store.Log
	budget message.Budget
	auth   *auth.Authority
	epoch  uint64

	ctx         context.Context // of log lines
	census      census
	authVersion atomic.Uint64

	// defs guards state and everything derived from it; it is held while a
	// definition changes, never while one waits for the disk.
	defs  sync.Mutex
	state *meta.State
	later []func() // to be done once defs is dropped

	mu     sync.RWMutex
	vhosts map[string]*VHost

	queues  sync.Map // id -> *Queue, for the log's owner
	replies sync.Map // reply-to token -> *replyTarget
	nextID  atomic.Uint64

	workMu  sync.Mutex
	work    sync.WaitGroup // goroutines started by Go
	closing bool           // guarded by workMu

	failed  chan struct{}
	stopped chan struct{}
	alarms  alarms
	started time.Time

	ledger   ledger
	survey   surveyor
	churn    churn
	attempts attempts
	waits    [QueueKinds]queueproc.Waits
	rec      *recovery // only while Open runs
}

// Open recovers the node's data, or makes a new node.
func Open(cfg Config) (*Broker, error) {
	if cfg.FS == nil {
		cfg.FS = vfs.OS{}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.MemoryBudget == 0 {
		cfg.MemoryBudget = DefaultMemoryBudget
	}
	if cfg.QueueWindow == 0 {
		cfg.QueueWindow = DefaultQueueWindow
	}
	if cfg.ConsumerTimeout == 0 {
		cfg.ConsumerTimeout = DefaultConsumerTimeout
	}
	if cfg.MaxMessageSize == 0 {
		cfg.MaxMessageSize = DefaultMaxMessageSize
	}
	cfg.MaxMessageSize = min(cfg.MaxMessageSize, maxMaxMessageSize)
	b := &Broker{failed: make(chan struct{}), stopped: make(chan struct{}), cfg: cfg, logger: cfg.Logger, state: meta.NewWith(cfg.metaOptions()), ctx: context.Background(), vhosts: map[string]*VHost{}}
	b.budget.Limit = cfg.MemoryBudget
	b.started = time.Now()
	b.auth = auth.New((*facts)(b), cfg.LoopbackUsers)
	id, err := b.identity()
	if err != nil {
		return nil, err
	}
	b.rec = newRecovery(b)
	b.log, err = store.Open(store.Options{
		FS: cfg.FS, Dir: cfg.Dir, SegmentSize: cfg.SegmentSize, CheckpointBytes: cfg.CheckpointBytes,
		Sync: cfg.Sync, Logger: cfg.Logger, Identity: id, OnBlocked: b.onBlocked, OnFailed: func() { close(b.failed) },
	}, (*owner)(b))
	if err != nil {
		return nil, err
	}
	b.rec = nil
	b.Go(b.janitor)
	b.startAlarms()
	if err := b.bootstrap(); err != nil {
		return nil, errors.Join(err, b.log.Close())
	}
	return b, nil
}

func (c *Config) metaOptions() meta.Options {
	return meta.Options{DefaultQueueType: c.DefaultQueueType,
		MaxVHosts: int(c.Limits.VHosts), MaxQueues: int(c.Limits.Queues), MaxExchanges: int(c.Limits.Exchanges)}
}

// Close ends all queues' work and makes the log's last checkpoint. Callers have
// closed their Clients before.
func (b *Broker) Close() error {
	b.workMu.Lock()
	b.closing = true
	b.workMu.Unlock()
	close(b.stopped)
	b.queues.Range(func(_, q any) bool {
		q.(*Queue).Stop()
		return true
	})
	b.work.Wait()
	return b.log.Close()
}

// Done is closed when the store has failed and the node must stop.
func (b *Broker) Done() <-chan struct{} { return b.failed }

// Err is the reason of Failed.
func (b *Broker) Err() error { return b.log.Err() }

// MaxMessageSize is the largest body that is accepted, in bytes.
func (b *Broker) MaxMessageSize() int64 { return b.cfg.MaxMessageSize }

// Throttled reports whether Throttle would block.
func (b *Broker) Throttled() bool { return b.log.Throttled() }

// Throttle blocks while the log has more waiting to be written than is good.
// Whoever reads publishes calls it between batches, holding no lock.
func (b *Broker) Throttle(ctx context.Context) error { return b.log.Throttle(ctx) }

func (b *Broker) identity() ([16]byte, error) { return nodeIdentity(b.cfg.FS, b.cfg.Dir) }

// apply changes a definition: it is checked and done by the state machine,
// carried over to what runs, and durable when apply returns without error.
func (b *Broker) apply(c meta.Command) (meta.Result, error) {
	res, pos, err := b.applyAsync(c)
	if err != nil || pos == 0 {
		return res, err
	}
	return res, b.sync(pos)
}

// applyAsync is apply without the wait. pos is 0 when nothing was logged.
func (b *Broker) applyAsync(c meta.Command) (meta.Result, store.Position, error) {
	b.defs.Lock()
	res, pos, err := b.applyLocked(c)
	later := b.later
	b.later = nil
	b.defs.Unlock()
	for _, f := range later {
		f()
	}
	return res, pos, err
}

func (b *Broker) applyLocked(c meta.Command) (res meta.Result, pos store.Position, err error) {
	res, err = b.state.Apply(c)
	if err != nil {
		return res, 0, coreError(err)
	}
	if pos, err = b.logCommands(res.Log); err != nil {
		return res, 0, err
	}
	b.derive(res.Changes)
	return res, pos, nil
}

// logCommands appends commands to the log, in one record: a crash leaves all of
// them or none. pos is 0 when there are none.
func (b *Broker) logCommands(cs []meta.Command) (pos store.Position, err error) {
	if len(cs) == 0 {
		return 0, nil
	}
	kind := kindCommand
	var payload []byte
	for _, c := range cs {
		raw, err := meta.Marshal(c)
		if err != nil {
			return 0, err
		}
		if len(cs) > 1 {
			kind = kindCommands
			payload = binary.AppendUvarint(payload, uint64(len(raw)))
		}
		payload = append(payload, raw...)
	}
	if pos = b.log.Append(kind, 0, true, payload, nil, nil); pos == 0 {
		return 0, errf(InternalError, "the store has failed: %v", b.log.Err())
	}
	return pos, nil
}

func (b *Broker) sync(pos store.Position) error {
	b.log.Commit()
	if err := b.log.Sync(context.Background(), pos); err != nil {
		return errf(InternalError, "the store has failed: %v", err)
	}
	return nil
}

// coreError turns an error of the definitions into one of the core.
func coreError(err error) error {
	var me *meta.Error
	if errors.As(err, &me) {
		return &Error{Kind: kindOfMeta[me.Kind], Text: me.Text}
	}
	return err
}

var kindOfMeta = map[meta.Kind]Kind{
	meta.NotFound: NotFound, meta.PreconditionFailed: PreconditionFailed, meta.AccessRefused: AccessRefused,
	meta.ResourceLocked: ResourceLocked, meta.NotAllowed: NotAllowed, meta.NotImplemented: NotImplemented,
	meta.CommandInvalid: CommandInvalid, meta.InternalError: InternalError, meta.Invalid: PreconditionFailed,
}

// Go implements queueproc.Host. Once the broker closes, nothing is started any
// more.
func (b *Broker) Go(f func()) {
	b.workMu.Lock()
	defer b.workMu.Unlock()
	if !b.closing {
		b.work.Go(f)
	}
}

// janitorInterval is how long a queue must be quiet before it gives back the
// memory that it kept for more.
const janitorInterval = 5 * time.Second

// janitor looks after quiet queues, until the broker closes.
func (b *Broker) janitor() {
	tick := time.NewTicker(janitorInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-b.stopped:
			return
		}
		b.survey.catchUp() // if nobody else does
		b.queues.Range(func(_, q any) bool {
			q.(*Queue).Trim()
			return true
		})
	}
}

// VHost finds a virtual host by name; nil if there is none.
func (b *Broker) VHost(name string) *VHost {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.vhosts[name]
}

func nowMillis() int64 { return time.Now().UnixMilli() }

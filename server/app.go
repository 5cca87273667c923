package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/warrenmq/warren/internal/audit"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/mgmt/api"
	"github.com/warrenmq/warren/internal/proto/amqp091/session"
	"github.com/warrenmq/warren/internal/stats"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// app is the node's application: the broker and those who talk with it.
type app struct {
	broker *broker.Broker
	amqp   *session.Server
	stats  *stats.Sampler
	api    *api.API
	work   sync.WaitGroup  // accept loops, connections, and who waits for ended
	ctx    context.Context // ends with the application
	end    context.CancelFunc
	// quiet ends the publishing of the log.
	quiet func()
}

var (
	// ErrClosed is the answer of a node that is closed.
	ErrClosed = errors.New("the node is closed")
	// ErrAppRunning is the answer to what only a stopped application allows.
	ErrAppRunning = errors.New("the broker is running; stop it first (stop_app)")
	// ErrAppStopped is the answer to what only a running application can do.
	ErrAppStopped = errors.New("the broker is stopped (start_app starts it)")
)

// StartApp starts the application: it recovers the data and opens the listeners.
// If it runs, nothing is done.
func (s *Server) StartApp() error {
	s.ops <- struct{}{}
	defer func() { <-s.ops }()
	s.mu.Lock()
	closed, runs := s.closed, s.app != nil
	if !closed && !runs {
		s.phase = starting
	}
	s.mu.Unlock()
	switch {
	case closed:
		return ErrClosed
	case runs:
		return nil
	}
	a, err := s.newApp()
	if err != nil {
		s.setPhase(stopped)
		return err
	}
	if err := s.mgmt.open(a); err != nil {
		a.end()
		s.setPhase(stopped)
		return errors.Join(err, a.broker.Close())
	}
	s.mu.Lock()
	s.app, s.suspended = a, false
	err = s.openWanted()
	s.mu.Unlock()
	if err != nil {
		return errors.Join(err, s.stopApp(context.Background()))
	}
	s.setPhase(running)
	s.publishLog(a)
	a.work.Go(func() { s.watch(a) })
	a.work.Go(func() { a.stats.Run(a.ctx.Done()) })
	return nil
}

// watch waits for the broker's end, so that the node ends with it.
func (s *Server) watch(a *app) {
	select {
	case <-a.broker.Done():
		s.fail(a.broker.Err())
	case <-a.ctx.Done():
	}
}

func samples(list []Samples) (out []stats.Span) {
	for _, s := range list {
		out = append(out, stats.Span{Age: int64(s.Span / time.Second), Step: int64(s.Step / time.Second)})
	}
	return out
}

func (s *Server) setPhase(p phase) {
	s.mu.Lock()
	s.phase = p
	s.mu.Unlock()
}

func (s *Server) newApp() (*app, error) {
	cfg := &s.cfg
	bc := broker.Config{
		FS: s.fs, Dir: s.dataDir(), Logger: s.logger, MaxMessageSize: cfg.MaxMessageSize, LoopbackUsers: cfg.LoopbackUsers,
		SegmentSize: cfg.SegmentSize, CheckpointBytes: cfg.CheckpointBytes, MemoryBudget: cfg.MemoryBudget,
		NodeName: cfg.NodeName, DefaultQueueType: cfg.DefaultQueueType, Audit: s.record, Limits: broker.Limits(cfg.Limits),
		Memory: broker.Watermark{Relative: cfg.Memory.Relative, Absolute: cfg.Memory.Absolute}, MemoryTotal: cfg.Memory.Total,
		Disk: broker.DiskLimit(cfg.DiskFree), ConsumerTimeout: cfg.ConsumerTimeout,
		PasswordHashing: cfg.PasswordHashing, Credentials: broker.CredentialValidator(cfg.CredentialValidator), VHostDefaults: cfg.vhostDefaults(),
		Detailed: cfg.Management.RatesMode == "detailed",
		Bootstrap: broker.Bootstrap{User: cfg.DefaultUser, Password: cfg.DefaultPass, VHost: cfg.DefaultVHost, Tags: cfg.DefaultUserTags,
			Configure: cfg.DefaultPermissions.Configure, Write: cfg.DefaultPermissions.Write, Read: cfg.DefaultPermissions.Read},
	}
	switch {
	case cfg.DataDir == "", cfg.Durability == Memory:
		bc.Sync = store.Memory
	case cfg.Durability == OS:
		bc.Sync = store.OS
	}
	if cfg.DefinitionsPath != "" || cfg.DefinitionsURL != "" {
		bc.Bootstrap = broker.Bootstrap{} // the definitions say who is there
	}
	b, err := broker.Open(bc)
	if err != nil {
		return nil, err
	}
	if err := s.definitions(b); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	a := &app{broker: b, quiet: func() {}}
	a.ctx, a.end = context.WithCancel(context.Background())
	a.stats = stats.New(stats.Options{Broker: b, Detailed: bc.Detailed, Interval: cfg.StatisticsInterval, DataDir: cfg.DataDir, NoHistory: cfg.Management.NoCollector,
		Retention: stats.Retention{Global: samples(cfg.Management.Retention.Global), Basic: samples(cfg.Management.Retention.Basic), Detailed: samples(cfg.Management.Retention.Detailed)}})
	a.amqp = &session.Server{Broker: b, Logger: s.logger.With("category", "connection"), Config: session.Config{
		Product: cfg.Product, Version: cfg.ProductVersion, ClusterName: cfg.ClusterName,
		Platform:    "Warren " + Version + " / " + runtime.Version(),
		Information: "Warren is not RabbitMQ; it answers as one. Licensed under the Apache License 2.0.",
		Heartbeat:   cfg.Heartbeat, FrameMax: cfg.FrameMax, ChannelMax: cfg.ChannelMax,
		HandshakeTimeout: cfg.HandshakeTimeout, Mechanisms: cfg.Mechanisms, CertLogin: auth.CertLogin(cfg.CertLogin),
		Prefetch: cfg.Prefetch, PrefetchGlobal: cfg.PrefetchGlobal,
		Anonymous: struct{ User, Password string }{cfg.AnonymousUser, cfg.AnonymousPass},
	}}
	return a, nil
}

// fetchPatience is how long definitions may take to come.
const fetchPatience = 2 * time.Minute

// definitions imports those that the node is to have.
func (s *Server) definitions(b *broker.Broker) error {
	cfg := &s.cfg
	switch {
	case cfg.DefinitionsPath != "":
		return api.LoadDefinitions(b, cfg.DefinitionsPath, cfg.DefinitionsSkipUnchanged, s.logger)
	case cfg.DefinitionsURL == "":
		return nil
	}
	from, err := url.Parse(cfg.DefinitionsURL)
	if err != nil {
		return errors.New("definitions.https.url is not a URL")
	}
	opts := listen.ClientTLS(cfg.DefinitionsTLS)
	t, err := opts.Config(from.Hostname())
	if err != nil {
		return fmt.Errorf("definitions.tls: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), fetchPatience)
	defer cancel()
	return api.FetchDefinitions(ctx, b, from, t, cfg.DefinitionsSkipUnchanged, s.logger)
}

// record puts what the broker tells on record.
func (s *Server) record(e broker.AuditEntry) {
	s.audit.Add(audit.Entry{
		Time: e.Time, User: e.User, Source: e.Source, Action: e.Action, VHost: e.VHost, Object: e.Object,
		Result: e.Result, Reason: e.Reason, Detail: e.Detail,
	})
	if strings.HasSuffix(e.Reason, "can only connect via localhost") {
		s.logger.Warn("a user was refused because of where it is", "category", "connection", "user", e.User, "source", e.Source,
			"hint", "give the node a user of your own (at its first start with RABBITMQ_DEFAULT_USER and RABBITMQ_DEFAULT_PASS,"+
				" later with rabbitmqctl add_user), or let this one in from everywhere (loopback_users = none)")
	}
}

// StopApp stops the application: listeners and connections are closed, the
// broker writes what is to be written and ends. The node stays.
func (s *Server) StopApp() error {
	s.ops <- struct{}{}
	defer func() { <-s.ops }()
	return s.stopApp(context.Background())
}

// stopApp is StopApp for whoever holds ops.
func (s *Server) stopApp(ctx context.Context) error {
	s.mu.Lock()
	a, open := s.app, s.open
	s.app, s.open = nil, nil
	if a != nil {
		s.phase = stopping
	}
	s.mu.Unlock()
	if a == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ShutdownTimeout)
	defer cancel()
	err := s.mgmt.open(nil)
	a.quiet()
	closeAll(ctx, open)
	a.end()
	a.amqp.Shutdown(ctx)
	a.work.Wait()
	err = errors.Join(err, a.broker.Close())
	s.setPhase(stopped)
	return err
}

// AppRunning reports whether the application has started.
func (s *Server) AppRunning() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase == running
}

func (s *Server) dataDir() string {
	if s.cfg.DataDir == "" {
		return "data"
	}
	return s.cfg.DataDir
}

// Reset deletes all messages and definitions. The application must be stopped;
// when it starts again, the node is as new. What is not the broker's (logs,
// enabled plugins, the lock) stays.
func (s *Server) Reset() error {
	s.ops <- struct{}{}
	defer func() { <-s.ops }()
	s.mu.Lock()
	runs, closed := s.app != nil, s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return ErrClosed
	case runs:
		return ErrAppRunning
	}
	fsys := s.fs
	if fsys == nil {
		fsys = vfs.OS{}
	}
	return removeData(fsys, s.dataDir())
}

// removeData removes the files that broker and store have made. The node's
// identity goes last: as long as it is there, a reset that was interrupted can
// be told from data of another node.
func removeData(fsys vfs.FS, dir string) error {
	entries, err := fsys.ReadDir(dir)
	if vfs.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	identity := false
	for _, e := range entries {
		identity = identity || e.Name == "node-id"
		if e.Dir || !isData(e.Name) {
			continue
		}
		if err := fsys.Remove(path.Join(dir, e.Name)); err != nil {
			return err
		}
	}
	if err := fsys.SyncDir(dir); err != nil || !identity {
		return err
	}
	if err := fsys.Remove(path.Join(dir, "node-id")); err != nil {
		return err
	}
	return fsys.SyncDir(dir)
}

func isData(name string) bool {
	return strings.HasSuffix(name, ".seg") || strings.HasPrefix(name, "checkpoint")
}

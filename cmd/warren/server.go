package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/config"
	"github.com/warrenmq/warren/internal/logging"
	"github.com/warrenmq/warren/internal/mgmt/hostpage"
	"github.com/warrenmq/warren/server"
)

func serverCommand() *cobra.Command {
	var flags configFlags
	var profile string
	var detached bool
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Run a broker",
		Long: `Run a broker until SIGINT or SIGTERM. Clients are told, and have the time of
warren.shutdown_timeout to go; a second signal cuts them off. SIGHUP reads
certificates and levels of the log again.

Keys of --set and of configuration files are RabbitMQ's own; those that only
Warren has begin with "warren.". Later ones win: defaults, files, environment
(RABBITMQ_NODE_PORT, RABBITMQ_CONFIG_FILE, RABBITMQ_DEFAULT_USER, ...), --set.
"warren config effective" shows what comes out.`,
		Example: `  warren server --data-dir ./data
  warren server --set listeners.tcp.default=127.0.0.1:5673 --set max_message_size=64MiB
  warren server --config /etc/rabbitmq/rabbitmq.conf`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := flags.load()
			if err != nil {
				return err
			}
			if detached {
				return detach(cfg, flags.secret.reader(), cmd.OutOrStdout())
			}
			stop, err := cpuProfile(profile)
			if err != nil {
				return err
			}
			return errors.Join(run(cfg, flags.load), stop())
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&detached, "detached", false, "run in the background; -detached is the same")
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "write a CPU profile of the whole run to this file")
	return cmd
}

// cpuProfile starts a profile, if a file is named, and returns what ends it.
func cpuProfile(file string) (stop func() error, err error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// run serves until a signal comes, somebody asks for the end, or the disk fails.
func run(cfg *config.Config, reread func() (*config.Config, error)) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	log, err := logging.Open(cfg.Log, os.Stdout, os.Stderr)
	if err != nil {
		return &exitError{exitSoftware, err}
	}
	defer log.Close()
	cfg.Server.Logger, cfg.Server.Logs, cfg.Server.ConfigFiles = log.Logger(), log, cfg.Files
	cfg.Server.Hosts = hostpage.New
	if cfg.Log.Exchange {
		cfg.Server.LogExchange = func(publish func(server.LogEntry)) (stop func()) {
			return log.Exchange(func(m logging.Message) {
				publish(server.LogEntry{Level: m.Level, Time: m.Time, JSON: m.JSON, Text: m.Text})
			})
		}
	}
	for _, n := range cfg.Notes {
		cfg.Server.Logger.Warn(n)
	}
	cfg.Server.Reread = func() ([]server.Setting, error) {
		c, err := reread()
		if err != nil {
			return nil, err
		}
		log.SetLevels(c.Log)
		return c.Settings, nil
	}
	systemd := newNotifier(os.Getenv)
	started := systemd.patience("starting")
	srv, err := server.New(cfg.Server)
	started()
	if err != nil {
		return &exitError{exitSoftware, startError(err)}
	}
	err = serve(cfg, srv, systemd, signals)
	if err != nil {
		cfg.Server.Logger.Error("the node has ended", "reason", err)
	}
	return err
}

// serve looks after a node that has started, until it is to end.
func serve(cfg *config.Config, srv *server.Server, systemd *notifier, signals <-chan os.Signal) error {
	if err := writePID(cfg.PIDFile); err != nil {
		return errors.Join(&exitError{exitSoftware, fmt.Errorf("the file for the process id cannot be written: %w", err)}, srv.Close(context.Background()))
	}
	defer removePID(cfg.PIDFile)
	end := make(chan struct{})
	var helpers sync.WaitGroup
	defer helpers.Wait()
	defer close(end)
	helpers.Go(func() { systemd.watch(end, srv.Ping) })
	helpers.Go(func() { tidyMemory(end) })
	line := readyLine(cfg, srv)
	fmt.Print(line)
	tellReady(line)
	systemd.tell("READY=1\nMAINPID=%d\nSTATUS=running", os.Getpid())

	failed := await(srv, systemd, signals)
	systemd.tell("STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=%d", (cfg.Server.ShutdownTimeout + extension).Microseconds())
	// A second signal ends the patience with clients.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	helpers.Go(func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	})
	if err := srv.Close(ctx); err != nil {
		return errors.Join(failed, &exitError{exitSoftware, err})
	}
	return failed
}

// await waits until the node is to end. The error is why it has failed.
func await(srv *server.Server, systemd *notifier, signals <-chan os.Signal) error {
	for {
		select {
		case sig := <-signals:
			if sig != syscall.SIGHUP {
				return nil
			}
			systemd.tell("RELOADING=1\nMONOTONIC_USEC=%d", monotonic().Microseconds())
			srv.Reload() // says in the log what comes of it
			systemd.tell("READY=1")
		case <-srv.StopRequested():
			return nil
		case <-srv.Done():
			return &exitError{exitSoftware, fmt.Errorf("the store has failed: %w", srv.Err())}
		}
	}
}

// readyLine is the one line that says the broker is ready.
func readyLine(cfg *config.Config, srv *server.Server) string {
	dir, err := filepath.Abs(cfg.Server.DataDir)
	if err != nil {
		dir = cfg.Server.DataDir
	}
	var at string
	for _, l := range []struct {
		scheme string
		addrs  []net.Addr
	}{{"amqp", srv.Addrs()}, {"amqps", srv.TLSAddrs()}, {"http", srv.ManagementAddrs()}, {"https", srv.ManagementTLSAddrs()}} {
		for _, a := range l.addrs {
			at += " " + l.scheme + "://" + a.String()
		}
	}
	c := srv.Config()
	login := fmt.Sprintf("user %s", c.DefaultUser)
	switch {
	case c.DefinitionsPath != "":
		login = "users as in " + c.DefinitionsPath // there is no default user
	case c.DefinitionsURL != "":
		login = "users as in the definitions that were fetched"
	case c.DefaultUser == "guest" && c.DefaultPass == "guest" && slices.Contains(c.LoopbackUsers, "guest"):
		login = "user guest, password guest, from this host only"
	}
	return fmt.Sprintf("warren %s is ready:%s (%s; data in %s)\n", server.Version, at, login, dir)
}

func startError(err error) error {
	var le *server.ListenError
	if errors.As(err, &le) && errors.Is(err, syscall.EADDRINUSE) {
		key := map[string]string{server.ProtocolHTTP: "management.tcp.port=PORT", server.ProtocolPrometheus: "prometheus.tcp.port=PORT"}[le.Protocol]
		if key == "" {
			key = "listeners.tcp.default=ADDRESS"
		}
		return fmt.Errorf("%s is in use: another broker may be running (use --set %s for another)", le.Addr, key)
	}
	return err
}

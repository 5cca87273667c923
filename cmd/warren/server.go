package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/config"
	"github.com/warrenmq/warren/internal/logging"
	"github.com/warrenmq/warren/server"
)

func serverCommand() *cobra.Command {
	var flags configFlags
	var profile string
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Run a broker",
		Long: `Run a broker until SIGINT or SIGTERM.

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
			stop, err := cpuProfile(profile)
			if err != nil {
				return err
			}
			return errors.Join(run(cmd.Context(), cfg), stop())
		},
	}
	flags.add(cmd)
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

// run serves until a signal comes or the disk fails.
func run(ctx context.Context, cfg *config.Config) error {
	ctx, stop := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log, err := logging.Open(cfg.Log, os.Stdout, os.Stderr)
	if err != nil {
		return &exitError{exitSoftware, err}
	}
	defer log.Close()
	cfg.Server.Logger, cfg.Server.Logs, cfg.Server.ConfigFiles = log.Logger(), log, cfg.Files
	for _, n := range cfg.Notes {
		cfg.Server.Logger.Warn(n)
	}
	srv, err := server.New(cfg.Server)
	if err != nil {
		return &exitError{exitSoftware, startError(err)}
	}
	announce(cfg, srv)
	go tidyMemory(ctx)
	var failed error
	select {
	case <-ctx.Done():
	case <-srv.StopRequested():
	case <-srv.Done():
		failed = &exitError{exitSoftware, fmt.Errorf("the store has failed: %w", srv.Err())}
	}
	stop()
	if err := srv.Close(context.Background()); err != nil {
		return errors.Join(failed, &exitError{exitSoftware, err})
	}
	return failed
}

// announce prints the one line that says the broker is ready.
func announce(cfg *config.Config, srv *server.Server) {
	dir, err := filepath.Abs(cfg.Server.DataDir)
	if err != nil {
		dir = cfg.Server.DataDir
	}
	var at string
	for _, a := range srv.Addrs() {
		at += " amqp://" + a.String()
	}
	for _, a := range srv.ManagementAddrs() {
		at += " http://" + a.String()
	}
	login := fmt.Sprintf("user %s", srv.Config().DefaultUser)
	if srv.Config().DefaultUser == "guest" {
		login = "user guest, password guest, from this host only"
	}
	fmt.Printf("warren %s is ready:%s (%s; data in %s)\n", server.Version, at, login, dir)
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

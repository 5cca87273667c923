package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/config"
	"github.com/warrenmq/warren/server"
)

func serverCommand() *cobra.Command {
	var dataDir, file, profile string
	var sets []string
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Run a broker",
		Long: `Run a broker until SIGINT or SIGTERM.

Keys of --set and of the configuration file are RabbitMQ's own; those that only
Warren has begin with "warren.". Later ones win: defaults, file, environment
(RABBITMQ_NODE_PORT, RABBITMQ_CONFIG_FILE, RABBITMQ_DEFAULT_USER, ...), --set.`,
		Example: `  warren server --data-dir ./data
  warren server --set listeners.tcp.default=127.0.0.1:5673 --set max_message_size=64MiB
  warren server --config /etc/rabbitmq/rabbitmq.conf`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(config.Sources{DataDir: dataDir, File: file, Set: sets, Env: os.LookupEnv})
			if err != nil {
				return &exitError{exitConfig, err}
			}
			stop, err := cpuProfile(profile)
			if err != nil {
				return err
			}
			return errors.Join(run(cmd.Context(), cfg), stop())
		},
	}
	cmd.Flags().StringVar(&dataDir, "data-dir", "", "directory of the node's data")
	cmd.Flags().StringVar(&file, "config", "", "configuration file (rabbitmq.conf format)")
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "write a CPU profile of the whole run to this file")
	cmd.Flags().StringArrayVar(&sets, "set", nil, "set a configuration key, as in key=value; may be repeated")
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
	cfg.Server.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: cfg.LogLevel}))
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

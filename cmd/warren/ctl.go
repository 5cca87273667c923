package main

import (
	"cmp"
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/config"
	"github.com/warrenmq/warren/internal/ctl"
	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/server"
)

// ctlTools are the sub-commands that stand for RabbitMQ's tools.
func ctlTools() map[string]ctl.Tool {
	return map[string]ctl.Tool{"ctl": ctl.Ctl, "plugins": ctl.Plugins, "diagnostics": ctl.Diagnostics,
		"queues": ctl.Queues, "streams": ctl.Streams, "upgrade": ctl.Upgrade}
}

// toolByName runs the tool that the program was called as, such as rabbitmqctl.
// ok is false if it was called by a name of its own.
func toolByName(argv []string) (code int, ok bool) {
	name := ctl.Tool(filepath.Base(argv[0]))
	if !slices.Contains(ctl.Tools(), name) {
		return 0, false
	}
	return runTool(name, string(name), argv[1:]), true
}

func runTool(tool ctl.Tool, name string, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return ctl.Main(ctx, &ctl.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.LookupEnv, Where: whereNodeIs,
		Tool: tool, Name: name, Version: server.Version, Now: time.Now,
	}, args)
}

// whereNodeIs finds the node's files as the node itself does.
func whereNodeIs(dataDir string) (ctl.Where, error) {
	cfg, err := config.Load(config.Sources{DataDir: dataDir, Dir: configDir(), Env: os.LookupEnv, KeepSealed: true})
	if err != nil {
		return ctl.Where{}, err
	}
	host, _ := os.Hostname()
	w := ctl.Where{DataDir: cfg.Server.DataDir, PluginsFile: cfg.Server.EnabledPluginsFile,
		NodeName: cmp.Or(cfg.Server.NodeName, "warren@"+host), Version: cmp.Or(cfg.Server.ProductVersion, server.Level)}
	s := &cfg.Server
	for _, t := range []struct {
		name  string
		addrs []string
		tls   server.TLS
	}{{"ssl_options", s.TLSListeners, s.TLS}, {"management.ssl", s.Management.TLSListeners, s.Management.TLS}, {"prometheus.ssl", s.Prometheus.TLSListeners, s.Prometheus.TLS}} {
		if len(t.addrs) > 0 {
			w.TLS = append(w.TLS, ctl.TLSFiles{Name: t.name, Options: listen.TLSOptions(t.tls)})
		}
	}
	return w, nil
}

func ctlCommands() []*cobra.Command {
	short := map[string]string{
		"ctl": "Look after a node: what rabbitmqctl does", "plugins": "Enable and disable plugins: what rabbitmq-plugins does",
		"diagnostics": "Look at a node's health: what rabbitmq-diagnostics does", "queues": "Look after quorum queues: what rabbitmq-queues does",
		"streams": "Look after streams: what rabbitmq-streams does", "upgrade": "Prepare a node for an upgrade: what rabbitmq-upgrade does",
	}
	var out []*cobra.Command
	for name, tool := range ctlTools() {
		out = append(out, &cobra.Command{
			Use: name + " COMMAND", Short: short[name], DisableFlagParsing: true,
			RunE: func(_ *cobra.Command, args []string) error {
				if code := runTool(tool, "warren "+name, args); code != 0 {
					return &exitError{code, errSaid}
				}
				return nil
			},
			ValidArgsFunction: func(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
				return ctl.Complete(tool, args, word), cobra.ShellCompDirectiveNoFileComp
			},
		})
	}
	return out
}

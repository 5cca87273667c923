package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/hosts"
	"github.com/warrenmq/warren/internal/hosts/agent"
	"github.com/warrenmq/warren/internal/hosts/trust"
)

// agentOptions are the flags of warren agent.
type agentOptions struct {
	url, name, allow, state, audit string
	addrs, groups                  []string
	slots                          int
}

func agentCommand() *cobra.Command {
	o := &agentOptions{}
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Let operators run commands on this machine, through a broker",
		Long: `Connect to a broker and run the commands that operators send with "warren hosts",
until SIGINT or SIGTERM. Whoever may publish to this agent's queue may run
anything as the agent's user, unless --allow names the operators, their keys,
and what they may run.`,
		Example: `  warren agent
  warren agent --url amqp://agent-web1:secret@broker:5672/ --name web1 --group web --allow /etc/warren/agent.allow`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.url, "url", cmp.Or(os.Getenv("WARREN_URL"), defaultURL), "the broker; default $WARREN_URL, or guest on this machine")
	if os.Getenv("WARREN_URL") != "" {
		f.Lookup("url").DefValue = "$WARREN_URL" // which may hold a password
	}
	f.StringVar(&o.name, "name", "", "this machine's name, unique among agents (default: its host name)")
	f.StringArrayVar(&o.addrs, "addr", nil, "an address of this machine; may be repeated (default: those of its interfaces)")
	f.StringArrayVar(&o.groups, "group", nil, "a group that it belongs to; may be repeated")
	f.StringVar(&o.allow, "allow", "", "file with the operators and what each may run")
	f.StringVar(&o.state, "state-dir", "", "directory for what the agent remembers (default: /var/lib/warren-agent for root, else in $XDG_STATE_HOME)")
	f.StringVar(&o.audit, "audit", "", "file for who ran what (default: audit.log in the state directory)")
	f.IntVar(&o.slots, "slots", 8, "how many commands run at once")
	return cmd
}

func (o *agentOptions) run(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := o.fill(); err != nil {
		return err
	}
	dial, _, err := hosts.Dialer(o.url, "warren agent "+o.name)
	if err != nil {
		return err
	}
	var policy func() (*trust.Policy, error)
	if o.allow != "" {
		policy = func() (*trust.Policy, error) { return trust.ReadPolicy(o.allow) }
		if _, err = policy(); err != nil {
			return &exitError{exitConfig, err}
		}
	} else {
		log.Warn("no allow file: whoever may publish to this agent's queue can run anything", "as", os.Geteuid())
	}
	a, err := agent.New(agent.Config{Dial: dial, Name: o.name, Addrs: o.addrs, Groups: o.groups, Slots: o.slots, StateDir: o.state,
		Policy: policy, Log: log, Program: programVersion(), Audit: func(e agent.Entry) {
			if err := appendJSON(o.audit, e); err != nil {
				log.Error("the audit log cannot be written", "err", err, "entry", e)
			}
		}})
	if err != nil {
		return &exitError{exitConfig, err}
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Printf("warren agent %s; state in %s\n", o.name, o.state)
	return a.Run(ctx)
}

// fill finds out what was not given.
func (o *agentOptions) fill() error {
	if o.name == "" {
		name, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("--name: %w", err)
		}
		o.name = name
	}
	if o.slots < 1 {
		return fmt.Errorf("--slots %d: at least one", o.slots)
	}
	for i, a := range o.addrs {
		if a = strings.TrimSpace(a); a == "" || strings.ContainsAny(a, " ,@*?[") {
			return fmt.Errorf("--addr %q is not an address", o.addrs[i])
		}
	}
	if len(o.addrs) == 0 {
		o.addrs = interfaceAddrs()
	}
	if o.state == "" {
		o.state = "/var/lib/warren-agent"
		if os.Geteuid() != 0 {
			o.state = filepath.Join(stateDir(), "agent")
		}
	}
	o.audit = cmp.Or(o.audit, filepath.Join(o.state, "audit.log"))
	return nil
}

// interfaceAddrs are the addresses by which others may know this machine.
func interfaceAddrs() []string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var list []string
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			list = append(list, n.IP.String())
		}
	}
	return list
}

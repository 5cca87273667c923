package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/console"
	"github.com/warrenmq/warren/internal/hosts"
	"github.com/warrenmq/warren/internal/hosts/trust"
	"github.com/warrenmq/warren/server"
)

// defaultURL is where agents and consoles look for the broker.
const defaultURL = "amqp://guest:guest@localhost:5672/"

// hostsOptions are what stands between "hosts" and the command.
type hostsOptions struct {
	url, key, audit string
}

func hostsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "hosts [--url URL] [--key FILE] [--audit FILE] [COMMAND ...]",
		Short: "Run commands on many machines, through a broker",
		Long: `Run commands on the machines that have an agent (warren agent), through any
AMQP 0-9-1 broker. Without a command there is a prompt; with one, it is carried
out and the exit code tells how it went: 0 all hosts ok, 1 some failed, 2 some
could not be reached or took too long, 3 refused.

Options, before the command:
  --url URL      the broker; default $WARREN_URL, or guest on this machine
  --key FILE     sign tasks with this key; default $WARREN_KEY
  --audit FILE   where to note what was run; default in $XDG_STATE_HOME/warren

Commands:
` + console.Help(),
		Example: `  warren hosts
  warren hosts run "df -h" --hosts 192.168.3.55 10.4.3.4
  warren hosts run uptime --hosts @web --wait --json
  warren hosts check_task 45334`,
		DisableFlagParsing: true, // --hosts takes several words, which is not the library's way
		RunE: func(cmd *cobra.Command, args []string) error {
			o, words, err := hostsArgs(args)
			if err != nil {
				return err
			}
			if len(words) == 1 && (words[0] == "-h" || words[0] == "--help") {
				return cmd.Help()
			}
			return o.run(cmd.Context(), words)
		},
	}
}

// hostsArgs takes the options before the command.
func hostsArgs(args []string) (*hostsOptions, []string, error) {
	o := &hostsOptions{url: cmp.Or(os.Getenv("WARREN_URL"), defaultURL), key: os.Getenv("WARREN_KEY"),
		audit: filepath.Join(stateDir(), "hosts-audit.log")}
	into := map[string]*string{"--url": &o.url, "--key": &o.key, "--audit": &o.audit}
	for len(args) > 0 && strings.HasPrefix(args[0], "--") {
		name, value, given := strings.Cut(args[0], "=")
		dest := into[name]
		if dest == nil {
			if name == "--help" {
				break
			}
			return nil, nil, fmt.Errorf("no option %s before the command; see: warren hosts --help", name)
		}
		if !given {
			if len(args) < 2 {
				return nil, nil, fmt.Errorf("%s wants a value", name)
			}
			args = args[1:]
			value = args[0]
		}
		*dest = value
		args = args[1:]
	}
	return o, args, nil
}

// stateDir is where programs of this user keep what they note.
func stateDir() string {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "warren")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	return filepath.Join(home, ".local", "state", "warren")
}

func (o *hostsOptions) run(ctx context.Context, words []string) error {
	dial, name, err := hosts.Dialer(o.url, "warren hosts")
	if err != nil {
		return err
	}
	client := &hosts.Client{Dial: dial, User: name}
	client.By, client.From = whoAmI()
	if o.key != "" {
		if client.Signer, err = trust.ReadSigner(o.key); err != nil {
			return err
		}
	}
	client.Audit = func(e hosts.Entry) {
		if err := appendJSON(o.audit, e); err != nil {
			fmt.Fprintln(os.Stderr, "Warning: the audit log cannot be written:", err)
		}
	}
	defer client.Close()
	c := console.New(client, os.Stdout, os.Stderr)
	c.Progress = isTerminal(os.Stderr)
	defer c.Close()
	code := 0
	if len(words) > 0 {
		ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer stop()
		code = c.Exec(ctx, words)
	} else {
		if err := client.Connect(ctx); err != nil {
			return &exitError{exitUnavailable, err}
		}
		ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
		defer stop()
		code = c.Serve(ctx, os.Stdin, filepath.Join(stateDir(), "hosts-history"))
	}
	if code != 0 {
		return &exitError{code, errSaid}
	}
	return nil
}

// errSaid goes with an exit code when all has been said.
var errSaid = errors.New("")

// whoAmI is who runs tasks, and from where, for audit logs. Nobody vouches for
// it; signatures and the broker's user do.
func whoAmI() (by, from string) {
	by = "unknown"
	if u, err := user.Current(); err == nil {
		by = u.Username
	}
	if sudo := os.Getenv("SUDO_USER"); sudo != "" {
		by = sudo + " as " + by
	}
	from, err := os.Hostname()
	if err != nil {
		from = "unknown"
	}
	if ssh, _, _ := strings.Cut(os.Getenv("SSH_CLIENT"), " "); ssh != "" {
		from += " (ssh from " + ssh + ")"
	}
	return by, from
}

// appendJSON adds a line to a file, which may be rotated away at any time.
func appendJSON(file string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	return errors.Join(err, f.Close())
}

// programVersion is what agents say of themselves.
func programVersion() string { return "warren " + server.Version }

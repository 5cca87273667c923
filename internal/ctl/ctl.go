// Package ctl is the command line of the operator: rabbitmqctl,
// rabbitmq-plugins, rabbitmq-diagnostics, rabbitmq-queues, rabbitmq-streams and
// rabbitmq-upgrade, as people and scripts know them.
//
// Main takes the arguments apart (options.go) by the table of commands
// (table.go and the files named after groups), asks the node over its HTTP API
// (node.go) and prints what comes (format.go, value.go, erlang.go). A command is
// data and one function; what it says, in which words and with which exit code,
// is RabbitMQ's.
package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Tool is one of the programs; each knows its own commands.
type Tool string

// The tools, by the names that they are called with.
const (
	Ctl         Tool = "rabbitmqctl"
	Plugins     Tool = "rabbitmq-plugins"
	Diagnostics Tool = "rabbitmq-diagnostics"
	Queues      Tool = "rabbitmq-queues"
	Streams     Tool = "rabbitmq-streams"
	Upgrade     Tool = "rabbitmq-upgrade"
)

// Tools are all of them.
func Tools() []Tool { return []Tool{Ctl, Plugins, Diagnostics, Queues, Streams, Upgrade} }

// Env is the world that a command runs in.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) (string, bool)
	// Where tells where the node's files are. It is asked with what --data-dir
	// says.
	Where func(dataDir string) (Where, error)
	Tool  Tool
	// Name is how the tool was called, for its help: "rabbitmqctl", "warren ctl".
	Name    string
	Version string // of this program
	Now     func() time.Time
}

// Where is where a node keeps its files.
type Where struct {
	DataDir     string
	PluginsFile string // of the enabled plugins; "": in DataDir
	Version     string // that the node tells of its plugins
	NodeName    string // that the node has when it starts
	TLS         []TLSFiles
}

// call is one command with its arguments.
type call struct {
	*Env
	ctx  context.Context
	cmd  *Command
	args []string
	opts options
	raw  []string // the arguments as they were given, without the options before the command
	node *node
}

// Main runs one command line and returns the exit code.
func Main(ctx context.Context, env *Env, argv []string) int {
	c := &call{Env: env, ctx: ctx, raw: argv}
	err := c.main(argv)
	var e *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &e):
	case errors.Is(err, context.DeadlineExceeded):
		e = &exitError{code: exitTempFail, text: fmt.Sprintf("Error: operation %s on node %s timed out. Timeout value used: %d",
			c.cmd.Name, c.nodeLabel(), c.timeout().Milliseconds())}
	default:
		e = failed(exitUnavailable, err.Error())
	}
	if e.text != "" {
		fmt.Fprintln(env.Stderr, strings.TrimRight(e.text, "\n")+strings.Repeat("\n", e.blank()))
	}
	return e.code
}

func (c *call) main(argv []string) error {
	name := commandName(argv)
	switch {
	case contains(argv, "--version") && name == "":
		fmt.Fprintln(c.Stdout, c.Version)
		return nil
	case contains(argv, "--auto-complete"):
		return c.autocomplete(strings.TrimPrefix(strings.Join(argv, " "), "--auto-complete "))
	case name == "" && wantsHelp(argv):
		fmt.Fprint(c.Stdout, c.overview())
		return nil
	case name == "":
		return &exitError{code: exitUsage, text: c.overview()}
	}
	cmd := find(c.Tool, name)
	if cmd == nil {
		return c.unknown(name)
	}
	c.cmd = cmd
	parsed := parse(argv, cmd.flags())
	c.opts, c.args = parsed.opts, parsed.args[1:]
	if c.flag("help") {
		fmt.Fprint(c.Stdout, c.help(cmd))
		return nil
	}
	if err := c.check(parsed.invalid); err != nil {
		return err
	}
	if c.flag("dry-run") {
		return nil
	}
	if d := c.timeout(); (d > 0 || c.has("timeout")) && !cmd.OwnTimeout {
		var cancel context.CancelFunc
		c.ctx, cancel = context.WithTimeout(c.ctx, d)
		defer cancel()
	}
	return c.run()
}

// check is everything that can be said about a command line without the node.
func (c *call) check(invalid []badOption) error {
	if len(invalid) > 0 && c.cmd.Group != groupForeign { // what is refused anyway may have any options
		var lines []string
		for _, b := range invalid {
			lines = append(lines, b.name+" : "+b.value)
		}
		return c.wrong(exitUsage, "Invalid options for this command:\n"+strings.Join(lines, "\n"))
	}
	if _, err := newFormatter(c); err != nil {
		return err
	}
	switch n := len(c.args); {
	case n < c.cmd.Min:
		return c.wrong(exitUsage, "not enough arguments.")
	case c.cmd.Max >= 0 && n > c.cmd.Max:
		return c.wrong(exitUsage, "too many arguments.")
	}
	if c.cmd.Check != nil {
		return c.cmd.Check(c)
	}
	return nil
}

func (c *call) run() error {
	if !c.cmd.Local {
		var err error
		if c.node, err = c.connect(); err != nil {
			return err
		}
		if err := c.running(); err != nil {
			return err
		}
	}
	f, err := newFormatter(c)
	if err != nil {
		return err
	}
	if c.cmd.Banner != nil && !c.silent() && !f.machine {
		if b := c.cmd.Banner(c); b != "" {
			fmt.Fprintln(c.Stdout, b)
		}
	}
	out, err := c.cmd.Run(c)
	if err != nil {
		return f.failure(err)
	}
	return f.print(out)
}

// Helpers for the commands' functions.

func (c *call) flag(name string) bool     { return c.opts[name] == "true" }
func (c *call) option(name string) string { return c.opts[name] }
func (c *call) has(name string) bool      { _, ok := c.opts[name]; return ok }
func (c *call) quiet() bool               { return c.flag("quiet") || c.flag("silent") }
func (c *call) silent() bool              { return c.quiet() }

// vhost is that of -p, "/" by default.
func (c *call) vhost() string {
	if v, ok := c.opts["vhost"]; ok {
		return v
	}
	return "/"
}

func (c *call) number(name string, otherwise int64) int64 {
	if v, ok := c.opts[name]; ok {
		if n, err := parseInt(v); err == nil {
			return n
		}
	}
	return otherwise
}

// timeout is what -t says, or the command's own; 0: none.
func (c *call) timeout() time.Duration {
	if _, ok := c.opts["timeout"]; ok {
		return time.Duration(c.number("timeout", 0)) * time.Second
	}
	return c.cmd.Timeout
}

func contains(argv []string, s string) bool {
	for _, a := range argv {
		if a == s || strings.HasPrefix(a, s+" ") {
			return true
		}
	}
	return false
}

func wantsHelp(argv []string) bool {
	return contains(argv, "--help") || contains(argv, "-?") || contains(argv, "-h")
}

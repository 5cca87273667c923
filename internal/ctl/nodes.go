package ctl

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// poll is how often a state that is waited for is looked at.
const poll = 50 * time.Millisecond

func nodeCommands() []*Command {
	pidfile := [2]string{"<pidfile>", "File that holds the number of the node's process"}
	return []*Command{
		{Name: "stop", Group: groupNodes, Usage: "stop [--idempotent] [<pidfile>]", Max: 1, Flags: []flag{{"idempotent", boolean, ""}}, Local: true,
			Short: "Ends the node's process and waits until it is gone", Explain: [][2]string{pidfile, {"--idempotent", "it is no error if the node does not run"}},
			Run: (*call).stop},
		{Name: "shutdown", Group: groupNodes, Usage: "shutdown [--wait]", Flags: []flag{{"wait", boolean, ""}}, Needs: anyState, Timed: true, OwnTimeout: true,
			Short: "Ends the node's process and waits until it is gone", Explain: [][2]string{{"--no-wait", "do not wait"}}, Run: (*call).shutdown},
		{Name: "stop_app", Group: groupNodes, Usage: "stop_app", Needs: anyState, Short: "Stops the broker; its process goes on",
			Banner: bannerf("Stopping rabbit application on node %s ...", onNode), Run: func(c *call) (any, error) { return nil, c.command("stop_app", nil) }},
		{Name: "start_app", Group: groupNodes, Usage: "start_app", Needs: anyState, Short: "Starts the broker again that stop_app stopped",
			Banner: bannerf("Starting node %s ...", onNode), Run: func(c *call) (any, error) { return nil, c.command("start_app", nil) }},
		{Name: "reset", Group: groupNodes, Usage: "reset", Needs: appStopped, Short: "Deletes all definitions and messages of a stopped broker",
			Banner: bannerf("Resetting node %s ...", onNode), Run: func(c *call) (any, error) { return nil, c.command("reset", nil) }},
		{Name: "force_reset", Group: groupCluster, Usage: "force_reset", Needs: appStopped, Short: "Does what reset does",
			Banner: bannerf("Forcefully resetting node %s ...", onNode), Run: func(c *call) (any, error) { return nil, c.command("reset", nil) }},
		{Name: "wait", Tools: []Tool{Ctl, Diagnostics}, Group: groupNodes, Usage: "wait [<pidfile>] [--pid|-P <pid>]", Timed: true, Max: 1, Local: true,
			Flags: []flag{{"pid", integer, "P"}}, Short: "Waits until a node with this pid file or process runs", Explain: [][2]string{pidfile},
			Timeout: 10 * time.Second, Check: (*call).checkWait, Run: (*call).wait},
		{Name: "await_startup", Group: groupNodes, Usage: "await_startup", Needs: anyState, Short: "Waits until the broker runs", Timeout: 5 * time.Minute,
			Run: func(c *call) (any, error) { return nil, c.awaitRunning() }},
		{Name: "await_online_nodes", Group: groupCluster, Usage: "await_online_nodes <count>", Timed: true, Min: 1, Max: 1, OwnTimeout: true,
			Short: "Waits until so many nodes are in the cluster", Timeout: 5 * time.Minute, Check: (*call).checkCount,
			Banner: func(c *call) string {
				return fmt.Sprintf("Will wait for at least %s nodes to join the cluster of %s. Timeout: %d seconds.", c.args[0], c.name(), int(c.timeout().Seconds()))
			}, Run: (*call).awaitNodes},
		{Name: "rotate_logs", Group: groupNodes, Usage: "rotate_logs", Needs: anyState, Short: "Closes and opens the log files",
			Banner: bannerf("Rotating logs for node %s ...", onNode), Run: func(c *call) (any, error) { return nil, c.command("rotate-logs", nil) }},
		{Name: "suspend_listeners", Group: groupOperations, Usage: "suspend_listeners", Short: "Accepts no new connections of clients",
			Banner: bannerf("Will suspend client connection listeners on node %s. The node will no longer accept client connections!", onNode),
			Run:    func(c *call) (any, error) { return nil, c.command("suspend-listeners", nil) }},
		{Name: "resume_listeners", Group: groupOperations, Usage: "resume_listeners", Short: "Accepts connections again",
			Banner: bannerf("Will resume client connection listeners on node %s. The node will now accept client connections", onNode),
			Run:    func(c *call) (any, error) { return nil, c.command("resume-listeners", nil) }},
		{Name: "ping", Tools: []Tool{Ctl, Diagnostics}, Group: groupMonitoring, Usage: "ping", Timed: true, Needs: anyState, Timeout: time.Minute,
			Short: "Says whether the node's process answers",
			Banner: func(c *call) string {
				return fmt.Sprintf("Will ping %s. This only checks if the OS process is running and registered with epmd. Timeout: %d ms.", c.name(), c.timeout().Milliseconds())
			}, Run: func(*call) (any, error) { return "Ping succeeded", nil }},
	}
}

// stop ends the node. As with RabbitMQ's tool that also works on a node whose
// broker is stopped.
func (c *call) stop() (any, error) {
	n, err := c.connect()
	if err != nil {
		if c.flag("idempotent") {
			return fmt.Sprintf("Node %s is no longer running", c.nodeName()), nil
		}
		return nil, err
	}
	c.node = n
	c.sayf("Stopping and halting node %s ...", c.name())
	if len(c.args) > 0 {
		if err := c.checkPidfile(c.args[0]); err != nil {
			return nil, err
		}
	}
	return nil, c.end()
}

// sayf is a line that is part of what a command tells while it works.
func (c *call) sayf(format string, args ...any) {
	if !c.quiet() {
		fmt.Fprintf(c.Stdout, format+"\n", args...)
	}
}

// nodeName is the name of a node that does not answer.
func (c *call) nodeName() string {
	if s := c.option("node"); s != "" {
		return s
	}
	if w, err := c.Where(c.option("data-dir")); err == nil && w.NodeName != "" {
		return w.NodeName
	}
	return "warren"
}

// checkPidfile makes sure that the file is about this node.
func (c *call) checkPidfile(file string) error {
	pid, err := readPid(file)
	if err != nil {
		return failed(exitUnavailable, err.Error())
	}
	if pid != c.node.info.OSPid {
		return failedf(exitUnavailable, "pid file %s is of process %d, but node %s is process %d", file, pid, c.name(), c.node.info.OSPid)
	}
	return nil
}

func readPid(file string) (int, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 0 {
		return 0, fmt.Errorf("%s holds no number of a process", file)
	}
	return pid, nil
}

// end tells the node to stop and waits until it has.
func (c *call) end() error {
	if err := c.command("stop", nil); err != nil {
		return err
	}
	return c.until(func() bool { return !alive(c.node.info.OSPid) || !c.local() && c.get("/node/status", nil) != nil })
}

// local says whether the node's process is one of this machine.
func (c *call) local() bool { return !isURL(c.option("node")) }

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	if err == nil || errors.Is(err, syscall.EPERM) {
		return !zombie(pid)
	}
	return false
}

// zombie says whether a process has ended and only its parent does not know yet.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(rest, "Z")
}

// until waits for a condition.
func (c *call) until(ok func() bool) error {
	t := time.NewTicker(poll)
	defer t.Stop()
	for !ok() {
		select {
		case <-t.C:
		case <-c.ctx.Done():
			return c.ctx.Err()
		}
	}
	return nil
}

func (c *call) shutdown() (any, error) {
	c.sayf("Shutting down RabbitMQ node %s running at PID %d", c.name(), c.node.info.OSPid)
	if c.option("wait") == "false" {
		return nil, c.command("stop", nil)
	}
	c.sayf("Waiting for PID %d to terminate", c.node.info.OSPid)
	if err := c.end(); err != nil {
		return nil, err
	}
	return fmt.Sprintf("RabbitMQ node %s running at PID %d successfully shut down", c.name(), c.node.info.OSPid), nil
}

func (c *call) awaitRunning() error {
	return c.until(func() bool {
		return c.node.Get(c.ctx, "/node/status", &c.node.info) == nil && c.node.info.AppRunning
	})
}

func (c *call) checkWait() error {
	if len(c.args) == 0 && !c.has("pid") {
		return c.wrong(exitUsage, `"No pid or pidfile specified"`)
	}
	if len(c.args) > 0 && c.has("pid") {
		return c.wrong(exitUsage, `"Cannot specify both pid and pidfile"`)
	}
	return nil
}

// wait follows a node from its pid file to its running broker. A process that
// ends meanwhile ends the wait.
func (c *call) wait() (any, error) {
	pid := int(c.number("pid", 0))
	if len(c.args) > 0 {
		c.sayf("Waiting for pid file '%s' to appear", c.args[0])
		err := c.until(func() bool {
			n, err := readPid(c.args[0])
			pid = n
			return err == nil
		})
		if err != nil {
			return nil, err
		}
		c.sayf("pid is %d", pid)
	}
	c.sayf("Waiting for erlang distribution on node '%s' while OS process '%d' is running", c.nodeName(), pid)
	var gone bool
	err := c.until(func() bool {
		var err error
		c.node, err = c.connect()
		gone = err != nil && !alive(pid)
		return err == nil || gone
	})
	if gone {
		return nil, failed(exitUnavailable, "process_not_running")
	}
	if err != nil {
		return nil, err
	}
	c.sayf("Waiting for applications 'rabbit_and_plugins' to start on node '%s'", c.name())
	if err := c.awaitRunning(); err != nil {
		return nil, err
	}
	return fmt.Sprintf("Applications 'rabbit_and_plugins' are running on node '%s'", c.name()), nil
}

func (c *call) checkCount() error {
	if n, err := parseInt(c.args[0]); err != nil || n < 1 {
		return c.badArgument("Argument must be a positive integer")
	}
	return nil
}

// awaitNodes knows that there is one node.
func (c *call) awaitNodes() (any, error) {
	if n, _ := parseInt(c.args[0]); n <= 1 {
		return nil, nil
	}
	select {
	case <-time.After(c.timeout()):
	case <-c.ctx.Done():
	}
	return nil, failedf(exitSoftware, "Error: timed out while waiting. Not enough nodes joined %s's cluster.", c.name())
}

// listeners are the node's, in the order of their protocols' importance.
func (c *call) listeners() []apitype.Listener { return c.node.info.Listeners }

// enabledPluginsFile is where a node that does not run will look.
func (c *call) enabledPluginsFile(w Where) string {
	if f := c.option("enabled-plugins-file"); f != "" {
		return f
	}
	if w.PluginsFile != "" {
		return w.PluginsFile
	}
	return filepath.Join(w.DataDir, "enabled_plugins")
}

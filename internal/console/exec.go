package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/hosts"
	"github.com/warrenmq/warren/internal/hosts/command"
	"github.com/warrenmq/warren/internal/hosts/record"
	"github.com/warrenmq/warren/internal/hosts/topology"
	"github.com/warrenmq/warren/internal/hosts/trust"
)

// Console carries out commands.
type Console struct {
	Client   *hosts.Client
	Out, Err io.Writer
	// Progress: Err is a terminal, where a line may be written over.
	Progress bool
	// Interactive: there is a prompt, so that batches can go on behind it. A script
	// waits for them, as it may be over before they are.
	Interactive bool

	drivers sync.WaitGroup
	stop    context.CancelFunc // of the drivers
	driving context.Context
	exiting bool
	editing atomic.Bool // a line is being typed
}

// New makes a console. Close ends what goes on behind the prompt.
func New(c *hosts.Client, out, err io.Writer) *Console {
	con := &Console{Client: c, Out: out, Err: err}
	con.driving, con.stop = context.WithCancel(context.Background())
	return con
}

// Close stops batches that are under way: hosts that were not asked will not be.
func (c *Console) Close() {
	c.stop()
	c.drivers.Wait()
}

// job is a call that is being carried out.
type job struct {
	*call
	ctx context.Context
}

// Exec carries out one command, given as words, and returns its exit code.
func (c *Console) Exec(ctx context.Context, words []string) int {
	call, err := parse(words)
	if err != nil {
		return c.fail(err, exitUsage)
	}
	if call.help {
		call = &(*call)
		call.args = []string{call.verb.name}
		return c.cmdHelp(&job{call, ctx})
	}
	if err := call.arity(); err != nil {
		return c.fail(err, exitUsage)
	}
	return call.verb.run(c, &job{call, ctx})
}

// arity compares the number of arguments with what the help says.
func (c *call) arity() error {
	n := len(c.args)
	switch {
	case c.verb.args == "" && n > 0:
		return fmt.Errorf("%s takes no argument; see: help %s", c.verb.name, c.verb.name)
	case strings.HasPrefix(c.verb.args, "[") && n > 1, !strings.Contains(c.verb.args, "...") && !strings.HasPrefix(c.verb.args, "[") && c.verb.args != "" && n != 1:
		return fmt.Errorf("want: %s %s; see: help %s", c.verb.name, c.verb.args, c.verb.name)
	case strings.Contains(c.verb.args, "...") && n == 0:
		return fmt.Errorf("want: %s %s; see: help %s", c.verb.name, c.verb.args, c.verb.name)
	}
	return nil
}

// fail prints what is wrong. What was refused, or cannot reach the broker, has
// its own exit codes.
func (c *Console) fail(err error, code int) int {
	var refused *hosts.RefusedError
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &refused):
		code = exitRefused
	}
	fmt.Fprintln(c.Err, "Error:", hosts.Printable([]byte(err.Error())))
	return code
}

// The defaults of run.
const (
	defaultTimeout = 5 * time.Minute
	defaultExpires = 30 * time.Minute
	defaultKeep    = 7 * 24 * time.Hour
	defaultOutput  = 1 << 20
)

// spec reads the options of run; the command is left to be filled in.
func (c *call) spec() (s hosts.Spec, err error) {
	var errs [4]error
	var timeout time.Duration
	timeout, errs[0] = c.duration("timeout", defaultTimeout)
	s.Expires, errs[1] = c.duration("expires", defaultExpires)
	s.Keep, errs[2] = c.duration("keep", defaultKeep)
	s.Command.OutputLimit, errs[3] = c.size("output-limit", defaultOutput)
	s.Hosts, s.Batch = c.set["hosts"], c.text("batch", "")
	s.Command.TimeoutMS = timeout.Milliseconds()
	s.Command.Shell, s.Command.User, s.Command.Dir = c.has("shell"), c.text("user", ""), c.text("dir", "")
	s.Command.Env = c.set["env"]
	return s, errors.Join(errs[:]...)
}

func (c *Console) cmdRun(j *job) int {
	base, err := j.spec()
	if err != nil {
		return c.fail(err, exitUsage)
	}
	var specs []hosts.Spec
	for _, text := range j.args { // all are looked at before the first is run
		s := base
		s.Text = text
		if s.Command.Shell {
			s.Command.Argv = []string{text}
			if strings.TrimSpace(text) == "" {
				s.Command.Argv = nil
			}
		} else if s.Command.Argv, err = command.Split(text); err != nil {
			return c.fail(&hosts.RefusedError{Text: fmt.Sprintf("%s: %v", command.Quote(text), err)}, exitRefused)
		}
		if err := s.Command.Check(); err != nil {
			return c.fail(&hosts.RefusedError{Text: err.Error()}, exitRefused)
		}
		specs = append(specs, s)
	}
	var views []*record.View
	for _, s := range specs {
		v, err := c.Client.Run(j.ctx, s)
		if v != nil {
			views = append(views, v)
			c.begun(j, v)
		}
		if err != nil {
			return c.fail(err, exitUnavailable)
		}
	}
	return c.after(j, views)
}

// begun says that a task has its number.
func (c *Console) begun(j *job, v *record.View) {
	if !j.has("json") {
		fmt.Fprintf(c.Out, "task id: %d\n", v.Task.ID)
	}
	for _, h := range v.Hosts {
		if h.State == record.Rejected {
			fmt.Fprintf(c.Err, "%s: refused: %s\n", label(h), hosts.Line(h.Reason))
		}
	}
}

// after waits for tasks, or leaves them alone.
func (c *Console) after(j *job, views []*record.View) int {
	code := exitOK
	wait := j.has("wait")
	for i, v := range views {
		batches := v.Task.Batch > 0 && !v.Final()
		switch {
		case wait || batches && !c.Interactive:
			got, failed := c.follow(j.ctx, c.Client.Drive, v.Task.ID, hosts.TaskOptions{}, nil, v)
			views[i] = got
			if failed != exitOK {
				return failed
			}
			if wait && !j.has("json") {
				if len(views) > 1 {
					fmt.Fprintf(c.Out, "task id: %d\n", got.Task.ID)
				}
				writeTask(c.Out, got, nil, j.has("raw"))
			}
		case batches:
			c.drivers.Go(func() { c.drive(v.Task.ID) })
		}
		code = max(code, exitCode(views[i]))
	}
	if j.has("json") {
		c.reports(j.ctx, views)
	}
	return code
}

// drive runs the batches of a task behind the prompt.
func (c *Console) drive(id record.ID) {
	err := c.Client.Drive(c.driving, id, hosts.TaskOptions{NoOutput: true}, func(*record.View) bool { return false })
	if err != nil && c.driving.Err() == nil {
		fmt.Fprintf(c.Err, "Error: task %d: %v\n", id, err)
	}
}

// watch is how a task is followed: Client.Drive by the console that runs it,
// Client.Watch by all others.
type watch func(context.Context, record.ID, hosts.TaskOptions, func(*record.View) bool) error

// follow waits until a task is over, with a progress line, or whatever show
// does. If it is not waited for to the end, the exit code says why.
func (c *Console) follow(ctx context.Context, by watch, id record.ID, o hosts.TaskOptions, show func(*record.View), v *record.View) (*record.View, int) {
	last, when := "", time.Time{}
	progress := func(v *record.View) {
		text := tally(v.Count(), len(v.Hosts))
		if c.Progress && show == nil && text != last && time.Since(when) > 100*time.Millisecond {
			fmt.Fprintf(c.Err, "\r\x1b[Ktask %d: %s", id, text)
			last, when = text, time.Now()
		}
	}
	err := by(ctx, id, o, func(now *record.View) bool {
		v = now
		progress(v)
		if show != nil {
			show(v)
		}
		return v.Final()
	})
	if c.Progress && show == nil {
		fmt.Fprint(c.Err, "\r\x1b[K")
	}
	switch {
	case ctx.Err() != nil:
		rest := ""
		if v != nil && v.Task.Batch > 0 && show == nil {
			rest = " on the hosts that were asked"
		}
		fmt.Fprintf(c.Err, "task %d goes on%s; see: check_task %d\n", id, rest, id)
		return v, exitInterrupted
	case err != nil:
		return v, c.fail(err, exitUnavailable)
	}
	return v, exitOK
}

// reports prints tasks as JSON: one, or a list.
func (c *Console) reports(ctx context.Context, views []*record.View) {
	list, _ := c.Client.Hosts(ctx)
	var reports []hosts.Report
	for _, v := range views {
		reports = append(reports, hosts.NewReport(v, list))
	}
	if len(reports) == 1 {
		writeJSON(c.Out, reports[0])
		return
	}
	writeJSON(c.Out, reports)
}

func (c *Console) cmdCheck(j *job) int {
	id, err := record.ParseID(j.args[0])
	if err != nil {
		return c.fail(&hosts.RefusedError{Text: err.Error()}, exitRefused)
	}
	only := j.text("host", "")
	if j.has("follow") {
		return c.followTask(j, id, only)
	}
	v, err := c.Client.Task(j.ctx, id, hosts.TaskOptions{Only: only})
	if err != nil {
		return c.fail(err, exitUnavailable)
	}
	if only != "" && !c.narrow(v, only) {
		return exitRefused
	}
	var list []hosts.Host
	if !v.Final() {
		if list, err = c.Client.Hosts(j.ctx); err != nil {
			return c.fail(err, exitUnavailable)
		}
	}
	if j.has("json") {
		writeJSON(c.Out, hosts.NewReport(v, list))
	} else {
		writeTask(c.Out, v, hosts.Online(list), j.has("raw"))
	}
	return exitCode(v)
}

// narrow leaves one host in a view, which is only looked at from here on.
func (c *Console) narrow(v *record.View, only string) bool {
	i := slices.IndexFunc(v.Hosts, func(h *record.Host) bool { return h.Name == only || h.As == only })
	if i < 0 {
		fmt.Fprintf(c.Err, "Error: task %d has no host %s\n", v.Task.ID, only)
		return false
	}
	v.Hosts = v.Hosts[i : i+1]
	return true
}

func (c *Console) followTask(j *job, id record.ID, only string) int {
	f := &follower{out: c.Out, raw: j.has("raw"), only: only, shown: map[string]*shown{}}
	if j.has("json") {
		f.out = io.Discard
	}
	if only != "" {
		if v, err := c.Client.Task(j.ctx, id, hosts.TaskOptions{NoOutput: true}); err != nil {
			return c.fail(err, exitUnavailable)
		} else if !c.narrow(v, only) {
			return exitRefused
		}
	}
	v, failed := c.follow(j.ctx, c.Client.Watch, id, hosts.TaskOptions{Only: only}, f.show, nil)
	switch {
	case failed != exitOK:
		return failed
	case only != "" && !c.narrow(v, only):
		return exitRefused
	case j.has("json"):
		writeJSON(c.Out, hosts.NewReport(v, nil))
	}
	return exitCode(v)
}

func (c *Console) cmdTasks(j *job) int {
	limit := 20
	if j.has("all") {
		limit = 0
	}
	list, err := c.Client.Tasks(j.ctx, limit)
	return show(c, j, list, err, "no tasks yet", taskRows)
}

// show prints a list: as JSON, as a table, or in words that there is nothing.
func show[T any](c *Console, j *job, list []T, err error, none string, rows func([]T) [][]string) int {
	switch {
	case err != nil:
		return c.fail(err, exitUnavailable)
	case j.has("json"):
		writeJSON(c.Out, list)
	case len(list) == 0:
		fmt.Fprintln(c.Out, none)
	default:
		table(c.Out, rows(list))
	}
	return exitOK
}

func (c *Console) cmdCancel(j *job) int {
	id, err := record.ParseID(j.args[0])
	if err != nil {
		return c.fail(&hosts.RefusedError{Text: err.Error()}, exitRefused)
	}
	v, err := c.Client.Cancel(j.ctx, id)
	if err != nil {
		return c.fail(err, exitUnavailable)
	}
	if j.has("json") {
		c.reports(j.ctx, []*record.View{v})
	} else {
		fmt.Fprintf(c.Out, "task %d is being cancelled\n", id)
	}
	return exitOK
}

func (c *Console) cmdRetry(j *job) int {
	id, err := record.ParseID(j.args[0])
	if err != nil {
		return c.fail(&hosts.RefusedError{Text: err.Error()}, exitRefused)
	}
	v, err := c.Client.Retry(j.ctx, id, j.has("failed"))
	if v != nil {
		c.begun(j, v)
	}
	if err != nil {
		return c.fail(err, exitUnavailable)
	}
	return c.after(j, []*record.View{v})
}

func (c *Console) cmdHosts(j *job) int {
	list, err := c.Client.Hosts(j.ctx)
	return show(c, j, list, err, "no hosts: no agent has connected to this virtual host yet (see: warren agent --help)", hostRows)
}

func (c *Console) cmdForget(j *job) int {
	for _, name := range j.args {
		if err := c.Client.Forget(j.ctx, name); err != nil {
			return c.fail(err, exitUnavailable)
		}
		fmt.Fprintf(c.Out, "%s is forgotten\n", name)
	}
	return exitOK
}

func (c *Console) cmdPermissions(j *job) int {
	text, err := topology.Permissions(j.args[0], j.text("vhost", "/"), j.has("operator"))
	if err != nil {
		return c.fail(err, exitUsage)
	}
	fmt.Fprint(c.Out, text)
	return exitOK
}

func (c *Console) cmdKeygen(j *job) int {
	key, err := trust.Generate(j.args[0])
	if err != nil {
		return c.fail(err, exitUsage)
	}
	file := j.text("out", key.Operator+".key")
	if err := key.WriteFile(file); err != nil {
		if errors.Is(err, os.ErrExist) {
			err = fmt.Errorf("%s is there already; it is not overwritten", file)
		}
		return c.fail(err, exitFailed)
	}
	fmt.Fprintf(c.Out, "private key: %s (keep it; use it with: warren hosts --key %s)\nfor the allow files of agents:\n%s\n", file, file, key.PolicyLine())
	return exitOK
}

func (c *Console) cmdHelp(j *job) int {
	name := ""
	if len(j.args) > 0 {
		name = j.args[0]
	}
	text, err := helpText(name)
	if err != nil {
		return c.fail(err, exitUsage)
	}
	fmt.Fprint(c.Out, text)
	return exitOK
}

func (c *Console) cmdExit(*job) int {
	c.exiting = true
	return exitOK
}

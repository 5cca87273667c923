package conformance

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Command is the tester by hand, see README.md. It returns the exit status: 1
// if anything but reply texts differs, 2 if it could not run.
func Command(args []string, out io.Writer) int {
	c := &command{out: out, rec: map[string][]Ev{}}
	if err := c.parse(args); err != nil {
		fmt.Fprintln(out, err)
		return 2
	}
	if err := c.run(); err != nil {
		fmt.Fprintln(out, err)
		return 2
	}
	fmt.Fprintf(out, "%d cases, %d equal, %d differ (text-only %d)\n", c.total, c.equal, c.total-c.equal, c.textOnly)
	if c.total-c.equal > c.textOnly {
		return 1
	}
	return 0
}

// command is one invocation.
type command struct {
	a, b                 *Endpoint
	golden               *Golden
	only                 *regexp.Regexp
	script, record       string
	restart, kill        string
	list, abuse, verbose bool
	random, shrink, par  int
	seed                 int64
	width                int

	out                    io.Writer
	mu                     sync.Mutex
	total, equal, textOnly int
	rec                    map[string][]Ev
}

func (c *command) parse(args []string) error {
	f := flag.NewFlagSet("conformance", flag.ContinueOnError)
	f.SetOutput(c.out)
	a := f.String("a", "127.0.0.1:5672", "broker A, host:port")
	b := f.String("b", "golden", "broker B: host:port, golden (the recorded traces), or none")
	httpA := f.String("http-a", "", "management API of A, host:port; without it cases that need it are left out")
	httpB := f.String("http-b", "", "management API of B")
	vhost := f.String("vhost", "/", "vhost of the cases; made anew if there is a management API")
	user := f.String("user", "guest", "administrator")
	pass := f.String("pass", "guest", "its password")
	ctl := f.String("ctl-a", "", "command prefix of A's rabbitmqctl")
	only := f.String("only", "", "regular expression on names of cases")
	quiet := f.Duration("quiet", 400*time.Millisecond, "how long no frame must arrive to call it quiet")
	fault := f.String("fault", "", "self-test of the tester: B skips this operation")
	f.StringVar(&c.script, "script", "", "run one script file and print its trace")
	f.StringVar(&c.record, "record", "", "write the traces of A into this file, with those it has")
	f.StringVar(&c.restart, "restart-a", "", "shell command that restarts A cleanly")
	f.StringVar(&c.kill, "kill-a", "", "shell command that kills A with SIGKILL and starts it")
	f.BoolVar(&c.list, "list", false, "list the cases")
	f.BoolVar(&c.abuse, "abuse", false, "run the cases of abuse")
	f.BoolVar(&c.verbose, "v", false, "print every trace")
	f.IntVar(&c.random, "random", 0, "how many random sequences to run")
	f.Int64Var(&c.seed, "seed", 1, "seed of the first of them")
	f.IntVar(&c.shrink, "shrink", 0, "how many of those that differ to shrink; needs two live brokers")
	f.IntVar(&c.par, "parallel", 8, "cases at the same time")
	f.IntVar(&c.width, "width", 84, "width of a column")
	if err := f.Parse(args); err != nil {
		return err
	}
	var err error
	if c.only, err = regexp.Compile(*only); err != nil {
		return err
	}
	endpoint := func(label, addr, http string) *Endpoint {
		ep := NewEndpoint(addr)
		ep.Label, ep.HTTP, ep.VHost, ep.User, ep.Pass, ep.Quiet = label, http, *vhost, *user, *pass, *quiet
		return ep
	}
	c.a = endpoint("A", *a, *httpA)
	c.a.Ctl = *ctl
	switch *b {
	case "none":
	case "golden":
		c.golden, err = RecordedGolden()
	default:
		c.b = endpoint("B", *b, *httpB)
		c.b.Fault = *fault
	}
	return err
}

func (c *command) endpoints() []*Endpoint {
	if c.b != nil {
		return []*Endpoint{c.a, c.b}
	}
	return []*Endpoint{c.a}
}

func (c *command) run() error {
	if c.list {
		for _, x := range Cases() {
			fmt.Fprintln(c.out, x.Name)
		}
		return nil
	}
	for _, ep := range c.endpoints() {
		if err := ep.Setup(); err != nil {
			return err
		}
		defer ep.Close()
	}
	var err error
	switch {
	case c.script != "":
		err = c.runScript()
	case c.random > 0:
		c.runRandom()
	case c.abuse:
		c.each(AbuseNames(), func(name string) {
			c.both(name, func(ep *Endpoint) []Ev { return RunAbuse(ep, name) })
		})
	default:
		err = c.runCases()
	}
	if err == nil && c.record != "" {
		err = c.save()
	}
	return err
}

func (c *command) runScript() error {
	b, err := os.ReadFile(c.script)
	if err != nil {
		return err
	}
	for _, x := range parseCases("### script\n" + string(b)) {
		c.verbose = true
		c.both(x.Name, func(ep *Endpoint) []Ev { return RunCase(ep, x) })
	}
	return nil
}

func (c *command) runCases() error {
	byName := map[string]*Case{}
	var names, serial []string
	var durable []*Case
	for _, x := range Cases() {
		switch {
		case !c.only.MatchString(x.Name), x.flags["http"] && c.a.HTTP == "", x.Area() == "alarm" && c.a.Ctl == "":
			continue
		case x.Area() == "durability":
			durable = append(durable, x)
			continue
		case x.flags["serial"]:
			serial = append(serial, x.Name)
		default:
			names = append(names, x.Name)
		}
		byName[x.Name] = x
	}
	one := func(name string) {
		c.both(name, func(ep *Endpoint) []Ev { return RunCase(ep, byName[name]) })
	}
	c.each(names, one)
	for _, name := range serial {
		one(name)
	}
	for kind, cmd := range map[string]string{"restart": c.restart, "kill9": c.kill} {
		if cmd == "" {
			continue
		}
		got, err := RunDurable(c.a, durable, kind, c.a.Shell(cmd))
		if err != nil {
			return err
		}
		for name, t := range got {
			c.note(name, t, nil)
		}
	}
	return nil
}

// each runs f for names that are asked for, several at a time.
func (c *command) each(names []string, f func(name string)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, max(c.par, 1))
	for _, n := range names {
		if !c.only.MatchString(n) {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(n)
		})
	}
	wg.Wait()
}

// both runs a case on A, and on B if that is a live one.
func (c *command) both(name string, run func(ep *Endpoint) []Ev) {
	var a, b []Ev
	var wg sync.WaitGroup
	if c.b != nil {
		wg.Go(func() { b = run(c.b) })
	}
	a = run(c.a)
	wg.Wait()
	c.note(name, a, b)
}

// note compares, counts, and prints what differs.
func (c *command) note(name string, a, b []Ev) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rec[name] = a
	if c.golden != nil {
		var ok bool
		if b, ok = c.golden.Cases[name]; !ok {
			fmt.Fprintln(c.out, "no trace recorded:", name)
			return
		}
	} else if c.b == nil {
		b = a
	}
	c.total++
	if c.verbose {
		fmt.Fprintf(c.out, "--- %s\n%s\n", name, strings.Join(flatten(a), "\n"))
	}
	switch compare(a, b) {
	case 0:
		c.equal++
	case 1:
		c.textOnly++
		fmt.Fprintf(c.out, "TEXT %s\n%s\n", name, sideBySide(a, b, "A", "B", c.width))
	default:
		fmt.Fprintf(c.out, "DIFF %s\n%s\n", name, sideBySide(a, b, "A", "B", c.width))
	}
}

func (c *command) runRandom() {
	var names []string
	seeds := map[string]int64{}
	for i := range int64(c.random) {
		n := fmt.Sprintf("fuzz/seed-%d-ops-%d", c.seed+i, fuzzLength)
		names = append(names, n)
		seeds[n] = c.seed + i
	}
	c.each(names, func(name string) {
		ops := fuzzOps(seeds[name], fuzzLength)
		var want []Ev
		if c.golden != nil {
			want = c.golden.Cases[name]
		}
		a, b, d := runSeq(c.endpoints(), ops, want)
		if d == 2 && c.b != nil && c.mayShrink() {
			ops = shrink(c.endpoints(), ops)
			a, b, _ = runSeq(c.endpoints(), ops, nil)
		}
		c.note(name, a, b)
	})
}

func (c *command) mayShrink() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shrink--
	return c.shrink >= 0
}

// save adds the traces to a file.
func (c *command) save() error {
	g, err := loadGolden(c.record)
	if os.IsNotExist(err) {
		g, err = &Golden{Reference: c.a.Addr, Cases: map[string][]Ev{}}, nil
	}
	if err != nil {
		return err
	}
	g.Recorded = time.Now().UTC().Format(time.RFC3339)
	for n, t := range c.rec {
		g.Cases[n] = t
	}
	return g.save(c.record)
}

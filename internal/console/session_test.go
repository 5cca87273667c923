package console_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/warrenmq/warren/internal/hosts/agent"
	"github.com/warrenmq/warren/internal/hosts/hoststest"
)

// program is the real program, built once for all tests.
var program string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "warren-console")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "warren")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", program, "./cmd/warren")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building warren: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// site is a broker, and where programs of a test keep things.
type site struct {
	t   *testing.T
	b   *hoststest.Broker
	dir string
}

func newSite(t *testing.T, b *hoststest.Broker) *site { return &site{t, b, t.TempDir()} }

func (s *site) command(args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "WARREN_URL="+s.b.URL, "XDG_STATE_HOME="+s.dir, "TERM=xterm")
	cmd.Dir = s.dir
	return cmd
}

// agent starts an agent as a process of its own.
func (s *site) agent(name string, more ...string) *exec.Cmd {
	s.t.Helper()
	cmd := s.command(append([]string{"agent", "--name", name, "--state-dir", filepath.Join(s.dir, name)}, more...)...)
	log, err := os.OpenFile(filepath.Join(s.dir, name+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if s.t.Failed() {
			raw, _ := os.ReadFile(log.Name())
			s.t.Logf("agent %s:\n%s", name, raw)
		}
	})
	return cmd
}

// once runs `warren hosts` with a command.
func (s *site) once(args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	cmd := s.command(append([]string{"hosts"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	timer := time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// online waits until so many hosts are online.
func (s *site) online(n int) {
	s.t.Helper()
	hoststest.Eventually(s.t, "hosts are online", func() error {
		out, errs, _ := s.once("hosts", "--json")
		if got := strings.Count(out, `"online": true`); got != n {
			return fmt.Errorf("%d of %d: %s", got, n, errs)
		}
		return nil
	})
}

// terminal is the console in a terminal.
type terminal struct {
	t   *testing.T
	cmd *exec.Cmd
	tty *os.File

	mu   sync.Mutex
	text string // what has come and was not expected yet
	all  string
}

func (s *site) terminal() *terminal {
	s.t.Helper()
	term := &terminal{t: s.t, cmd: s.command("hosts")}
	tty, err := pty.StartWithSize(term.cmd, &pty.Winsize{Rows: 50, Cols: 150})
	if err != nil {
		s.t.Skipf("LEFT OUT: no terminal: %v", err)
	}
	term.tty = tty
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, err := tty.Read(buf)
			term.mu.Lock()
			term.text += string(buf[:n])
			term.all += string(buf[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	s.t.Cleanup(func() {
		term.cmd.Process.Kill()
		term.cmd.Wait()
		tty.Close()
		<-done
		if s.t.Failed() {
			s.t.Logf("terminal:\n%q", term.all[max(0, len(term.all)-3000):])
		}
	})
	term.expect(`>>: $`)
	return term
}

// typed sends keys.
func (term *terminal) typed(keys string) {
	term.t.Helper()
	if _, err := term.tty.WriteString(keys); err != nil {
		term.t.Fatal(err)
	}
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[a-zA-Z]`)

// expect waits until the terminal shows what matches, and returns the groups.
func (term *terminal) expect(pattern string) []string {
	term.t.Helper()
	re := regexp.MustCompile(`(?m)` + pattern)
	var found []string
	hoststest.Eventually(term.t, "the terminal shows "+pattern, func() error {
		term.mu.Lock()
		defer term.mu.Unlock()
		text := strings.ReplaceAll(term.text, "\r\x1b[K", "\n") // a line written over
		text = strings.ReplaceAll(escapes.ReplaceAllString(text, ""), "\r", "")
		if found = re.FindStringSubmatch(text); found == nil {
			return errors.New(text)
		}
		term.text = ""
		return nil
	})
	return found
}

// The session of the manual: two hosts, by their addresses.
func TestSession(t *testing.T) {
	hoststest.Each(t, func(t *testing.T, b *hoststest.Broker) {
		s := newSite(t, b)
		s.agent("web1", "--addr", "192.168.3.55", "--group", "web")
		db := s.agent("db1", "--addr", "10.4.3.4")
		s.online(2)
		term := s.terminal()
		term.typed("run \"echo hello from \" --hosts 192.168.3.55 10.4.3.4\r")
		id := term.expect(`^task id: (\d+)\n>>: $`)[1]
		hoststest.Eventually(t, "the task is over", func() error {
			if out, _, _ := s.once("check_task", id, "--json"); !strings.Contains(out, `"final": true`) {
				return errors.New(out)
			}
			return nil
		})
		term.typed("check_task " + id + "\r")
		term.expect(`192\.168\.3\.55  ok      exit 0  \d\.\d\d s\nhello from\n10\.4\.3\.4      ok      exit 0  \d\.\d\d s\nhello from\n>>: $`)

		// Who is away gets it later, or not at all.
		db.Process.Signal(syscall.SIGTERM)
		db.Wait()
		s.online(1)
		term.typed("run 'sleep 600' --hosts 192.168.3.55 10.4.3.4\r")
		id = term.expect(`^task id: (\d+)\n>>: $`)[1]
		hoststest.Eventually(t, "it runs", func() error {
			if out, _, _ := s.once("check_task", id); !strings.Contains(out, "running") {
				return errors.New(out)
			}
			return nil
		})
		term.typed("che\t" + id + "\r") // completed
		term.expect(`192\.168\.3\.55  running\n10\.4\.3\.4      offline  no agent answered; expires in 29 min\n>>: $`)
		term.typed("\x1b[A\r") // once more, from the history
		term.expect(`192\.168\.3\.55  running\n10\.4\.3\.4      offline  no agent answered; expires in 29 min\n>>: $`)
		term.typed("check_task 4711\x03tasks\r") // Ctrl-C clears the line
		term.expect(id + ` .*0 of 2 done: 1 running, 1 waiting +sleep 600\n`)
		term.typed("cancel_task " + id + "\r")
		term.expect(`^task ` + id + ` is being cancelled\n>>: $`)
		hoststest.Eventually(t, "it is cancelled", func() error {
			if out, _, code := s.once("check_task", id); code != 1 || strings.Count(out, "cancelled") != 2 {
				return errors.New(out)
			}
			return nil
		})

		// Ctrl-C ends the waiting, not the task.
		term.typed("run 'sleep 600' --hosts web1 --wait\r")
		id = term.expect(`task id: (\d+)\n(?s:.*)task \d+: 0 of 1 done: 1 running`)[1]
		term.typed("\x03")
		term.expect(`task ` + id + ` goes on; see: check_task ` + id + `\n>>: $`)
		term.typed("run uptime --hosts wbe1\r")
		term.expect(`wbe1: refused: there is no such host; nearest: web1`)
		term.typed("help\r")
		term.expect(`check_task ID +show what became of a task`)
		term.typed("exit\r")
		if err := term.cmd.Wait(); err != nil {
			t.Errorf("exit: %v", err)
		}
		if out, _, code := s.once("cancel_task", id); code != 0 {
			t.Error(out)
		}
	})
}

// Fifty hosts on one machine, by their names.
func TestFiftyHosts(t *testing.T) {
	hoststest.Each(t, func(t *testing.T, b *hoststest.Broker) {
		s := newSite(t, b)
		const n = 50
		var agents []*hoststest.Agent
		for i := range n {
			group := []string{"even", "odd"}[i%2]
			agents = append(agents, hoststest.Run(t, b.URL, agent.Config{Name: fmt.Sprintf("host%d", i+1), Groups: []string{group}}))
		}
		defer func() {
			var all sync.WaitGroup
			for _, a := range agents {
				all.Go(a.Stop)
			}
			all.Wait()
		}()
		s.online(n)
		term := s.terminal()
		term.typed("run 'test ${WARREN_HOST#host} -ne 13 && echo I am $WARREN_HOST' --shell --hosts @all --wait\r")
		shown := term.expect(`task id: (\d+)\n(?s:.*)\n(host1 (?s:.*)host50 .*\n.*)\n>>: $`)
		if ok, failed := strings.Count(shown[2], "  ok  "), strings.Count(shown[2], "host13  failed  exit 1"); ok != n-1 || failed != 1 {
			t.Errorf("%d ok, %d failed:\n%s", ok, failed, shown[2])
		}
		if strings.Count(shown[2], "I am host") != n-1 || strings.Index(shown[2], "host9 ") > strings.Index(shown[2], "host10 ") {
			t.Error(shown[2])
		}
		term.typed("retry_task " + shown[1] + " --failed\r")
		term.expect(`^task id: ` + next(shown[1]) + `\n>>: $`)
		out, _, code := s.once("run", "true", "--hosts", "@odd", "host[1-4]", "--wait", "--json")
		var r struct {
			Count map[string]int
			Final bool
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || !r.Final || r.Count["ok"] != 27 {
			t.Errorf("%v, %d, %+v", err, code, r)
		}
	})
}

func next(id string) string {
	n, _ := strconv.Atoi(id)
	return strconv.Itoa(n + 1)
}

// Every command also works alone, and its exit code tells how it went.
func TestOneShot(t *testing.T) {
	s := newSite(t, hoststest.Warren(t))
	s.agent("web1", "--group", "web")
	s.online(1)
	for _, c := range []struct {
		args string
		code int
		out  string // a pattern for standard output
		errs string // for standard error
	}{
		{"run true --hosts web1 --wait", 0, `^task id: 1\nweb1  ok      exit 0  \d\.\d\d s\n$`, `^$`},
		{"run false --hosts @web --wait", 1, `web1  failed  exit 1`, `^$`},
		{"run no-such-program --hosts web1 --wait", 1, `web1  failed  cannot be started: .*not found`, `^$`},
		{"run|sleep 60|--hosts|web1|--timeout|500ms|--wait", 2, `web1  timed out  ended after 500ms`, `^$`},
		{"run true --hosts web9 --wait", 3, `web9  refused  there is no such host; nearest: web1`, `refused`},
		{"run true --hosts web9", 3, `^task id: 6\n$`, `^web9: refused: there is no such host; nearest: web1\n$`},
		{"run true --hosts db*", 3, `^$`, `^Error: db\*: there is no such host\n$`},
		{"run true false --hosts web1 --wait", 1, `task id: 7\ntask id: 8\ntask id: 7\nweb1  ok .*\ntask id: 8\nweb1  failed`, `^$`},
		{"run|printf 'a\\n\\033[31mred'|--hosts|web1|--wait", 0, `\na\n\\x1b\[31mred\n$`, `^$`},
		{"run|printf '\\033[31m'|--hosts|web1|--wait|--raw", 0, "\n\x1b\\[31m$", `^$`},
		{"run env --hosts web1 --wait --env A=b", 0, `WARREN_HOST=web1\nA=b\n`, `^$`},
		{"run pwd --hosts web1 --wait --dir /usr", 0, `/usr\n$`, `^$`},
		{"run|seq 1000|--hosts|web1|--wait|--output-limit|10", 0, `1\n2\n3\n4\n5\n\[output cut: 10 bytes of 3893 bytes kept\]\n$`, `^$`},
		{"check_task 1", 0, `web1  ok`, `^$`},
		{"check_task 2 --follow", 1, `web1  failed  exit 1`, `^$`},
		{"check_task 2 --host web2", 3, `^$`, `task 2 has no host web2`},
		{"check_task 12345", 3, `^$`, `Error: no task 12345: it never was, or its time is over \(see: tasks\)`},
		{"cancel_task 1", 3, `^$`, `Error: task 1 is over`},
		{"retry_task 1 --failed", 3, `^$`, `Error: task 1 has no host that failed`},
		{"retry_task 2 --failed --wait", 1, `web1  failed`, `^$`},
		{"tasks", 0, `ID +BEGUN +BY +HOSTS +COMMAND\n(?s:.*)5 .* 1 of 1 done: 1 refused +true\n`, `^$`},
		{"hosts", 0, `NAME +STATE +SINCE +LOAD(?s:.*)web1 +online`, `^$`},
		{"forget web1", 3, `^$`, `the agent of web1 is running`},
		{"nonsense", 64, `^$`, `no command "nonsense"`},
		{"--nonsense", 64, `^$`, `no option --nonsense`},
		{"--url http://x/ hosts", 64, `^$`, `the broker's URL is not like amqp://`},
		{"--url amqp://guest:guest@127.0.0.1:1/ hosts", 69, `^$`, `connection refused`},
		{"--url amqp://guest:wrong@${AT} tasks", 69, `^$`, `the broker says|username or password`},
		{"--key /no/such/key hosts", 64, `^$`, `no such file`},
		{"keygen alice", 0, `private key: alice.key (?s:.*)operator alice key [A-Za-z0-9+/]{43}=\n`, `^$`},
		{"keygen alice", 1, `^$`, `alice.key is there already`},
		{"permissions web1 --vhost /prod", 0, `rabbitmqctl set_permissions -p /prod agent-web1 '\^warren`, `^$`},
		{"--help", 0, `check_task ID`, `^$`},
		{"run --help", 0, `--batch N\|N%`, `^$`},
	} {
		c.args = strings.ReplaceAll(c.args, "${AT}", s.b.URL[strings.Index(s.b.URL, "@")+1:])
		args := strings.Fields(c.args)
		if strings.Contains(c.args, "|") {
			args = strings.Split(c.args, "|")
		}
		out, errs, code := s.once(args...)
		if code != c.code || !regexp.MustCompile(c.out).MatchString(out) || !regexp.MustCompile(c.errs).MatchString(errs) {
			t.Errorf("hosts %s\nexit %d, want %d\n%s%s", c.args, code, c.code, out, errs)
		}
	}
	audit, err := os.ReadFile(filepath.Join(s.dir, "warren", "hosts-audit.log"))
	if err != nil || strings.Count(string(audit), `"event":"run"`) != 14 || !strings.Contains(string(audit), `"hosts":["web1"]`) {
		t.Errorf("%v\n%s", err, audit)
	}
}

// Commands from a file or a pipe: no prompt, and the first error counts.
func TestScript(t *testing.T) {
	s := newSite(t, hoststest.Warren(t))
	s.agent("web1")
	s.online(1)
	cmd := s.command("hosts")
	cmd.Stdin = strings.NewReader("# nightly\nrun 'echo one' --hosts web1 --wait\ncheck_task 99\n\nhosts\nexit\nrun true --hosts web1\n")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 3 || !regexp.MustCompile(`^task id: 1\nweb1  ok .*\none\nError: no task 99.*\nNAME .*\nweb1 .*\n$`).Match(out) {
		t.Errorf("%v\n%s", err, out)
	}
}

// The batches of a script go on to their end, although its input is over.
func TestScriptBatches(t *testing.T) {
	s := newSite(t, hoststest.Warren(t))
	s.agent("web1")
	s.agent("web2")
	s.online(2)
	cmd := s.command("hosts")
	cmd.Stdin = strings.NewReader("run 'echo x' --hosts web1 web2 --batch 1\n")
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "task id: 1\n" {
		t.Errorf("%v\n%s", err, out)
	}
	if out, _, code := s.once("check_task", "1"); code != 0 || strings.Count(out, "  ok  ") != 2 {
		t.Error(out)
	}
}

// A long line is a command, one that is too long is an error, and SIGTERM ends
// a console that waits for its input.
func TestScriptLimits(t *testing.T) {
	s := newSite(t, hoststest.Warren(t))
	s.agent("web1")
	s.online(1)
	cmd := s.command("hosts")
	cmd.Stdin = strings.NewReader("run 'echo " + strings.Repeat("x", 100_000) + "' --hosts web1 --wait\n" + strings.Repeat("y", 2<<20) + "\n")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 64 || !strings.Contains(string(out), "\n"+strings.Repeat("x", 100_000)+"\n") || !regexp.MustCompile(`web1  ok .*\nx+\nError: reading commands: .*too long\n$`).Match(out) {
		t.Errorf("%v\n%.300s", err, out)
	}
	for _, c := range []struct {
		name  string
		start func() (*exec.Cmd, func())
	}{
		{"pipe", func() (*exec.Cmd, func()) {
			cmd := s.command("hosts")
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(in, "help") // when it answers, it listens to signals
			if _, err := out.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			return cmd, func() { in.Close() }
		}},
		{"terminal", func() (*exec.Cmd, func()) { return s.terminal().cmd, func() {} }},
	} {
		cmd, done := c.start()
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
		done()
		if cmd.ProcessState.ExitCode() != 130 {
			t.Errorf("%s: %v", c.name, cmd.ProcessState)
		}
	}
}

// --follow shows lines as they come.
func TestFollow(t *testing.T) {
	s := newSite(t, hoststest.Warren(t))
	s.agent("web1")
	s.agent("web2")
	s.online(2)
	out, _, _ := s.once("run", "echo begin; sleep 2; echo end >&2; printf open", "--shell", "--hosts", "web1", "web2")
	if out != "task id: 1\n" {
		t.Fatal(out)
	}
	cmd := s.command("hosts", "check_task", "1", "--follow")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	if _, err := all.ReadFrom(pipe); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	for _, host := range []string{"web1", "web2"} {
		var lines []string
		for line := range strings.Lines(all.String()) {
			if strings.HasPrefix(line, host) {
				lines = append(lines, line)
			}
		}
		want := strings.ReplaceAll("H | begin\nH | end\nH | open\nH  ok      exit 0", "H", host)
		if got := strings.Join(lines, ""); !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s:\n%s", got, want, all.String())
		}
	}
}

// Who looks at a task that another console runs in batches does not run it, nor
// stop it by going away.
func TestOnlooker(t *testing.T) {
	s := newSite(t, hoststest.Warren(t))
	s.agent("web1")
	s.agent("web2")
	s.online(2)
	gate := filepath.Join(s.dir, "gate")
	driver := s.command("hosts", "run", "echo begun; while ! test -e "+gate+"; do sleep 0.05; done", "--shell", "--hosts", "web1", "web2", "--batch", "1", "--wait")
	var out bytes.Buffer
	driver.Stdout = &out
	if err := driver.Start(); err != nil {
		t.Fatal(err)
	}
	hoststest.Eventually(t, "the first runs", func() error {
		if out, _, _ := s.once("check_task", "1"); !strings.Contains(out, "web1  running") {
			return errors.New(out)
		}
		return nil
	})
	if out, errs, code := s.once("check_task", "1", "--follow", "--host", "web3"); code != 3 || !strings.Contains(errs, "task 1 has no host web3") {
		t.Errorf("%d, %s%s", code, out, errs)
	}
	look := s.command("hosts", "check_task", "1", "--follow")
	seen, err := look.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := look.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(seen).ReadString('\n'); line != "web1 | begun\n" {
		t.Errorf("%q, %v", line, err)
	}
	look.Process.Signal(os.Interrupt)
	if look.Wait(); look.ProcessState.ExitCode() != 130 {
		t.Errorf("%v", look.ProcessState)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := driver.Wait(); err != nil || strings.Count(out.String(), "  ok  ") != 2 {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// An agent that is killed while it runs something: its next life knows, ends
// what was left, and does not run it again.
func TestAgentKilled(t *testing.T) {
	hoststest.Each(t, func(t *testing.T, b *hoststest.Broker) {
		s := newSite(t, b)
		a := s.agent("web1")
		s.online(1)
		mark := filepath.Join(s.dir, "mark")
		s.once("run", "echo $$ >>"+mark+"; sleep 600", "--shell", "--hosts", "web1")
		var pid int
		hoststest.Eventually(t, "it runs", func() (err error) {
			raw, _ := os.ReadFile(mark)
			pid, err = strconv.Atoi(strings.TrimSpace(string(raw)))
			return err
		})
		a.Process.Kill()
		a.Wait()
		if err := syscall.Kill(pid, 0); err != nil {
			t.Fatalf("the command went with its agent: %v", err)
		}
		s.agent("web1")
		out, _, code := s.once("check_task", "1", "--follow")
		if code != 2 || !strings.Contains(out, "web1  lost    the agent was started anew while the command ran; what was left of it has been ended") {
			t.Errorf("%d, %s", code, out)
		}
		hoststest.Eventually(t, "the orphan is gone", func() error {
			if raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && !strings.Contains(string(raw), ") Z ") {
				return errors.New(string(raw))
			}
			return nil
		})
		out, _, _ = s.once("run", "true", "--hosts", "web1", "--wait")
		if !strings.Contains(out, "web1  ok") {
			t.Error(out)
		}
		if raw, _ := os.ReadFile(mark); strings.Count(string(raw), "\n") != 1 {
			t.Errorf("it ran again:\n%s", raw)
		}
	})
}

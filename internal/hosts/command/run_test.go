package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ran is what a command printed, and how it ended.
type ran struct {
	Result
	out map[string]string
	all string // in order, as stream:text
}

// run runs a command to its end.
func run(t *testing.T, ctx context.Context, s Spec) ran {
	t.Helper()
	r := ran{out: map[string]string{}}
	s.Output = func(stream string, data []byte) {
		r.out[stream] += string(data)
		r.all += fmt.Sprintf("%s:%s", stream, data)
	}
	if s.Limit == 0 {
		s.Limit = 1 << 20
	}
	if s.Timeout == 0 {
		s.Timeout = time.Minute
	}
	p, failed := Start(s)
	if failed != nil {
		r.Result = *failed
		return r
	}
	r.Result = p.Wait(ctx)
	return r
}

func sh(text string) Spec { return Spec{Argv: []string{text}, Shell: true} }

func TestRun(t *testing.T) {
	t.Setenv("WARREN_URL", "amqp://user:secret@host/")
	for _, c := range []struct {
		name, stdout, stderr, signal string
		spec                         Spec
		exit                         int
	}{
		{name: "arguments are not touched", spec: Spec{Argv: []string{"printf", "%s|", "a b", "$HOME", "*", ""}}, stdout: "a b|$HOME|*||"},
		{name: "exit status", spec: sh("echo no >&2; exit 3"), stderr: "no\n", exit: 3},
		{name: "a signal", spec: sh("kill -9 $$"), exit: -1, signal: "killed"},
		{name: "directory", spec: Spec{Argv: []string{"pwd"}, Dir: "/usr"}, stdout: "/usr\n"},
		{name: "environment", spec: Spec{Argv: []string{"/bin/sh", "-c", "echo $A"}, Env: []string{"A=b c"}}, stdout: "b c\n"},
		{name: "the agent's own environment stays with it", spec: sh("echo url=$WARREN_URL"), stdout: "url=\n"},
		{name: "no input", spec: Spec{Argv: []string{"cat"}}},
		{name: "binary output", spec: sh(`printf '\000\377\001'`), stdout: "\x00\xff\x01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := run(t, t.Context(), c.spec)
			if r.Err != nil || r.Exit != c.exit || r.Signal != c.signal || r.out["stdout"] != c.stdout || r.out["stderr"] != c.stderr {
				t.Errorf("%+v, want exit %d, signal %q, stdout %q, stderr %q", r, c.exit, c.signal, c.stdout, c.stderr)
			}
		})
	}
}

func TestCannotStart(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{Argv: []string{"no-such-program"}}, "not found"},
		{Spec{Argv: []string{"/etc/passwd"}}, "permission denied"},
		{Spec{Argv: []string{"true"}, Dir: "/no/such/directory"}, "no directory /no/such/directory"},
		{Spec{Argv: []string{"true"}, User: "no-such-user"}, `no user "no-such-user"`},
	} {
		r := run(t, t.Context(), c.spec)
		if r.Err == nil || r.Exit != -1 || !strings.Contains(r.Err.Error(), c.want) {
			t.Errorf("%v: %+v, want %q", c.spec.Argv, r, c.want)
		}
	}
}

func TestAsUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	r := run(t, t.Context(), Spec{Argv: []string{"id -un; id -Gn; echo $HOME $USER"}, Shell: true, User: "daemon"})
	if r.Err != nil || r.out["stdout"] != "daemon\ndaemon\n/usr/sbin daemon\n" {
		t.Errorf("%+v", r)
	}
}

// Output of both streams stays in the order in which it was printed, as far as
// two pipes can tell.
func TestOrder(t *testing.T) {
	r := run(t, t.Context(), sh("echo 1; sleep 0.3; echo 2 >&2; sleep 0.3; echo 3"))
	if r.all != "stdout:1\nstderr:2\nstdout:3\n" {
		t.Errorf("%q", r.all)
	}
}

// A command that prints without end is neither held up nor kept in memory.
func TestGigabytes(t *testing.T) {
	const printed = 1 << 30
	r := run(t, t.Context(), Spec{Argv: []string{"head", "-c", strconv.Itoa(printed), "/dev/zero"}, Limit: 100_000})
	if r.Err != nil || r.Exit != 0 || r.Stdout != printed || r.Kept != 100_000 || len(r.out["stdout"]) != 100_000 {
		t.Errorf("exit %d, %v: %d printed, %d kept, %d here", r.Exit, r.Err, r.Stdout, r.Kept, len(r.out["stdout"]))
	}
}

// A command has ended when its process has, whoever holds its output.
func TestForksAndHoldsThePipe(t *testing.T) {
	r := run(t, t.Context(), sh("sleep 600 & echo $!"))
	pid, err := strconv.Atoi(strings.TrimSpace(r.out["stdout"]))
	if err != nil || r.Err != nil || r.Duration > 10*time.Second {
		t.Fatalf("%+v", r)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("what the command left behind is gone: %v", err)
	}
}

// What was printed is there, although the time to read it is over.
func TestReadsTheRest(t *testing.T) {
	var out string
	for range 20 {
		p, failed := Start(Spec{Argv: []string{"echo", "hello"}, Timeout: time.Minute, Limit: 100, Output: func(_ string, data []byte) { out += string(data) }})
		if failed != nil {
			t.Fatal(failed.Err)
		}
		p.pump.wait = -time.Second
		p.Wait(t.Context())
	}
	if out != strings.Repeat("hello\n", 20) {
		t.Errorf("%q", out)
	}
}

// A command has no terminal, although the agent may have one.
func TestSession(t *testing.T) {
	r := run(t, t.Context(), sh("echo $$; cut -d' ' -f6 /proc/$$/stat"))
	if f := strings.Fields(r.out["stdout"]); len(f) != 2 || f[0] != f[1] {
		t.Errorf("process and session: %q, %+v", f, r)
	}
}

// A command that closes its output goes on until its process ends.
func TestClosesItsOutput(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	r := run(t, t.Context(), sh("exec >&- 2>&-; sleep 0.3; exec >"+mark+"; echo done; exit 4"))
	if raw, _ := os.ReadFile(mark); r.Exit != 4 || string(raw) != "done\n" {
		t.Errorf("%+v, mark %q", r, raw)
	}
}

// group is whether any process of a group is left, zombies aside.
func group(pgid int) bool {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		raw, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		f := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
		if f[2] == strconv.Itoa(pgid) && f[0] != "Z" {
			return true
		}
	}
	return false
}

// At its timeout, or on demand, the whole process group ends, even if it does
// not want to.
func TestEnds(t *testing.T) {
	stubborn := "trap '' TERM; (trap '' TERM; sleep 600) & echo $$; sleep 600; sleep 600"
	t.Run("timeout", func(t *testing.T) {
		s := sh(stubborn)
		s.Timeout = 300 * time.Millisecond
		r := run(t, t.Context(), s)
		pgid, _ := strconv.Atoi(strings.TrimSpace(r.out["stdout"]))
		if !errors.Is(r.Err, ErrTimeout) || r.Signal != "killed" || pgid == 0 || group(pgid) {
			t.Errorf("%+v, group left: %v", r, group(pgid))
		}
	})
	t.Run("cancel", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(300*time.Millisecond, cancel)
		r := run(t, ctx, sh(stubborn))
		pgid, _ := strconv.Atoi(strings.TrimSpace(r.out["stdout"]))
		if !errors.Is(r.Err, ErrStopped) || r.Signal != "killed" || pgid == 0 || group(pgid) {
			t.Errorf("%+v, group left: %v", r, group(pgid))
		}
	})
	t.Run("gently, when the leader has gone", func(t *testing.T) {
		mark := filepath.Join(t.TempDir(), "mark")
		s := sh("(trap 'sleep 0.2; echo cleaned >" + mark + "; exit' TERM; sleep 600 & wait) & wait")
		s.Timeout = 300 * time.Millisecond
		r := run(t, t.Context(), s)
		if raw, _ := os.ReadFile(mark); string(raw) != "cleaned\n" || r.Signal != "terminated" {
			t.Errorf("%+v, %q", r, raw)
		}
	})
	t.Run("never", func(t *testing.T) {
		p, failed := Start(Spec{Argv: []string{"sleep", "600"}, Timeout: time.Millisecond, Output: func(string, []byte) {}})
		if failed != nil {
			t.Fatal(failed.Err)
		}
		p.kill = func(int, syscall.Signal) error { return syscall.EPERM }
		if r := p.Wait(t.Context()); !errors.Is(r.Err, ErrTimeout) || !errors.Is(r.Err, ErrUndead) || r.Exit != -1 {
			t.Errorf("%+v", r)
		}
		syscall.Kill(p.PID(), syscall.SIGKILL)
	})
	t.Run("gently", func(t *testing.T) {
		s := sh("trap 'echo bye; exit 7' TERM; sleep 600 & wait")
		s.Timeout = 300 * time.Millisecond
		if r := run(t, t.Context(), s); r.Exit != 7 || r.out["stdout"] != "bye\n" || !errors.Is(r.Err, ErrTimeout) {
			t.Errorf("%+v", r)
		}
	})
}

// What an agent has left behind is ended by its next life, but nobody else who
// has got the same number.
func TestOrphan(t *testing.T) {
	p, failed := Start(Spec{Argv: []string{"sleep", "600"}, Timeout: time.Minute, Output: func(string, []byte) {}})
	if failed != nil {
		t.Fatal(failed.Err)
	}
	began := Started(p.PID())
	if began == "" {
		t.Skip("no /proc")
	}
	if EndOrphan(p.PID(), began+"1") || EndOrphan(p.PID(), "") || EndOrphan(1, Started(1)) {
		t.Error("a process was ended that is not the one")
	}
	if !EndOrphan(p.PID(), began) {
		t.Error("the orphan was not ended")
	}
	if r := p.Wait(t.Context()); r.Signal != "killed" {
		t.Errorf("%+v", r)
	}
}

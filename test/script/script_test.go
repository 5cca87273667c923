// Package script drives the real program warren from transcripts, one file
// each under testdata: start it, use it, kill it, start it again, compare.
//
// Beyond testscript's own commands there are:
//
//	up [ARG...]           run "warren server" on $WORK/data and $PORT until it is ready;
//	                      its first line becomes stdout. ARGs are added
//	down                  SIGTERM; it must end with code 0. What it printed becomes stdout and stderr
//	exited                it must have been told to end, and end with code 0
//	signal NAME           send TERM or INT, and go on
//	kill9                 SIGKILL
//	exits CODE COMMAND... the command must end with this code, and not hang
//	session FILE          run a transcript of rabbitmqctl and the like; see session_test.go
//	gone FILE             wait until the file is gone
//	amqp ...              a small client; see client.go
package script

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a start or a stop may take.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"amqp": client})
}

func TestScripts(t *testing.T) {
	bin := t.TempDir()
	build := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "./cmd/warren")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building warren: %v\n%s", err, out)
	}
	if err := link(bin); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			port, err := freePort()
			if err != nil {
				return err
			}
			env.Setenv("PORT", port)
			if port, err = freePort(); err != nil {
				return err
			}
			env.Setenv("TLSPORT", port)
			port = env.Getenv("PORT")
			env.Setenv("AMQP_URL", "amqp://guest:guest@127.0.0.1:"+port+"/")
			env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
			b := &broker{}
			env.Values[brokerKey{}] = b
			env.Defer(b.kill)
			env.Setenv("WARREN", filepath.Join(bin, "warren"))
			env.Defer(func() { killDetached(filepath.Join(bin, "warren"), filepath.Join(env.WorkDir, "data", "warren.pid")) })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"up": up, "down": down, "kill9": kill9, "exits": exits, "session": session, "exited": exited, "gone": gone,
			"signal": sendSignal,
		},
	})
}

// freePort picks a port that is free, and that the system does not give to
// outgoing connections while the broker is down.
func freePort() (string, error) {
	for tries := 0; ; tries++ {
		port := strconv.Itoa(20000 + rand.IntN(12768))
		ln, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			return port, ln.Close()
		}
		if tries == 100 {
			return "", err
		}
	}
}

// broker is the broker of a script.
type broker struct {
	cmd    *exec.Cmd // nil: not running
	done   chan error
	out    *bufio.Reader
	stderr *os.File
	first  string
}

type brokerKey struct{}

func (b *broker) kill() {
	if b.cmd != nil {
		b.cmd.Process.Kill()
		<-b.done
		b.stderr.Close()
		b.cmd = nil
	}
}

func of(ts *testscript.TestScript, neg bool, running bool) *broker {
	b := ts.Value(brokerKey{}).(*broker)
	if neg {
		ts.Fatalf("cannot be negated")
	}
	if (b.cmd != nil) != running {
		ts.Fatalf("the broker is running: %v", b.cmd != nil)
	}
	return b
}

func up(ts *testscript.TestScript, neg bool, args []string) {
	b := of(ts, neg, false)
	args = append([]string{"server", "--data-dir", ts.MkAbs("data"), "--set", "listeners.tcp.default=127.0.0.1:" + ts.Getenv("PORT"),
		"--set", "management.tcp.ip=127.0.0.1", "--set", "management.tcp.port=0",
		"--set", "prometheus.tcp.ip=127.0.0.1", "--set", "prometheus.tcp.port=0"}, args...)
	path, err := exec.LookPath(filepath.Join(strings.Split(ts.Getenv("PATH"), string(filepath.ListSeparator))[0], "warren"))
	ts.Check(err)
	cmd := exec.Command(path, args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = os.Environ()
	if name := ts.Getenv("RABBITMQ_NODENAME"); name != "" {
		cmd.Env = append(cmd.Env, "RABBITMQ_NODENAME="+name)
	}
	b.stderr, err = os.Create(ts.MkAbs("broker.stderr"))
	ts.Check(err)
	cmd.Stderr = b.stderr
	out, in, err := os.Pipe()
	ts.Check(err)
	cmd.Stdout = in
	ts.Check(cmd.Start())
	in.Close()
	b.cmd, b.done, b.out = cmd, make(chan error, 1), bufio.NewReader(out)
	go func() { b.done <- cmd.Wait() }()
	out.SetReadDeadline(time.Now().Add(patience))
	b.first, err = b.out.ReadString('\n')
	if err != nil {
		b.kill()
		ts.Fatalf("the broker has not become ready: %v\n%s", err, ts.ReadFile("broker.stderr"))
	}
	fmt.Fprint(ts.Stdout(), b.first)
}

func down(ts *testscript.TestScript, neg bool, args []string) {
	b := of(ts, neg, true)
	ts.Check(b.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-b.done:
		b.done <- err
		if err != nil {
			ts.Fatalf("the broker has ended with %v\n%s", err, ts.ReadFile("broker.stderr"))
		}
	case <-time.After(patience):
		ts.Fatalf("the broker does not stop")
	}
	fmt.Fprint(ts.Stdout(), b.first)
	b.out.WriteTo(ts.Stdout())
	b.kill() // it is gone; forget it
	fmt.Fprint(ts.Stderr(), ts.ReadFile("broker.stderr"))
}

func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	b := of(ts, neg, true)
	sig, ok := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT}[strings.Join(args, " ")]
	if !ok {
		ts.Fatalf("usage: signal TERM|INT")
	}
	ts.Check(b.cmd.Process.Signal(sig))
}

// exited waits for a broker that somebody else has told to stop.
func exited(ts *testscript.TestScript, neg bool, args []string) {
	b := of(ts, neg, true)
	select {
	case err := <-b.done:
		b.done <- err
		if err != nil {
			ts.Fatalf("the broker has ended with %v\n%s", err, ts.ReadFile("broker.stderr"))
		}
	case <-time.After(patience):
		ts.Fatalf("the broker does not end")
	}
	b.kill() // it is gone; forget it
}

// gone waits for the end of a node in the background, which removes its file.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gone FILE")
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); errors.Is(err, os.ErrNotExist) {
			return
		}
	}
	ts.Fatalf("%s is still there", args[0])
}

// killDetached ends a node that a script has left in the background, if the
// process of that number is one.
func killDetached(exe, pidFile string) {
	b, err := os.ReadFile(pidFile)
	if err != nil {
		return
	}
	if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && pid > 1 {
		if is, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err != nil || is != exe {
			return
		}
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

func kill9(ts *testscript.TestScript, neg bool, args []string) {
	of(ts, neg, true).kill()
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	path := args[1]
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, path); !strings.ContainsRune(args[1], filepath.Separator) {
			if _, err := os.Stat(p); err == nil {
				path = p
				break
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"HOME=" + ts.Getenv("HOME"), "PATH=" + ts.Getenv("PATH")}
	for _, k := range []string{"RABBITMQ_CONFIG_FILE", "RABBITMQ_NODE_PORT", "RABBITMQ_ENABLED_PLUGINS"} {
		if v := ts.Getenv(k); v != "" {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
	}
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		ts.Fatalf("does not end")
	case err != nil && !errors.As(err, &exit):
		ts.Check(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("has ended with code %d, want %d", got, want)
	}
}

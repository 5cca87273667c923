package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Spec is a command to be run.
type Spec struct {
	Argv    []string
	Shell   bool // Argv[0] is a text for /bin/sh
	User    string
	Dir     string
	Env     []string // beside the few variables that every command gets
	Timeout time.Duration
	Limit   int64 // bytes of output that are passed on, of both streams
	// Output takes a piece of output; the bytes are the callee's. Pieces come
	// in order, never two at a time. While it waits, the command waits.
	Output func(stream string, data []byte)
}

// How a command may end, other than by itself. ErrUndead comes with one of the
// others: the process goes on, and nobody listens to it any more.
var (
	ErrTimeout = errors.New("timeout")
	ErrStopped = errors.New("stopped")
	ErrUndead  = errors.New("it does not end, not even by SIGKILL")
)

// Result is how it ended.
type Result struct {
	Exit     int // -1: by a signal, or it was not started
	Signal   string
	Err      error // ErrTimeout, ErrStopped, or why it could not be started
	Duration time.Duration
	Stdout   int64 // bytes written
	Stderr   int64
	Kept     int64 // bytes passed on
}

// Times that belong to ending a command.
const (
	// mercy is what a process group has between SIGTERM and SIGKILL.
	mercy = time.Second
	// lastWait is how long SIGKILL may take. What waits for a dead disk or file
	// server cannot be ended, nor what has become another user.
	lastWait = 2 * time.Second
	// leftover is how long output is still read after the command itself has
	// ended, if somebody else holds its standard output open.
	leftover = 300 * time.Millisecond
	// gather is how long output may wait for more.
	gather = 100 * time.Millisecond
	// piece is how much output is passed on at once.
	piece = 32 << 10
	// pipeSize is what a pipe may hold; an administrator may have set more.
	pipeSize = 1 << 20
)

// Process is a running command.
type Process struct {
	spec    Spec
	cmd     *exec.Cmd
	began   time.Time
	outputs [2]*os.File
	pump    *pump
	kill    func(pid int, sig syscall.Signal) error
}

// Start starts a command. If that fails, the result says why.
func Start(s Spec) (*Process, *Result) {
	p := &Process{spec: s, began: time.Now(), kill: syscall.Kill}
	if err := p.start(); err != nil {
		return nil, &Result{Exit: -1, Err: err}
	}
	return p, nil
}

// PID is the number of the process and of its group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

func (p *Process) start() error {
	argv := p.spec.Argv
	if p.spec.Shell {
		argv = []string{"/bin/sh", "-c", p.spec.Argv[0]}
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	// A session of its own is a process group of its own, without the terminal
	// that the agent may have: nobody there is asked for a password.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Dir = p.spec.Dir
	if err := p.become(cmd); err != nil {
		return err
	}
	if cmd.Err != nil {
		return cmd.Err
	}
	var writers [2]*os.File
	var err error
	for i := range writers {
		if p.outputs[i], writers[i], err = os.Pipe(); err != nil {
			break
		}
	}
	cmd.Stdout, cmd.Stderr = writers[0], writers[1]
	if err == nil {
		err = cmd.Start()
	}
	for i, w := range writers {
		w.Close()
		if err != nil {
			p.outputs[i].Close()
		}
	}
	if err != nil {
		return err
	}
	p.cmd = cmd
	p.pump = startPump(p.outputs, p.spec.Limit, p.spec.Output)
	return nil
}

// become sets whom the command runs as, and its environment: of the agent's
// own nothing but PATH and the language, as it may hold the broker's password.
func (p *Process) become(cmd *exec.Cmd) error {
	me, err := user.Current()
	if err != nil {
		return err
	}
	who := me
	if p.spec.User != "" && p.spec.User != me.Username {
		if who, err = user.Lookup(p.spec.User); err != nil {
			return fmt.Errorf("no user %q on this host", p.spec.User)
		}
		if os.Geteuid() != 0 {
			return fmt.Errorf("the agent runs as %s and cannot become %s", me.Username, p.spec.User)
		}
		if cmd.SysProcAttr.Credential, err = credential(who); err != nil {
			return err
		}
	}
	env := []string{"HOME=" + who.HomeDir, "USER=" + who.Username, "LOGNAME=" + who.Username, "SHELL=/bin/sh",
		"PATH=" + cmp.Or(os.Getenv("PATH"), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")}
	for _, name := range []string{"LANG", "LC_ALL", "TZ"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	cmd.Env = append(env, p.spec.Env...)
	if cmd.Dir == "" {
		cmd.Dir = who.HomeDir
		if st, err := os.Stat(cmd.Dir); err != nil || !st.IsDir() {
			cmd.Dir = "/"
		}
	}
	if st, err := os.Stat(cmd.Dir); err != nil || !st.IsDir() {
		return fmt.Errorf("no directory %s on this host", cmd.Dir)
	}
	return nil
}

func credential(u *user.User) (*syscall.Credential, error) {
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	ids, err3 := u.GroupIds()
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	c := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	for _, s := range ids {
		if id, err := strconv.ParseUint(s, 10, 32); err == nil {
			c.Groups = append(c.Groups, uint32(id))
		}
	}
	return c, nil
}

// Wait waits for the command to end, and ends its process group at its timeout
// or when the context is done: with SIGTERM, and SIGKILL a second later.
// A command has ended when its own process has. Others that it has left behind
// go on; what they print is not waited for. A process that does not end is left
// alone, with the goroutine that waits for it.
func (p *Process) Wait(ctx context.Context) Result {
	exited := make(chan struct{})
	go func() {
		p.cmd.Wait()
		close(exited)
	}()
	timer := time.NewTimer(p.spec.Timeout)
	defer timer.Stop()
	var why error
	select {
	case <-exited:
	case <-timer.C:
		why = ErrTimeout
	case <-ctx.Done():
		why = ErrStopped
	}
	r := Result{Err: why, Exit: -1}
	if why == nil || p.end(exited) {
		r.Exit = p.cmd.ProcessState.ExitCode()
		if ws, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			r.Signal = ws.Signal().String()
		}
	} else {
		r.Err = errors.Join(why, ErrUndead)
	}
	r.Duration = time.Since(p.began)
	p.pump.finish()
	r.Stdout, r.Stderr, r.Kept = p.pump.total[0], p.pump.total[1], p.pump.kept
	return r
}

// end ends the process group, and says whether the process has ended.
func (p *Process) end(exited <-chan struct{}) bool {
	group := -p.PID()
	p.kill(group, syscall.SIGTERM)
	timer := time.NewTimer(mercy)
	defer timer.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	// Also when the leader has gone: others of the group have the same time.
	for gentle := true; gentle && p.kill(group, 0) != syscall.ESRCH; {
		select {
		case <-tick.C:
		case <-timer.C:
			p.kill(group, syscall.SIGKILL)
			gentle = false
		}
	}
	timer.Reset(lastWait)
	select {
	case <-exited:
		return true
	case <-timer.C:
		return false
	}
}

// pump reads both outputs and passes them on in the order of their coming,
// gathered for a moment. Beyond the limit it reads and counts only, so that a
// command that prints for ever neither waits nor fills the memory.
type pump struct {
	files   [2]*os.File
	readers sync.WaitGroup
	limit   int64
	output  func(string, []byte)
	wait    time.Duration // for the end of the output, when the command has ended

	mu      sync.Mutex // held while output runs, which keeps the pieces in order
	total   [2]int64
	kept    int64
	stream  int    // of what is gathered
	pending []byte // what is gathered
	timer   *time.Timer
}

func startPump(files [2]*os.File, limit int64, output func(string, []byte)) *pump {
	p := &pump{files: files, limit: limit, output: output, wait: leftover}
	p.timer = time.AfterFunc(time.Hour, p.flush)
	p.timer.Stop()
	for i := range files {
		p.readers.Go(func() { p.read(i) })
	}
	return p
}

func (p *pump) read(stream int) {
	buf := make([]byte, piece)
	for {
		n, err := p.files[stream].Read(buf)
		p.take(stream, buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.rest(stream, buf)
		}
		if err != nil {
			return
		}
	}
}

// rest reads what is in the pipe without waiting. On a busy machine the time
// to read the end of the output may be over before the reader had its turn.
func (p *pump) rest(stream int, buf []byte) {
	raw, err := p.files[stream].SyscallConn()
	if err != nil {
		return
	}
	for range pipeSize / piece * 2 { // somebody may be filling it all the time
		var n int
		var readErr error
		err := raw.Control(func(fd uintptr) { n, readErr = syscall.Read(int(fd), buf) })
		if err != nil || readErr != nil || n <= 0 {
			return
		}
		p.take(stream, buf[:n])
	}
}

func (p *pump) take(stream int, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total[stream] += int64(len(data))
	data = data[:min(int64(len(data)), p.limit-p.kept)]
	if len(data) == 0 {
		return
	}
	if p.stream != stream {
		p.send()
	}
	if len(p.pending) == 0 {
		p.timer.Reset(gather)
	}
	p.stream = stream
	p.kept += int64(len(data))
	p.pending = append(p.pending, data...)
	if len(p.pending) >= piece {
		p.send()
	}
}

func (p *pump) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.send()
}

// send passes on what is gathered; p.mu is held.
func (p *pump) send() {
	if len(p.pending) > 0 {
		p.output([2]string{"stdout", "stderr"}[p.stream], p.pending)
		p.pending = nil
	}
}

// finish reads what is still there, but does not wait for others that hold the
// pipe open.
func (p *pump) finish() {
	for _, f := range p.files {
		f.SetReadDeadline(time.Now().Add(p.wait))
	}
	p.readers.Wait()
	p.timer.Stop()
	p.flush()
	for _, f := range p.files {
		io.Closer(f).Close()
	}
}

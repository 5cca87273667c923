package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/warrenmq/warren/internal/config"
)

// readyEnv names the file descriptor on which a detached node says that it is
// ready.
const readyEnv = "WARREN_READY_FD"

// detachPatience is how long the command waits for a detached node to be ready.
// A node that recovers much data takes longer, and goes on by itself.
const detachPatience = 30 * time.Second

// longOptions makes "-detached" what the flags call it: RabbitMQ's has one dash.
func longOptions(args []string) []string {
	out := slices.Clone(args)
	for i, a := range out {
		if a == "-detached" {
			out[i] = "--detached"
		}
	}
	return out
}

// detach starts the node as a process of its own and waits until it is ready.
// What it prints before the log is open goes to a file beside the log. stdin, if
// not nil, is what it is to read: an answer that was given here.
func detach(cfg *config.Config, stdin io.Reader, stdout io.Writer) error {
	if err := os.MkdirAll(cfg.Log.Dir, 0o700); err != nil {
		return &exitError{exitSoftware, err}
	}
	name := filepath.Join(cfg.Log.Dir, "startup.log")
	log, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return &exitError{exitSoftware, err}
	}
	defer log.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	args := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(a string) bool { return a == "-detached" || a == "--detached" })
	cmd := exec.Command(exe, args...)
	cmd.Args[0] = os.Args[0] // its name says where its configuration is
	cmd.Env = append(os.Environ(), readyEnv+"=3")
	cmd.Stdin = stdin
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return &exitError{exitSoftware, err}
	}
	r.SetReadDeadline(time.Now().Add(detachPatience))
	line, err := bufio.NewReader(r).ReadString('\n')
	switch {
	case err == nil:
		fmt.Fprint(stdout, line)
		return cmd.Process.Release()
	case errors.Is(err, os.ErrDeadlineExceeded):
		fmt.Fprintf(stdout, "warren is still starting, as process %d; its log is in %s\n", cmd.Process.Pid, cfg.Log.Dir)
		return cmd.Process.Release()
	}
	return startFailed(cmd, name)
}

// startFailed repeats what the node said before it ended.
func startFailed(cmd *exec.Cmd, log string) error {
	err := cmd.Wait()
	said, _ := os.ReadFile(log)
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	last := strings.TrimPrefix(lines[len(lines)-1], "Error: ")
	var exit *exec.ExitError
	code := exitSoftware
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		code = exit.ExitCode()
	}
	if last == "" {
		last = fmt.Sprintf("the node has ended at once (%v)", err)
	}
	return &exitError{code, errors.New(last)}
}

// tellReady says to who has started us detached that we are ready.
func tellReady(line string) {
	fd, err := strconv.Atoi(os.Getenv(readyEnv))
	if err != nil {
		return
	}
	f := os.NewFile(uintptr(fd), "ready")
	if f == nil {
		return
	}
	f.WriteString(line) // an error is that nobody waits any more
	f.Close()
}

// writePID writes the process id for those who wait for it (rabbitmqctl wait).
func writePID(name string) error {
	return os.WriteFile(name, fmt.Appendln(nil, os.Getpid()), 0o644)
}

// removePID removes the file if it is still ours.
func removePID(name string) {
	b, err := os.ReadFile(name)
	if err == nil && strings.TrimSpace(string(b)) == strconv.Itoa(os.Getpid()) {
		os.Remove(name)
	}
}

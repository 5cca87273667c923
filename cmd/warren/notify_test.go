package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// systemd is a socket as systemd has one.
func systemd(t *testing.T) (name string, next func() string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return name, func() string {
		b := make([]byte, 4096)
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

func TestNotify(t *testing.T) {
	name, next := systemd(t)
	env := map[string]string{"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": strconv.Itoa(os.Getpid())}
	n := newNotifier(func(k string) string { return env[k] })
	if n.every != 10*time.Millisecond {
		t.Errorf("signs of life every %v", n.every)
	}
	done := n.patience("starting")
	if got := next(); got != "STATUS=starting\nEXTEND_TIMEOUT_USEC=30000000" {
		t.Errorf("%q", got)
	}
	done()
	n.tell("READY=1\nMAINPID=%d", 5)
	if got := next(); got != "READY=1\nMAINPID=5" {
		t.Errorf("%q", got)
	}
	// As long as the node answers, and not longer.
	stop, hang := make(chan struct{}), make(chan struct{})
	alive := make(chan struct{}, 2)
	alive <- struct{}{}
	alive <- struct{}{}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.watch(stop, func() {
			select {
			case <-alive:
			case <-hang:
			}
		})
	}()
	for range 2 {
		if got := next(); got != "WATCHDOG=1" {
			t.Errorf("%q", got)
		}
	}
	close(stop)
	close(hang)
	<-ended
	// Somebody else's watchdog, and no systemd at all.
	env["WATCHDOG_PID"] = "1"
	if n := newNotifier(func(k string) string { return env[k] }); n.every != 0 {
		t.Errorf("watchdog of another process: %v", n.every)
	}
	newNotifier(func(string) string { return "" }).tell("READY=1")
}

func TestLongOptions(t *testing.T) {
	for argv, want := range map[string]string{
		"warren server -detached":                       "server --detached",
		"/usr/sbin/rabbitmq-server -detached --set a=b": "server --detached --set a=b",
		"warren": "",
	} {
		if got := strings.Join(serverArgs(strings.Fields(argv)), " "); got != want {
			t.Errorf("%s: %q, want %q", argv, got, want)
		}
	}
}

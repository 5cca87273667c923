package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// notifier tells systemd how we are (sd_notify), if it is systemd that has
// started us.
type notifier struct {
	addr  string
	every time.Duration // between two signs of life; 0: nobody waits for them
}

func newNotifier(env func(string) string) *notifier {
	n := &notifier{addr: env("NOTIFY_SOCKET")}
	if n.addr != "" && n.addr[0] == '@' {
		n.addr = "\x00" + n.addr[1:] // an abstract address
	}
	usec, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64)
	pid := env("WATCHDOG_PID")
	if err == nil && usec > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		n.every = time.Duration(usec) * time.Microsecond / 2
	}
	return n
}

// tell sends a state. That nobody hears it is no reason to stop.
func (n *notifier) tell(format string, args ...any) {
	if n.addr == "" {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.addr, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	fmt.Fprintf(c, format, args...)
}

// extendInterval is how often systemd is asked for patience while the data is
// recovered, and extension is for how much.
const (
	extendInterval = 5 * time.Second
	extension      = 30 * time.Second
)

// patience asks systemd to wait, until the returned function is called.
func (n *notifier) patience(what string) (done func()) {
	if n.addr == "" {
		return func() {}
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			n.tell("STATUS=%s\nEXTEND_TIMEOUT_USEC=%d", what, extension.Microseconds())
			select {
			case <-stop:
				return
			case <-time.After(extendInterval):
			}
		}
	}()
	return func() {
		close(stop)
		<-ended
	}
}

// watch gives signs of life until stop is closed, as long as alive answers.
func (n *notifier) watch(stop <-chan struct{}, alive func()) {
	if n.addr == "" || n.every == 0 {
		return
	}
	tick := time.NewTicker(n.every)
	defer tick.Stop()
	for {
		alive()
		n.tell("WATCHDOG=1")
		select {
		case <-stop:
			return
		case <-tick.C:
		}
	}
}

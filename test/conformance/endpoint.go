package conformance

import (
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"time"
)

// Endpoint is a broker that cases run against.
type Endpoint struct {
	Label      string                    // A, B: how it is called in the output
	Addr       string                    // of AMQP
	HTTP       string                    // of the management API; "": there is none
	User, Pass string                    // an administrator
	VHost      string                    // where the cases run
	Ctl        string                    // command prefix of its rabbitmqctl, for the alarm cases
	Control    func(args []string) error // in place of Ctl, for a broker in this process
	Quiet      time.Duration
	Fault      string // self-test of the tester: this operation is skipped

	runID  string
	client *http.Client
	count  atomic.Int64
}

// NewEndpoint fills in what is usual.
func NewEndpoint(addr string) *Endpoint {
	return &Endpoint{
		Label: "A", Addr: addr, User: "guest", Pass: "guest", VHost: "/", Quiet: 400 * time.Millisecond,
		runID: fmt.Sprintf("%04x", rand.Intn(65536)), client: &http.Client{Timeout: 20 * time.Second},
	}
}

// prefix makes names for one run that no other run has.
func (ep *Endpoint) prefix(kind string) string {
	n := strconv.FormatInt(1296+ep.count.Add(1)%45360, 36) // three characters
	return kind + ep.runID + n + "."
}

// api calls the management API; 0 if it does not answer.
func (ep *Endpoint) api(method, path, body string) (int, string) {
	var rd io.Reader
	if body != "" {
		rd = bytes.NewReader([]byte(body))
	}
	req, err := http.NewRequest(method, "http://"+ep.HTTP+path, rd)
	if err != nil {
		return 0, err.Error()
	}
	req.SetBasicAuth(ep.User, ep.Pass)
	req.Header.Set("content-type", "application/json")
	res, err := ep.client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(b)
}

// Setup makes the vhost anew. Without a management API it must exist.
func (ep *Endpoint) Setup() error {
	if ep.HTTP == "" {
		return nil
	}
	ep.api("DELETE", "/api/vhosts/"+ep.VHost, "")
	if st, msg := ep.api("PUT", "/api/vhosts/"+ep.VHost, "{}"); st/100 != 2 {
		return fmt.Errorf("%s: cannot create vhost over http://%s: %d %s", ep.Label, ep.HTTP, st, msg)
	}
	if st, msg := ep.api("PUT", "/api/permissions/"+ep.VHost+"/"+ep.User, `{"configure":".*","write":".*","read":".*"}`); st/100 != 2 {
		return fmt.Errorf("%s: cannot set permissions: %d %s", ep.Label, st, msg)
	}
	return nil
}

// Close removes the vhost.
func (ep *Endpoint) Close() {
	if ep.HTTP != "" {
		ep.api("DELETE", "/api/vhosts/"+ep.VHost, "")
	}
}

// waitUp waits until the broker answers a protocol header.
func (ep *Endpoint) waitUp(d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		h := newHub()
		c, err := dial(h, "up", ep.Addr)
		if err != nil {
			continue
		}
		c.send([]byte(protocolHeader))
		ok := h.waitUntil(func() bool { return len(h.evs) > 0 && h.evs[0].kind == evMethod }, 3*time.Second)
		c.nc.Close()
		if ok {
			return nil
		}
	}
	return fmt.Errorf("%s did not come up within %v", ep.Addr, d)
}

// Shell is a restart by a shell command, which returns when the broker is
// being started.
func (ep *Endpoint) Shell(cmd string) func() error {
	return func() error {
		x := exec.Command("/bin/sh", "-c", cmd)
		x.Stderr = os.Stderr
		if err := x.Run(); err != nil {
			return fmt.Errorf("%s: %w", cmd, err)
		}
		return ep.waitUp(2 * time.Minute)
	}
}

package ctl

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/mgmt/client"
)

// node is the way to the node: its HTTP API, over the socket in its data
// directory, where everything is allowed, or over the network as a user.
type node struct {
	*client.Client
	where string // for messages
	user  string
	info  apitype.NodeStatus
}

// connect finds the node and asks how it is.
func (c *call) connect() (*node, error) {
	n, err := c.reach()
	if err != nil {
		return nil, err
	}
	if err := n.Get(c.ctx, "/node/status", &n.info); err != nil {
		return nil, c.unreachable(n, err)
	}
	if want := c.option("node"); want != "" && !isURL(want) && !sameNode(want, n.info.Name) {
		return nil, plain(exitUnavailable, "Error: unable to perform an operation on node '%s': the node that answers on %s is '%s'", want, n.where, n.info.Name)
	}
	return n, nil
}

// sameNode compares names as people give them: without a host it is this one.
func sameNode(want, have string) bool {
	if !strings.Contains(want, "@") {
		have, _, _ = strings.Cut(have, "@")
	}
	return want == have
}

func isURL(s string) bool { return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") }

func (c *call) reach() (*node, error) {
	if u := c.option("node"); isURL(u) {
		return c.reachURL(u)
	}
	dir := c.option("data-dir")
	if dir == "" {
		where, err := c.Where("")
		if err != nil {
			return nil, plain(exitUnavailable, "Error: unable to find the node's data directory: %v", err)
		}
		dir = where.DataDir
	}
	dial := func(ctx context.Context) (net.Conn, error) { return listen.DialControl(ctx, dir) }
	return &node{Client: client.OverSocket(dial), where: filepath.Join(dir, listen.ControlSocket)}, nil
}

// reachURL takes the user from the URL, and the password from there or from the
// environment, where nobody else sees it.
func (c *call) reachURL(u string) (*node, error) {
	user, pass := "guest", "guest"
	if s, ok := c.Getenv("WARREN_USER"); ok {
		user, pass = s, ""
	}
	if s, ok := c.Getenv("WARREN_PASSWORD"); ok {
		pass = s
	}
	var conf *tls.Config
	if ca, ok := c.Getenv("WARREN_CACERTFILE"); ok {
		pem, err := os.ReadFile(ca)
		pool := x509.NewCertPool()
		if err != nil || !pool.AppendCertsFromPEM(pem) {
			return nil, plain(exitUnavailable, "Error: WARREN_CACERTFILE %s: no certificate can be read (%v)", ca, err)
		}
		conf = &tls.Config{RootCAs: pool}
	}
	cl, err := client.OverURL(u, user, pass, conf)
	if err != nil {
		return nil, c.badArgument(err.Error())
	}
	return &node{Client: cl, where: u, user: user}, nil
}

// unreachable says in one sentence why the node does not answer.
func (c *call) unreachable(n *node, err error) error {
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	name := "the node"
	if c.local() {
		name = "node '" + c.nodeName() + "'"
	}
	why := err.Error()
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		why = "it is not running (nothing listens on " + n.where + ")"
	case errors.Is(err, fs.ErrPermission):
		why = "its socket " + n.where + " belongs to another user (run this as the user that the node runs as)"
	case client.IsUnauthorized(err):
		why = fmt.Sprintf("the user may not (%v)", err)
	case client.IsNotFound(err):
		why = "what answers on " + n.where + " is not a node of this kind"
	}
	e := plain(exitUnavailable, "Error: unable to perform an operation on %s: %s", name, why)
	e.cause = err
	return e
}

// running refuses a command for which the node is in the wrong state.
func (c *call) running() error {
	switch on := c.node.info.AppRunning; {
	case c.cmd.Needs == appRunning && !on:
		return c.unfit("this command requires the 'rabbit' app to be running on the target node. Start it with 'rabbitmqctl start_app'.")
	case c.cmd.Needs == appStopped && on:
		return c.unfit("this command requires the 'rabbit' app to be stopped on the target node. Stop it with 'rabbitmqctl stop_app'.")
	}
	return nil
}

func (c *call) nodeLabel() string {
	if c.node != nil {
		return c.name()
	}
	return c.nodeName()
}

// name is the node's.
func (c *call) name() string { return c.node.info.Name }

// Requests. Paths begin below /api.

func path(parts ...string) string { return client.Path(parts...) }

// exchangePath is the name of an exchange in a path.
func exchangePath(name string) string {
	if name == "" {
		return "amq.default"
	}
	return name
}

func (c *call) do(method, p string, in, out any) error {
	if out == nil {
		_, err := c.node.Do(c.ctx, method, p, in, nil)
		return err
	}
	var raw []byte
	if _, err := c.node.Do(c.ctx, method, p, in, &raw); err != nil {
		return err
	}
	// Numbers stay as they are written: not every integer is a float.
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(out); err != nil {
		return fmt.Errorf("%s %s: %w", method, p, err)
	}
	return nil
}

func (c *call) get(p string, out any) error      { return c.do(http.MethodGet, p, nil, out) }
func (c *call) put(p string, in any) error       { return c.do(http.MethodPut, p, in, nil) }
func (c *call) post(p string, in, out any) error { return c.do(http.MethodPost, p, in, out) }
func (c *call) delete(p string) error            { return c.do(http.MethodDelete, p, nil, nil) }

// command tells the node to do something.
func (c *call) command(name string, in any) error { return refused(c.post("/node/"+name, in, nil)) }

// there says whether a GET of a path finds something.
func (c *call) there(p string) (bool, error) {
	err := c.get(p, nil)
	if client.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// objects gets a list.
func (c *call) objects(p string) ([]map[string]any, error) {
	var out []map[string]any
	return out, c.get(p, &out)
}

// isStatus says whether err is an answer of the API with this status.
func isStatus(err error, status int) bool {
	var e *client.Error
	return errors.As(err, &e) && e.Status == status
}

// reason is what an answer of the API gives as one. RabbitMQ's API escapes what
// its validation errors quote.
func reason(err error) string {
	var e *client.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	s := e.Error()
	if strings.HasPrefix(s, "Validation failed") {
		s = html.UnescapeString(s)
	}
	return s
}

// refused is the error of something that the node did not take.
func refused(err error) error {
	if isStatus(err, http.StatusBadRequest) {
		return failed(exitUnavailable, reason(err))
	}
	return err
}

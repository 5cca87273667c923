// Package hostpage is host management for the management page and the HTTP API: a
// hosts.Client for each request, over a connection within the process, as the
// user who asks. The program warren hands it to the server (server.Config.Hosts).
package hostpage

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts"
	"github.com/warrenmq/warren/internal/hosts/command"
	"github.com/warrenmq/warren/internal/hosts/record"
	"github.com/warrenmq/warren/internal/mgmt/api"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// Defaults of a task that is run from the page, as those of "warren hosts run".
const (
	defaultTimeout = 5 * time.Minute
	defaultExpires = 30 * time.Minute
	keep           = 7 * 24 * time.Hour
	outputLimit    = 1 << 20
)

// outputRoom is how much output a page shows, of all hosts together: it is read
// within the broker, and in the browser.
const outputRoom = 8 << 20

// patience is how long a request waits for the broker: it is in the same process.
const patience = 20 * time.Second

type opener struct {
	dial func(user string) (net.Conn, error)
}

// New returns the host management of a node. dial opens a connection on which the
// user is logged in with the mechanism EXTERNAL.
func New(dial func(user string) (net.Conn, error)) api.Hosts { return &opener{dial} }

// Open implements api.Hosts.
func (o *opener) Open(ctx context.Context, user, vhost, from string, note func(action, task, detail string)) (api.HostSession, error) {
	props := amqp.NewConnectionProperties()
	props.SetClientConnectionName("management: hosts")
	c := &hosts.Client{User: user, By: user, From: from, Dial: func(context.Context) (*amqp.Connection, error) {
		nc, err := o.dial(user)
		if err != nil {
			return nil, err
		}
		return amqp.Open(nc, amqp.Config{SASL: []amqp.Authentication{&amqp.ExternalAuth{}}, Vhost: vhost, Locale: "en_US", Properties: props})
	}}
	c.Audit = func(e hosts.Entry) { note(e.Event+" task on hosts", e.Task.String(), detail(e)) }
	s := &session{c}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := c.Connect(ctx); err != nil {
		c.Close()
		return nil, refusal(err)
	}
	return s, nil
}

// detail is what an entry of the audit log says: what, as whom, on which hosts.
func detail(e hosts.Entry) string {
	text := e.Command
	if e.As != "" {
		text += " (as " + e.As + ")"
	}
	return text + " on " + strings.Join(e.Hosts, " ")
}

type session struct{ c *hosts.Client }

func (s *session) Close() error { return s.c.Close() }

// refusal turns what a user can understand into an answer.
func refusal(err error) error {
	var r *hosts.RefusedError
	var a *amqp.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		return &api.HostError{Text: r.Text, Missing: strings.HasPrefix(r.Text, "no task ")}
	case errors.As(err, &a):
		return &api.HostError{Text: a.Reason}
	case errors.Is(err, context.Canceled):
		return err
	}
	return &api.HostError{Text: err.Error()}
}

func (s *session) Hosts(ctx context.Context) (any, error) {
	list, err := s.c.Hosts(ctx)
	if list == nil {
		list = []hosts.Host{}
	}
	return list, refusal(err)
}

func (s *session) Tasks(ctx context.Context, limit int) (any, error) {
	list, err := s.c.Tasks(ctx, limit)
	if list == nil {
		list = []hosts.Summary{}
	}
	return list, refusal(err)
}

func (s *session) Task(ctx context.Context, id string) (any, error) {
	n, err := record.ParseID(id)
	if err != nil {
		return nil, &api.HostError{Text: err.Error(), Missing: true}
	}
	v, err := s.c.Task(ctx, n, hosts.TaskOptions{Room: outputRoom})
	if err != nil {
		return nil, refusal(err)
	}
	return s.report(ctx, v)
}

// report is a task, with which of the hosts that wait are there.
func (s *session) report(ctx context.Context, v *record.View) (any, error) {
	var list []hosts.Host
	if !v.Final() {
		var err error
		if list, err = s.c.Hosts(ctx); err != nil {
			return nil, refusal(err)
		}
	}
	return hosts.NewReport(v, list), nil
}

func (s *session) Run(ctx context.Context, t apitype.RunOnHosts) (any, error) {
	spec := hosts.Spec{Text: t.Command, Hosts: t.Hosts, Expires: seconds(t.Expires, defaultExpires), Keep: keep}
	spec.Command = record.Command{Shell: bool(t.Shell), User: t.User, Dir: t.Dir, OutputLimit: outputLimit,
		TimeoutMS: seconds(t.Timeout, defaultTimeout).Milliseconds()}
	var err error
	switch {
	case strings.TrimSpace(t.Command) == "": // Check says so
	case bool(t.Shell):
		spec.Command.Argv = []string{t.Command}
	default:
		if spec.Command.Argv, err = command.Split(t.Command); err != nil {
			return nil, &api.HostError{Text: err.Error()}
		}
	}
	if err := spec.Command.Check(); err != nil {
		return nil, &api.HostError{Text: err.Error()}
	}
	v, err := s.c.Run(ctx, spec)
	if err != nil {
		return nil, refusal(err)
	}
	return hosts.NewReport(v, nil), nil
}

// longest is more than any limit, in seconds, and can be counted in nanoseconds.
const longest = 1 << 30

func seconds(n apitype.Int, otherwise time.Duration) time.Duration {
	if n == 0 {
		return otherwise
	}
	return time.Duration(min(n, longest)) * time.Second
}

func (s *session) Cancel(ctx context.Context, id string) (any, error) {
	n, err := record.ParseID(id)
	if err != nil {
		return nil, &api.HostError{Text: err.Error(), Missing: true}
	}
	v, err := s.c.Cancel(ctx, n)
	if err != nil {
		return nil, refusal(err)
	}
	return hosts.NewReport(v, nil), nil
}

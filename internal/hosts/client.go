// Package hosts runs commands on many machines through a broker: consoles and
// the management page use its Client, agents (package agent) carry out.
//
// A client keeps nothing. Which hosts there are stands in queues that agents
// publish to; a task is a queue of its own, its record, that the task's console
// begins, agents continue, and any client can read (record.View). The messages
// are in docs/format/hosts.md, what is done with AMQP in package topology.
package hosts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts/topology"
	"github.com/warrenmq/warren/internal/hosts/trust"
)

// Client talks to the agents of a virtual host. Its methods may be called
// concurrently. Once there was a connection, they try again for a while when
// it is lost.
type Client struct {
	// Dial connects; see Dialer.
	Dial func(context.Context) (*amqp.Connection, error)
	// User is the broker's user of the connection. The broker vouches for it.
	User string
	// By and From are who runs tasks, and from where, for records and audit logs.
	By, From string
	// Signer signs tasks; nil: they are not signed.
	Signer *trust.Signer
	// Audit is told of everything that this client makes hosts do; nil: nobody.
	Audit func(Entry)

	mu     sync.Mutex
	conn   *amqp.Connection
	dialed chan struct{} // closed when the dial under way ends; nil: none is
	been   bool          // there was a connection once
	closed bool
}

// patience is how long a client tries to get something done.
const patience = 60 * time.Second

// Dialer connects to an AMQP URL, with a name by which the broker's tools show
// the connection.
func Dialer(rawURL, name string) (dial func(context.Context) (*amqp.Connection, error), user string, err error) {
	u, err := amqp.ParseURI(rawURL)
	if err != nil {
		var parse *url.Error
		if errors.As(err, &parse) { // its text holds the password
			err = parse.Err
		}
		return nil, "", fmt.Errorf("the broker's URL is not like amqp://user:password@host:5672/vhost: %w", err)
	}
	props := amqp.NewConnectionProperties()
	props.SetClientConnectionName(name)
	dial = func(ctx context.Context) (*amqp.Connection, error) {
		return amqp.DialConfig(rawURL, amqp.Config{
			Heartbeat:  10 * time.Second,
			Locale:     "en_US",
			Properties: props,
			Dial: func(network, addr string) (net.Conn, error) {
				d := net.Dialer{Timeout: 10 * time.Second}
				c, err := d.DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return c, c.SetDeadline(time.Now().Add(20 * time.Second)) // of the handshake
			},
		})
	}
	return dial, u.Username, nil
}

// Close closes the connection.
func (c *Client) Close() error {
	c.mu.Lock()
	conn := c.conn
	c.conn, c.closed = nil, true
	c.mu.Unlock()
	if conn == nil || conn.IsClosed() {
		return nil
	}
	return conn.Close()
}

// connection returns the open connection, or dials: one caller at a time, the
// others wait for it.
func (c *Client) connection(ctx context.Context) (*amqp.Connection, error) {
	for {
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return nil, amqp.ErrClosed
		}
		if c.conn != nil && !c.conn.IsClosed() {
			defer c.mu.Unlock()
			return c.conn, nil
		}
		if wait := c.dialed; wait != nil {
			c.mu.Unlock()
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		done := make(chan struct{})
		c.dialed = done
		c.mu.Unlock()
		return c.connect(ctx, done)
	}
}

func (c *Client) connect(ctx context.Context, done chan struct{}) (*amqp.Connection, error) {
	conn, err := c.Dial(ctx)
	if err == nil {
		if err = topology.Setup(conn); err != nil {
			conn.Close()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialed = nil
	close(done)
	if err != nil {
		return nil, err
	}
	if c.closed {
		conn.Close()
		return nil, amqp.ErrClosed
	}
	c.conn, c.been = conn, true
	return conn, nil
}

// worth says whether another connection may do better. A broker that was never
// there is not waited for: its address may be wrong.
func (c *Client) worth(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.been && !c.closed && retriable(err)
}

// Connect connects once, and says what is wrong if that fails.
func (c *Client) Connect(ctx context.Context) error {
	_, err := c.connection(ctx)
	return explain(err)
}

// do calls f with a connection, and again with another one while connections
// are lost. What f does must bear being done twice.
func (c *Client) do(ctx context.Context, f func(context.Context, *amqp.Connection) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	wait := 50 * time.Millisecond
	for {
		conn, err := c.connection(ctx)
		if err == nil {
			err = f(ctx, conn)
		}
		if err == nil || !c.worth(err) {
			return explain(err)
		}
		select {
		case <-ctx.Done():
			return explain(err)
		case <-time.After(wait):
		}
		wait = min(wait*2, 2*time.Second)
	}
}

// channel calls f with a channel that confirms.
func (c *Client) channel(ctx context.Context, f func(context.Context, *amqp.Channel) error) error {
	return c.do(ctx, func(ctx context.Context, conn *amqp.Connection) error {
		ch, err := conn.Channel()
		if err != nil {
			return err
		}
		defer ch.Close()
		if err := ch.Confirm(false); err != nil {
			return err
		}
		return f(ctx, ch)
	})
}

func retriable(err error) bool {
	var refused *RefusedError
	return topology.IsGone(err) && !errors.As(err, &refused) && !errors.Is(err, errTooLate)
}

// RefusedError: what was asked for is not done, and would not be if asked again.
type RefusedError struct{ Text string }

func (e *RefusedError) Error() string { return e.Text }

func refusef(format string, args ...any) error {
	return &RefusedError{fmt.Sprintf(format, args...)}
}

// explain puts the broker's refusals into a user's terms.
func explain(err error) error {
	var e *amqp.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the broker has not answered for %v: it may be away, or hold publishers back", patience)
	case errors.As(err, &e) && e.Code == amqp.AccessRefused && strings.Contains(e.Reason, "refused for user"):
		return fmt.Errorf("the broker does not let this user do that (%s); 'warren hosts permissions --operator USER' shows what is needed", e.Reason)
	case errors.As(err, &e) && e.Server:
		return fmt.Errorf("the broker says: %s", e.Reason)
	}
	return err
}

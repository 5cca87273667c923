package broker

import (
	"errors"
	"log/slog"
	"time"

	"github.com/warrenmq/warren/internal/broker/meta"
)

// actor is the client as the record names it.
func (c *Client) actor() Actor { return Actor{User: c.User, Source: c.Name} }

// apply is Broker.apply for a client: what it changes, and what is refused to
// it, goes on record.
func (c *Client) apply(cmd meta.Command) (meta.Result, error) {
	res, err := c.b.apply(cmd)
	if err != nil {
		return res, c.deny(cmd, err)
	}
	if len(res.Changes) > 0 && c.b.cfg.Audit != nil {
		c.did(describeCommand(cmd))
	}
	return res, nil
}

// deny puts a command on record that was refused for want of a right; other
// errors are mistakes and only go to the client. It returns err.
func (c *Client) deny(cmd meta.Command, err error) error {
	if !isDenial(err) {
		return err
	}
	return c.refused(describeCommand(cmd), err)
}

func isDenial(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Kind == AccessRefused || e.Kind == NotAllowed)
}

// refused is deny for what is no command.
func (c *Client) refused(e AuditEntry, err error) error {
	if !isDenial(err) {
		return err
	}
	e.Actor, e.Result, e.Reason = c.actor(), AuditRefused, err.Error()
	c.b.Audit(e)
	return err
}

func (c *Client) did(e AuditEntry) {
	e.Actor, e.Result = c.actor(), AuditOK
	c.b.Audit(e)
}

// Audit puts an entry on record, with the present time if it has none: in the
// log, refusals as warnings, and with Config.Audit, which must not block for
// long.
func (b *Broker) Audit(e AuditEntry) {
	level := slog.LevelInfo
	if e.Result == AuditRefused {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{slog.String("user", e.User), slog.String("peer", e.Source), slog.String("result", e.Result)}
	for _, a := range []slog.Attr{slog.String("vhost", e.VHost), slog.String("object", e.Object),
		slog.String("reason", e.Reason), slog.String("detail", e.Detail)} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	b.logger.LogAttrs(b.ctx, level, e.Action, attrs...)
	if b.cfg.Audit == nil {
		return
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	b.cfg.Audit(e)
}

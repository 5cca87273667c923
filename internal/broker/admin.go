package broker

import (
	"errors"
	"fmt"
	"time"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/store"
)

// Actor is on whose behalf something is done.
type Actor struct {
	User   string // "rmq-cli" for the command line, as in RabbitMQ
	Source string // by which way: a connection's name, "http 10.0.0.7:5123", "ctl"
}

// AuditEntry is one change of the definitions, one deed on messages or
// connections, or one attempt that was refused.
type AuditEntry struct {
	Time time.Time
	Actor
	Action string // "put user", "delete queue", "purge queue" …
	VHost  string
	Object string // its name
	Result string // "ok", or "refused" with a Reason
	Reason string
	Detail string
}

// Results of an AuditEntry.
const (
	AuditOK      = "ok"
	AuditRefused = "refused"
)

// View lets f look at the definitions. What it finds is immutable and may be
// kept; the State itself may not. No definition changes meanwhile: f must be
// quick and must not call the broker.
func (b *Broker) View(f func(*meta.State)) {
	b.defs.Lock()
	defer b.defs.Unlock()
	f(b.state)
}

// NewQueueID is for a meta.DeclareQueue given to Do.
func (b *Broker) NewQueueID() uint64 { return b.nextID.Add(1) }

// Do changes definitions on an operator's behalf, who may: all commands or, after
// an error, none. It returns when the changes are durable. The error is an
// *Error. Deleting a queue goes through DeleteQueueAs, which knows its messages.
func (b *Broker) Do(a Actor, cmds ...meta.Command) ([]meta.Result, error) {
	results, pos, err := b.doAsync(cmds)
	for _, c := range cmds {
		e := describeCommand(c)
		e.Actor, e.Result = a, AuditOK
		if err != nil {
			e.Result, e.Reason = AuditRefused, err.Error()
		}
		b.Audit(e)
	}
	if err != nil || pos == 0 {
		return results, err
	}
	return results, b.sync(pos)
}

func (b *Broker) doAsync(cmds []meta.Command) (results []meta.Result, pos store.Position, err error) {
	b.defs.Lock()
	results, pos, err = b.doLocked(cmds)
	later := b.later
	b.later = nil
	b.defs.Unlock()
	for _, f := range later {
		f()
	}
	return results, pos, err
}

func (b *Broker) doLocked(cmds []meta.Command) ([]meta.Result, store.Position, error) {
	cmds, added, err := b.withDefaults(cmds)
	if err != nil {
		return nil, 0, err
	}
	if len(cmds) > 1 {
		trial := b.state.Clone()
		for _, c := range cmds {
			if _, err := trial.Apply(c); err != nil {
				return nil, 0, coreError(err)
			}
		}
	}
	results := make([]meta.Result, 0, len(cmds))
	var logged []meta.Command
	var changes []meta.Change
	for i, c := range cmds {
		r, err := b.state.Apply(c)
		if err != nil {
			if len(results) > 0 { // the trial went well, so must this
				err = errors.Join(errf(InternalError, "definitions half applied"), err)
			}
			return nil, 0, coreError(err)
		}
		if !added[i] {
			results = append(results, r)
		}
		logged, changes = append(logged, r.Log...), append(changes, r.Changes...)
	}
	pos, err := b.logCommands(logged)
	b.derive(changes)
	return results, pos, err
}

// describeCommand says what a command does, in an operator's words.
func describeCommand(c meta.Command) AuditEntry {
	switch c := c.(type) {
	case *meta.PutVHost:
		return AuditEntry{Action: "put vhost", VHost: c.Name, Object: c.Name}
	case *meta.DeleteVHost:
		return AuditEntry{Action: "delete vhost", VHost: c.Name, Object: c.Name}
	case *meta.SetVHostLimits:
		return AuditEntry{Action: "set vhost limits", VHost: c.VHost, Object: c.VHost, Detail: fmt.Sprint(map[string]int64(c.Limits))}
	case *meta.SetTracing:
		return AuditEntry{Action: "set tracing", VHost: c.VHost, Object: c.VHost, Detail: fmt.Sprint(c.On)}
	case *meta.PutUser:
		return AuditEntry{Action: "put user", Object: c.Name, Detail: fmt.Sprintf("tags %v", c.Tags)}
	case *meta.DeleteUser:
		return AuditEntry{Action: "delete user", Object: c.Name}
	case *meta.SetUserLimits:
		return AuditEntry{Action: "set user limits", Object: c.User, Detail: fmt.Sprint(map[string]int64(c.Limits))}
	case *meta.SetPermissions:
		return AuditEntry{Action: "set permissions", VHost: c.VHost, Object: c.User, Detail: fmt.Sprintf("configure %q write %q read %q", c.Configure, c.Write, c.Read)}
	case *meta.ClearPermissions:
		return AuditEntry{Action: "clear permissions", VHost: c.VHost, Object: c.User}
	case *meta.SetTopicPermissions:
		return AuditEntry{Action: "set topic permissions", VHost: c.VHost, Object: c.User, Detail: fmt.Sprintf("exchange %q write %q read %q", c.Exchange, c.Write, c.Read)}
	case *meta.ClearTopicPermissions:
		return AuditEntry{Action: "clear topic permissions", VHost: c.VHost, Object: c.User}
	case *meta.SetPolicy:
		return AuditEntry{Action: "set " + policyWord(c.Operator), VHost: c.VHost, Object: c.Name, Detail: fmt.Sprintf("pattern %q apply-to %s priority %d %s", c.Pattern, c.ApplyTo, c.Priority, c.Definition)}
	case *meta.DeletePolicy:
		return AuditEntry{Action: "delete " + policyWord(c.Operator), VHost: c.VHost, Object: c.Name}
	case *meta.SetParameter:
		return AuditEntry{Action: "set parameter", VHost: c.VHost, Object: c.Component + "/" + c.Name}
	case *meta.DeleteParameter:
		return AuditEntry{Action: "delete parameter", VHost: c.VHost, Object: c.Component + "/" + c.Name}
	case *meta.SetGlobalParameter:
		return AuditEntry{Action: "set global parameter", Object: c.Name}
	case *meta.DeleteGlobalParameter:
		return AuditEntry{Action: "delete global parameter", Object: c.Name}
	case *meta.DeclareExchange:
		return AuditEntry{Action: "declare exchange", VHost: c.VHost, Object: c.Name}
	case *meta.DeleteExchange:
		return AuditEntry{Action: "delete exchange", VHost: c.VHost, Object: c.Name}
	case *meta.DeclareQueue:
		return AuditEntry{Action: "declare queue", VHost: c.VHost, Object: c.Name}
	case *meta.DeleteQueue:
		return AuditEntry{Action: "delete queue", VHost: c.VHost, Object: c.Name}
	case *meta.Bind:
		return AuditEntry{Action: "bind", VHost: c.VHost, Object: c.Dest, Detail: fmt.Sprintf("from %q with key %q", c.Source, c.Key)}
	case *meta.Unbind:
		return AuditEntry{Action: "unbind", VHost: c.VHost, Object: c.Dest, Detail: fmt.Sprintf("from %q with key %q", c.Source, c.Key)}
	}
	return AuditEntry{Action: fmt.Sprintf("%T", c)}
}

func policyWord(operator bool) string {
	if operator {
		return "operator policy"
	}
	return "policy"
}

// queueAt finds a queue at work; the error is NotFound.
func (b *Broker) queueAt(vhost, name string) (*Queue, error) {
	if v := b.VHost(vhost); v != nil {
		if q := v.Queue(name); q != nil {
			return q, nil
		}
	}
	return nil, noQueue(name, vhost)
}

// PurgeQueueAs drops a queue's ready messages on an operator's behalf and
// returns their number.
func (b *Broker) PurgeQueueAs(a Actor, vhost, name string) (int, error) {
	q, err := b.queueAt(vhost, name)
	if err != nil {
		return 0, err
	}
	if err := q.NotForStreams("queue.purge"); err != nil {
		return 0, err
	}
	n := q.Purge()
	b.Audit(AuditEntry{Actor: a, Action: "purge queue", VHost: vhost, Object: name, Result: AuditOK, Detail: fmt.Sprintf("%d messages", n)})
	return n, nil
}

// DeleteQueueAs deletes a queue on an operator's behalf, an exclusive one of
// somebody's too, and returns how many messages were ready.
func (b *Broker) DeleteQueueAs(a Actor, vhost, name string, ifUnused, ifEmpty bool) (int, error) {
	q, err := b.queueAt(vhost, name)
	if err != nil {
		return 0, err
	}
	n, err := b.endQueue(q, ifUnused, ifEmpty)
	e := AuditEntry{Actor: a, Action: "delete queue", VHost: vhost, Object: name, Result: AuditOK, Detail: fmt.Sprintf("%d messages", n)}
	if err != nil {
		e.Result, e.Reason = AuditRefused, err.Error()
		b.Audit(e)
		return 0, err
	}
	b.Audit(e)
	q.CancelConsumers()
	return n, nil
}

// EachClient shows the connections' clients, in no order.
func (b *Broker) EachClient(f func(*ClientInfo)) {
	for _, c := range b.allClients() {
		if c.Kick != nil {
			f(&c.ClientInfo)
		}
	}
}

// CloseClients closes the connections that match, on an operator's behalf. Their
// clients are told why. It returns how many they are.
func (b *Broker) CloseClients(a Actor, reason string, match func(*ClientInfo) bool) int {
	n := 0
	for _, c := range b.allClients() {
		if c.Kick == nil || !match(&c.ClientInfo) {
			continue
		}
		n++
		c.Kick(ConnectionForced, reason)
		b.Audit(AuditEntry{Actor: a, Action: "close connection", VHost: c.VHost, Object: c.Name, Result: AuditOK, Detail: reason})
	}
	return n
}

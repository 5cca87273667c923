package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

func (m *importer) user(row *apitype.ImportedUser) error {
	in := apitype.PutUser{Password: row.Password, PasswordHash: row.PasswordHash, HashingAlgorithm: row.HashingAlgorithm, Tags: row.Tags}
	if row.HashingAlgorithm == "" && m.legacy {
		in.HashingAlgorithm = auth.MD5
	}
	old := m.state.User(row.Name)
	if old != nil && row.Password != nil && auth.Verify(old.Algorithm, old.PasswordHash, *row.Password) {
		in.Password, in.PasswordHash, in.HashingAlgorithm = nil, &old.PasswordHash, old.Algorithm // the same as it was
	}
	limits, err := limitsOf(row.Limits)
	if err != nil {
		return badRequestf("limits of user '%s': %v", row.Name, err)
	}
	cmds, err := userCommands(m.broker, row.Name, &in)
	if err != nil {
		return err
	}
	c := cmds[0].(*meta.PutUser)
	if old == nil || old.PasswordHash != c.PasswordHash || old.Algorithm != c.Algorithm || !sameList(old.Tags, c.Tags) {
		if err := m.add(c, ""); err != nil {
			return err
		}
	}
	if limits == nil || old != nil && sameLimits(old.Limits, limits) || old == nil && len(limits) == 0 {
		return nil
	}
	return m.add(&meta.SetUserLimits{User: row.Name, Limits: limits}, " ("+row.Name+")")
}

// limitsOf reads limits, of which there may be an empty list.
func limitsOf(raw json.RawMessage) (meta.Limits, error) {
	if s := string(bytes.TrimSpace(raw)); s == "" || s == "null" {
		return nil, nil
	} else if s == "[]" {
		return meta.Limits{}, nil
	}
	var l meta.Limits
	if err := json.Unmarshal(raw, &l); err != nil {
		return nil, errors.New("an object with numbers is wanted")
	}
	return l, nil
}

func sameLimits(a, b meta.Limits) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			return false
		}
	}
	return true
}

func sameList(a, b []string) bool {
	return len(a) == len(b) && strings.Join(a, "\x00") == strings.Join(b, "\x00")
}

func (m *importer) addVHost(row *apitype.ImportedVHost) error {
	old := m.state.VHost(row.Name)
	in := row.Metadata
	overlay(&in, &row.PutVHost)
	c := putVHostCommand(row.Name, old, &in)
	if old == nil || old.Description != c.Description || old.DefaultQueueType != c.DefaultQueueType ||
		old.Tracing != c.Tracing || old.Protected != c.Protected || !sameList(old.Tags, c.Tags) {
		if err := m.add(c, " ("+row.Name+")"); err != nil {
			return err
		}
	}
	if old == nil && m.grant != "" {
		if err := m.add(&meta.SetPermissions{User: m.grant, VHost: row.Name, Configure: ".*", Write: ".*", Read: ".*"}, ""); err != nil {
			return err
		}
	}
	limits, err := limitsOf(row.Limits)
	if err != nil {
		limits, err = nil, nil // a list of something, which no release means anything by
	}
	if len(limits) == 0 || old != nil && sameLimits(old.Limits, limits) {
		return err
	}
	return m.add(&meta.SetVHostLimits{VHost: row.Name, Limits: limits}, " ("+row.Name+")")
}

// overlay puts what over says over in.
func overlay(in, over *apitype.PutVHost) {
	if over.Description != nil {
		in.Description = over.Description
	}
	if over.Tags != nil {
		in.Tags = over.Tags
	}
	if over.DefaultQueueType != nil {
		in.DefaultQueueType = over.DefaultQueueType
	}
	if over.OldDefaultQueueType != nil {
		in.OldDefaultQueueType = over.OldDefaultQueueType
	}
	if over.Tracing != nil {
		in.Tracing = over.Tracing
	}
	if over.ProtectedFromDeletion != nil {
		in.ProtectedFromDeletion = over.ProtectedFromDeletion
	}
}

func (m *importer) permission(row *apitype.ImportedPermission) error {
	if err := m.known(row.User, row.VHost); err != nil {
		return err
	}
	if row.Configure == nil || row.Write == nil || row.Read == nil {
		return badRequestf("a permission of user '%s' in vhost '%s' lacks configure, write or read", row.User, row.VHost)
	}
	p := meta.Permission{User: row.User, VHost: row.VHost, Configure: *row.Configure, Write: *row.Write, Read: *row.Read}
	if old := m.state.Permission(row.User, row.VHost); old != nil && *old == p {
		return nil
	}
	return m.add((*meta.SetPermissions)(&p), " ("+row.VHost+"/"+row.User+")")
}

func (m *importer) known(user, vhost string) error {
	if _, err := m.in(vhost); err != nil {
		return err
	}
	if m.state.User(user) == nil {
		return BadRequest([]string{"no_such_user", user})
	}
	return nil
}

func (m *importer) topic(row *apitype.ImportedTopic) error {
	if err := m.known(row.User, row.VHost); err != nil {
		return err
	}
	if row.Exchange == nil || row.Write == nil || row.Read == nil {
		return badRequestf("a topic permission of user '%s' in vhost '%s' lacks exchange, write or read", row.User, row.VHost)
	}
	p := meta.TopicPermission{User: row.User, VHost: row.VHost, Exchange: *row.Exchange, Write: *row.Write, Read: *row.Read}
	for _, old := range m.state.TopicPermissions(row.User, row.VHost) {
		if *old == p {
			return nil
		}
	}
	return m.add((*meta.SetTopicPermissions)(&p), " ("+row.VHost+"/"+row.User+")")
}

func (m *importer) global(row *apitype.GlobalParameter) error {
	if old := m.state.GlobalParameter(row.Name); old != nil && sameJSON(old.Value, row.Value) {
		return nil
	}
	return m.add(&meta.SetGlobalParameter{Name: row.Name, Value: row.Value}, " ("+row.Name+")")
}

func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

func (m *importer) policy(row *apitype.ImportedPolicy) error {
	v, err := m.in(row.VHost)
	if err != nil {
		return err
	}
	if row.Name == "" {
		return badRequestf("policy in virtual host '%s' has undefined name", v)
	}
	where := " (" + v + "/" + row.Name + ")"
	row.Definition = dictionary(row.Definition)
	c, err := policyCommand(v, row.Name, false, &row.PutPolicy)
	if e, ok := err.(*Error); ok {
		e.Reason = fmt.Sprint(e.Reason, where)
	}
	if err != nil || m.samePolicy(c) {
		return err
	}
	return m.add(c, where)
}

func (m *importer) samePolicy(c *meta.SetPolicy) bool {
	old := m.state.Policy(c.VHost, c.Name, c.Operator)
	apply := c.ApplyTo
	if apply == "" {
		apply = "all"
	}
	return old != nil && old.Pattern == c.Pattern && old.ApplyTo == apply && old.Priority == c.Priority && sameJSON(old.Definition, c.Definition)
}

// dictionary makes an object of a list of pairs, which is how the command line
// of RabbitMQ 3.10.8 writes the definition of an operator policy.
func dictionary(raw json.RawMessage) json.RawMessage {
	var pairs [][]json.RawMessage
	if json.Unmarshal(raw, &pairs) != nil {
		return raw
	}
	var out bytes.Buffer
	out.WriteByte('{')
	for i, p := range pairs {
		var key string
		if len(p) != 2 || json.Unmarshal(p[0], &key) != nil {
			return raw
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(p[0])
		out.WriteByte(':')
		out.Write(p[1])
	}
	out.WriteByte('}')
	return out.Bytes()
}

func (m *importer) parameter(row *apitype.Parameter) error {
	v, err := m.in(row.VHost)
	if err != nil {
		return err
	}
	where := " (" + v + "/" + row.Component + "/" + row.Name + ")"
	switch row.Component {
	case componentLimits:
		limits, err := limitsOf(row.Value)
		if err != nil {
			return badRequestf("Validation failed\n\n%v\n%s", err, where)
		}
		if sameLimits(m.state.VHost(v).Limits, limits) {
			return nil
		}
		return m.add(&meta.SetVHostLimits{VHost: v, Limits: limits}, where)
	case componentOperatorPolicy:
		var p apitype.PutPolicy
		if err := wrongType(json.Unmarshal(row.Value, &p)); err != nil {
			return err
		}
		p.Definition = dictionary(p.Definition)
		c, err := policyCommand(v, row.Name, true, &p)
		if err != nil || m.samePolicy(c) {
			return err
		}
		return m.add(c, where)
	}
	if old := m.state.Parameter(v, row.Component, row.Name); old != nil && sameJSON(old.Value, row.Value) {
		return nil
	}
	warnIdle(m.logger, v, row.Component, row.Name)
	return m.add(&meta.SetParameter{VHost: v, Component: row.Component, Name: row.Name, Value: row.Value}, where)
}

// skip leaves out what every node has of its own.
func (m *importer) skip(kind, name string) bool {
	if name != "" && !strings.HasPrefix(name, "amq.") {
		return false
	}
	m.logger.Warn("definitions: a reserved name is passed over", kind, name)
	return true
}

func (m *importer) exchange(row *apitype.ImportedExchange) error {
	v, err := m.in(row.VHost)
	if err != nil {
		return err
	}
	if row.Name == nil {
		return badRequestf("exchange in virtual host '%s' has undefined name", v)
	}
	name := *row.Name
	if m.skip("exchange", name) || m.state.Exchange(v, name) != nil {
		return nil
	}
	args, err := argsOf(row.Arguments)
	if err != nil {
		return err
	}
	return m.add(&meta.DeclareExchange{VHost: v, Name: name, Type: row.Type, Durable: row.Durable == nil || bool(*row.Durable),
		AutoDelete: bool(row.AutoDelete), Internal: bool(row.Internal), Args: args, User: m.actor.User}, "")
}

func (m *importer) queue(row *apitype.ImportedQueue) error {
	v, err := m.in(row.VHost)
	if err != nil {
		return err
	}
	if row.Name == nil {
		return badRequestf("queue in virtual host '%s' has undefined name", v)
	}
	name := *row.Name
	if m.skip("queue", name) || m.state.Queue(v, name) != nil {
		return nil
	}
	if row.Exclusive {
		m.logger.Warn("definitions: an exclusive queue is passed over", "vhost", v, "queue", name)
		return nil
	}
	args, err := argsOf(row.Arguments)
	if err != nil {
		return err
	}
	if _, ok := args.Get("x-queue-type"); !ok && row.Type != "" && row.Type != meta.Classic {
		args = args.Set("x-queue-type", wire.String(row.Type))
	}
	return m.add(&meta.DeclareQueue{VHost: v, Name: name, Durable: row.Durable == nil || bool(*row.Durable),
		AutoDelete: bool(row.AutoDelete), Args: args, ID: m.broker.NewQueueID(), User: m.actor.User}, "")
}

func (m *importer) binding(row *apitype.ImportedBinding) error {
	v, err := m.in(row.VHost)
	if err != nil || row.Source == "" {
		return err // every queue is bound to the default exchange
	}
	c := &meta.Bind{VHost: v, Source: row.Source, Dest: row.Destination, Key: row.RoutingKey}
	switch row.DestinationType {
	case "queue":
	case "exchange":
		c.DestKind = meta.ToExchange
	default:
		return badRequestf("destination_type %q of a binding in vhost '%s' is neither queue nor exchange", row.DestinationType, v)
	}
	if c.Args, err = argsOf(row.Arguments); err != nil {
		return err
	}
	if m.state.Binding(v, c.Source, c.DestKind, c.Dest, c.Key, c.Args) != nil {
		return nil
	}
	if m.state.Exchange(v, c.Source) == nil || c.DestKind == meta.ToQueue && m.state.Queue(v, c.Dest) == nil ||
		c.DestKind == meta.ToExchange && m.state.Exchange(v, c.Dest) == nil {
		// As RabbitMQ: an export may have bindings of what it left out.
		m.logger.Warn("definitions: a binding between what is not there is passed over", "vhost", v, "source", c.Source, "destination", c.Dest)
		return nil
	}
	return m.add(c, fmt.Sprintf(" (%s: %s -> %s)", v, c.Source, c.Dest))
}

package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// importer turns a file of definitions into commands, which the core carries
// out all or none. What is there already is left out, so that importing twice
// does nothing the second time.
type importer struct {
	broker *broker.Broker
	logger *slog.Logger
	actor  broker.Actor
	// grant is who gets access to virtual hosts that are made; "": nobody.
	grant string
	// vhost is where rows go that belong to a virtual host, and the only
	// sections that are read then; "": each row says it.
	vhost string

	state  *meta.State // a copy, which the commands are tried on
	cmds   []meta.Command
	legacy bool // of a release that hashed passwords with MD5
}

// errNoVHost says that a row has no virtual host: the file is that of a virtual
// host.
const undefinedVHost = "undefined"

// run imports a file. Errors are *Error, for the client.
func (m *importer) run(raw []byte) error {
	var in apitype.ImportedDefinitions
	if err := parseDefinitions(raw, &in); err != nil {
		return err
	}
	m.legacy = hashesMD5(in.RabbitVersion)
	m.broker.View(func(s *meta.State) { m.state = s.Clone() })
	if err := m.collect(&in); err != nil {
		return err
	}
	if len(m.cmds) == 0 {
		return nil
	}
	_, err := m.broker.Do(m.actor, m.cmds...)
	return adminFailure(err)
}

func parseDefinitions(raw []byte, in *apitype.ImportedDefinitions) error {
	raw = trimJSON(raw)
	if len(raw) == 0 {
		return nil
	}
	if raw[0] != '{' || !json.Valid(raw) {
		return BadRequest("failed_to_parse_json")
	}
	return wrongType(json.Unmarshal(raw, in))
}

// hashesMD5: files of releases before 3.6 do not name the algorithm.
func hashesMD5(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	return err == nil && err2 == nil && (a < 3 || a == 3 && b < 6)
}

// collect goes through the sections in RabbitMQ's order.
func (m *importer) collect(in *apitype.ImportedDefinitions) error {
	var steps []func() error
	if m.vhost == "" {
		steps = append(steps,
			func() error { return each(in.Users, m.user) },
			func() error { return each(in.VHosts, m.addVHost) },
			func() error { return each(in.Permissions, m.permission) })
	}
	steps = append(steps, func() error { return each(in.Exchanges, m.exchange) })
	if m.vhost == "" {
		steps = append(steps,
			func() error { return each(in.TopicPermissions, m.topic) },
			func() error { return each(in.GlobalParameters, m.global) })
	}
	steps = append(steps,
		func() error { return each(in.Policies, m.policy) },
		func() error { return each(in.Parameters, m.parameter) },
		func() error { return each(in.Queues, m.queue) },
		func() error { return each(in.Bindings, m.binding) })
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func each[T any](rows []T, f func(*T) error) error {
	for i := range rows {
		if err := f(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// add tries a command. where is put behind the text of a refusal.
func (m *importer) add(c meta.Command, where string) error {
	if _, err := m.state.Apply(c); err != nil {
		var me *meta.Error
		if !errors.As(err, &me) || me.Kind == meta.InternalError {
			return err
		}
		return BadRequest(escape(me.Text) + where)
	}
	m.cmds = append(m.cmds, c)
	return nil
}

// in is the virtual host that a row is for; the error says that there is none.
func (m *importer) in(row string) (string, error) {
	if m.vhost != "" {
		return m.vhost, nil
	}
	if row == "" {
		return "", BadRequest([]string{"no_such_vhost", undefinedVHost})
	}
	if m.state.VHost(row) == nil {
		return "", BadRequest([]string{"no_such_vhost", row})
	}
	return row, nil
}

package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/term"
)

// readTerms reads rabbitmq.config or advanced.config: a list of applications,
// each with a list of keys. It turns them into settings of rabbitmq.conf.
func (l *loader) readTerms(file, text string) error {
	p, err := term.Parse(text)
	if err != nil {
		te, ok := err.(*term.Error)
		if !ok {
			return err
		}
		return &Error{fmt.Sprintf("%s:%d", file, te.Line), fmt.Errorf("%s", te.Text)}
	}
	apps, ok := p.Term.(term.List)
	if !ok {
		return &Error{file + ":1", fmt.Errorf("want a list of applications, as in [{rabbit, [...]}].")}
	}
	r := &termReader{l: l, file: file, p: p}
	for i := range apps {
		origin := fmt.Sprintf("%s:%d", file, p.Line(&apps[i]))
		app, props, ok := pair(apps[i])
		list, isList := props.(term.List)
		if !ok || !isList {
			return &Error{origin, fmt.Errorf("want {application, [{key, value}, ...]}, found %s", short(apps[i]))}
		}
		if err := r.application(app, list); err != nil {
			return err
		}
	}
	return nil
}

// pair takes {atom, value} apart.
func pair(t term.Term) (string, term.Term, bool) {
	tu, ok := t.(term.Tuple)
	if !ok || len(tu) != 2 {
		return "", nil, false
	}
	name, ok := term.Text(tu[0])
	return name, tu[1], ok
}

func short(t term.Term) string {
	s := t.String()
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return s
}

type termReader struct {
	l    *loader
	file string
	p    term.Parsed
}

// applications whose settings have nothing to do here.
const foreignApps = " kernel sasl ra osiris mnesia aten rabbit_common rabbitmq_mqtt rabbitmq_stomp rabbitmq_stream rabbitmq_web_mqtt" +
	" rabbitmq_web_stomp rabbitmq_shovel rabbitmq_federation rabbitmq_auth_backend_ldap rabbitmq_auth_backend_http" +
	" rabbitmq_auth_backend_oauth2 rabbitmq_auth_backend_cache rabbitmq_tracing rabbitmq_trust_store rabbitmq_amqp1_0" +
	" rabbitmq_event_exchange rabbitmq_web_dispatch rabbitmq_top rabbitmq_peer_discovery_common lager "

func (r *termReader) application(app string, props term.List) error {
	for i := range props {
		origin := fmt.Sprintf("%s:%d", r.file, r.p.Line(&props[i]))
		key, value, ok := pair(props[i])
		if a, isAtom := props[i].(term.Atom); isAtom {
			key, value, ok = string(a), term.Atom("true"), true // a property that is just there
		}
		if !ok {
			return &Error{origin, fmt.Errorf("want {key, value}, found %s", short(props[i]))}
		}
		if l, isList := value.(term.List); app == "rabbitmq_shovel" && key == "shovels" && isList && len(l) > 0 {
			return &Error{origin, errors.New("{rabbitmq_shovel, shovels}: shovels are not part of this version: nobody would move these messages")}
		}
		if strings.Contains(foreignApps, " "+app+" ") {
			r.l.note("%s: {%s, %s} has no effect: %s", origin, app, key, "this application is not part of Warren")
			continue
		}
		set := r.converter(app, key)
		if set == nil {
			return &Error{origin, r.unknown(app, key)}
		}
		hidden, err := r.l.openTerms(&value)
		if errors.Is(err, errSealed) {
			r.l.note("%s: {%s, %s} is encrypted, and was not looked at", origin, app, key)
			continue
		}
		if err == nil {
			if err = set(&out{r, origin, hidden}, value); err != nil && hidden {
				err = errOpened
			}
		}
		if err != nil {
			return &Error{origin, fmt.Errorf("{%s, %s}: %w", app, key, err)}
		}
	}
	return nil
}

func (r *termReader) unknown(app, key string) error {
	switch app {
	case "rabbit", "rabbitmq_management", "rabbitmq_prometheus", "rabbitmq_management_agent":
		return fmt.Errorf("unknown key {%s, %s}", app, key)
	}
	return fmt.Errorf("unknown application %s", app)
}

// out is where a converter puts its settings.
type out struct {
	r      *termReader
	origin string
	hidden bool // something in it was encrypted
}

func (o *out) put(key, value string) {
	if o.hidden {
		o.r.l.settings.putSecret(key, value, o.origin)
		return
	}
	o.r.l.settings.put(key, value, o.origin)
}
func (o *out) drop(prefix string) { o.r.l.settings.drop(prefix) }

type converter func(o *out, v term.Term) error

// converter finds what becomes of a key.
func (r *termReader) converter(app, key string) converter {
	switch app {
	case "rabbit":
		if c := rabbitKeys()[key]; c != nil {
			return c
		}
		if r.l.b.byName[key] != nil { // most have the same name in rabbitmq.conf
			return plain(key)
		}
	case "rabbitmq_management":
		if c := managementKeys()[key]; c != nil {
			return c
		}
		if r.l.b.byName["management."+key] != nil {
			return plain("management." + key)
		}
	case "rabbitmq_prometheus":
		switch key {
		case "tcp_config":
			return props("prometheus.tcp.")
		case "ssl_config":
			return props("prometheus.ssl.")
		}
		if r.l.b.byName["prometheus."+key] != nil {
			return plain("prometheus." + key)
		}
	case "syslog":
		return syslogKey(key)
	case "ssl":
		if key == "versions" || key == "protocol_version" {
			return allVersions
		}
		return func(o *out, _ term.Term) error {
			o.r.l.note("%s: {ssl, %s} has no effect: this is about how Erlang works", o.origin, key)
			return nil
		}
	case "rabbitmq_management_agent":
		if r.l.b.byName["management_agent."+key] != nil {
			return plain("management_agent." + key)
		}
	}
	return nil
}

// plain takes a value that is one word.
func plain(key string) converter {
	return func(o *out, v term.Term) error {
		s, err := word(v)
		if err == nil {
			o.put(key, s)
		}
		return err
	}
}

// word is a value as rabbitmq.conf writes it.
func word(v term.Term) (string, error) {
	switch v := v.(type) {
	case term.Int:
		return strconv.FormatInt(int64(v), 10), nil
	case term.Float:
		return strconv.FormatFloat(float64(v), 'f', -1, 64), nil
	}
	if s, ok := term.Text(v); ok {
		return s, nil
	}
	return "", fmt.Errorf("want a number or a text, found %s", short(v))
}

func list(v term.Term) (term.List, error) {
	l, ok := v.(term.List)
	if !ok {
		return nil, fmt.Errorf("want a list, found %s", short(v))
	}
	return l, nil
}

// props takes a list of {name, value}; names are those of rabbitmq.conf behind
// the prefix.
func props(prefix string) converter {
	return func(o *out, v term.Term) error {
		l, err := list(v)
		if err != nil {
			return err
		}
		for i := range l {
			name, value, ok := pair(l[i])
			if a, isAtom := l[i].(term.Atom); isAtom {
				name, value, ok = string(a), term.Atom("true"), true
			}
			if !ok {
				return fmt.Errorf("want {key, value}, found %s", short(l[i]))
			}
			if set := tlsProp(prefix, name); set != nil {
				if err := set(o, value); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				continue
			}
			if sub, isList := value.(term.List); isList && name != "ip" {
				if err := many(prefix+name)(o, sub); err != nil {
					return err
				}
				continue
			}
			s, err := word(value)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			o.put(prefix+name, s)
		}
		return nil
	}
}

// many takes a list of words, as rabbitmq.conf numbers them; or a text, which
// may be a list to Erlang.
func many(key string) converter {
	return func(o *out, v term.Term) error {
		l, err := list(v)
		if err != nil {
			return err
		}
		if s, ok := term.Text(l); ok && len(l) > 0 {
			o.put(key, s)
			return nil
		}
		o.drop(key + ".")
		for i, e := range l {
			s, err := word(e)
			if err != nil {
				return err
			}
			o.put(fmt.Sprintf("%s.%d", key, i+1), s)
		}
		return nil
	}
}

// Package plugins knows what RabbitMQ's users switch on and off as plugins.
// Everything is built in here; a plugin's name stands for a function of the
// node, such as the management page.
package plugins

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/term"
)

// Names of those that the node asks about.
const (
	Management = "rabbitmq_management"
	Agent      = "rabbitmq_management_agent"
	Dispatch   = "rabbitmq_web_dispatch"
	Prometheus = "rabbitmq_prometheus"
)

// Plugin is one name.
type Plugin struct {
	Name        string
	Description string
	Requires    []string
	// Missing says why a name that RabbitMQ knows cannot be enabled here; "" if
	// it can.
	Missing string
}

// table is what can be enabled, and what people may ask for.
func table() []Plugin {
	const later = "is not part of this version of Warren"
	here := func(name, text string, requires ...string) Plugin {
		return Plugin{Name: name, Description: text, Requires: requires}
	}
	missing := func(name, text, why string) Plugin { return Plugin{Name: name, Description: text, Missing: why} }
	return []Plugin{
		missing("rabbitmq_amqp1_0", "AMQP 1.0 support for RabbitMQ", later),
		missing("rabbitmq_auth_backend_cache", "RabbitMQ Authentication Backend cache", later),
		missing("rabbitmq_auth_backend_http", "RabbitMQ HTTP Authentication Backend", later),
		missing("rabbitmq_auth_backend_ldap", "RabbitMQ LDAP Authentication Backend", later),
		missing("rabbitmq_auth_backend_oauth2", "OAuth 2 and JWT-based AuthN and AuthZ backend", later),
		here("rabbitmq_auth_mechanism_ssl", "RabbitMQ SSL authentication (SASL EXTERNAL)"),
		missing("rabbitmq_consistent_hash_exchange", "Consistent Hash Exchange Type", later),
		missing("rabbitmq_event_exchange", "Event Exchange Type", later),
		missing("rabbitmq_federation", "RabbitMQ Federation", later),
		missing("rabbitmq_federation_management", "RabbitMQ Federation Management", later),
		missing("rabbitmq_jms_topic_exchange", "RabbitMQ JMS topic selector exchange plugin", later),
		here(Management, "RabbitMQ Management Console", Agent, Dispatch),
		here(Agent, "RabbitMQ Management Agent"),
		missing("rabbitmq_mqtt", "RabbitMQ MQTT Adapter", later),
		missing("rabbitmq_peer_discovery_aws", "AWS-based RabbitMQ peer discovery backend", later),
		missing("rabbitmq_peer_discovery_common", "Modules shared by various peer discovery backends", later),
		missing("rabbitmq_peer_discovery_consul", "Consul-based RabbitMQ peer discovery backend", later),
		missing("rabbitmq_peer_discovery_etcd", "etcd-based RabbitMQ peer discovery backend", later),
		missing("rabbitmq_peer_discovery_k8s", "Kubernetes-based RabbitMQ peer discovery backend", later),
		here(Prometheus, "Prometheus metrics for RabbitMQ", Agent, Dispatch),
		missing("rabbitmq_random_exchange", "RabbitMQ Random Exchange", later),
		missing("rabbitmq_recent_history_exchange", "RabbitMQ Recent History Exchange", later),
		missing("rabbitmq_sharding", "RabbitMQ Sharding Plugin", later),
		missing("rabbitmq_shovel", "Data Shovel for RabbitMQ", later),
		missing("rabbitmq_shovel_management", "Management extension for the Shovel plugin", later),
		missing("rabbitmq_stomp", "RabbitMQ STOMP plugin", later),
		missing("rabbitmq_stream", "RabbitMQ Stream", later),
		missing("rabbitmq_stream_management", "RabbitMQ Stream Management", later),
		missing("rabbitmq_top", "RabbitMQ Top", "shows Erlang processes, and there are none here"),
		missing("rabbitmq_tracing", "RabbitMQ message logging / tracing", later),
		missing("rabbitmq_trust_store", "Client X.509 trust store", later),
		here(Dispatch, "RabbitMQ Web Dispatcher"),
		missing("rabbitmq_web_mqtt", "RabbitMQ MQTT-over-WebSockets adapter", later),
		missing("rabbitmq_web_stomp", "RabbitMQ STOMP-over-WebSockets support", later),
		missing("rabbitmq_delayed_message_exchange", "Delayed Message Exchange", later),
		missing("rabbitmq_message_deduplication", "Message Deduplication Plugin", later),
		missing("rabbitmq_message_timestamp", "Message timestamp interceptor", later),
		missing("rabbitmq_lvc_exchange", "RabbitMQ Last Value Cache exchange", later),
		missing("rabbitmq_rtopic_exchange", "RabbitMQ Reverse Topic Exchange", later),
	}
}

// All lists what can be enabled, in order of names.
func All() []Plugin {
	out := slices.DeleteFunc(table(), func(p Plugin) bool { return p.Missing != "" })
	slices.SortFunc(out, func(a, b Plugin) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Default is what a node has enabled that was never told.
func Default() []string { return []string{Management, Prometheus} }

// UnknownError is about names that cannot be enabled.
type UnknownError struct {
	Names []string // that nobody knows
	Text  string
}

func (e *UnknownError) Error() string { return e.Text }

// Check says why one of the names cannot be enabled.
func Check(names ...string) error {
	all := table()
	var unknown []string
	for _, n := range names {
		i := slices.IndexFunc(all, func(p Plugin) bool { return p.Name == n })
		if i < 0 {
			unknown = append(unknown, n)
		} else if all[i].Missing != "" {
			return &UnknownError{Text: fmt.Sprintf("plugin %s cannot be enabled: it %s", n, all[i].Missing)}
		}
	}
	if len(unknown) > 0 {
		return &UnknownError{Names: unknown, Text: "plugins not found: " + strings.Join(unknown, ", ")}
	}
	return nil
}

// Split sorts names into those that can be enabled and those that cannot.
func Split(names []string) (good, bad []string) {
	for _, n := range names {
		if Check(n) == nil {
			good = append(good, n)
		} else {
			bad = append(bad, n)
		}
	}
	return good, bad
}

// Closure is names with everything that they require, sorted.
func Closure(names []string) []string {
	all := All()
	var out []string
	var add func(n string)
	add = func(n string) {
		if slices.Contains(out, n) {
			return
		}
		i := slices.IndexFunc(all, func(p Plugin) bool { return p.Name == n })
		if i < 0 {
			return
		}
		out = append(out, n)
		for _, r := range all[i].Requires {
			add(r)
		}
	}
	for _, n := range names {
		add(n)
	}
	slices.Sort(out)
	return out
}

// Requiring lists those of the names that need one of the others.
func Requiring(names, others []string) []string {
	var out []string
	for _, n := range names {
		c := Closure([]string{n})
		if slices.ContainsFunc(others, func(o string) bool { return slices.Contains(c, o) }) {
			out = append(out, n)
		}
	}
	return out
}

// Read reads an enabled_plugins file. ok is false if there is none.
func Read(file string) (names []string, ok bool, err error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if strings.TrimSpace(string(b)) == "" {
		return nil, true, nil
	}
	p, err := term.Parse(string(b))
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", file, err)
	}
	l, isList := p.Term.(term.List)
	for i := range l {
		a, isAtom := l[i].(term.Atom)
		if isList = isList && isAtom; isList {
			names = append(names, string(a))
		}
	}
	if !isList {
		return nil, false, fmt.Errorf("%s: want a list of plugins, as in [rabbitmq_management].", file)
	}
	return names, true, nil
}

// Write replaces an enabled_plugins file.
func Write(file string, names []string) error {
	l := term.List{}
	for _, n := range names {
		l = append(l, term.Atom(n))
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(l.String() + ".\n")
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

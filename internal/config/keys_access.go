package config

import (
	"errors"
	"regexp"

	"github.com/warrenmq/warren/server"
)

// accessKeys are users, and who may do what.
func (b *build) accessKeys() []key {
	s := b.s
	const later = "only the internal backend is part of this version: users and permissions are those of the node itself"
	backend := key{refuse: later, harmless: []string{"internal", "rabbit_auth_backend_internal"}}
	rows := []key{
		{name: "default_user", def: "guest", set: needed(&s.DefaultUser)},
		{name: "default_pass", def: "guest", set: needed(&s.DefaultPass), secret: true},
		{name: "default_vhost", def: "/", set: needed(&s.DefaultVHost)},
		{name: "default_user_tags.$tag", def: "administrator", set: flag("default_user_tags")},
		{name: "default_permissions.configure", def: ".*", set: pattern(&s.DefaultPermissions.Configure)},
		{name: "default_permissions.write", def: ".*", set: pattern(&s.DefaultPermissions.Write)},
		{name: "default_permissions.read", def: ".*", set: pattern(&s.DefaultPermissions.Read)},
		{name: "loopback_users", set: none("loopback_users")},
		{name: "loopback_users.$user", def: "guest", set: flag("loopback_users")},
		{name: "auth_mechanisms.$n", def: "PLAIN, AMQPLAIN", set: item("auth_mechanisms", among("PLAIN", "AMQPLAIN", "EXTERNAL", "ANONYMOUS"))},
		{name: "anonymous_login_user", def: "guest", set: needed(&b.anonymous.user)},
		{name: "anonymous_login_pass", def: "guest", set: needed(&b.anonymous.pass), secret: true},
		{name: "password_hashing_module", def: "rabbit_password_hashing_sha256", set: func(_ *build, _ []string, v string) error {
			s.PasswordHashing = v
			if v == "rabbit_password_hashing_md5" {
				return errors.New("MD5 protects nothing; use rabbit_password_hashing_sha512 (users with an MD5 hash can still be imported and log in)")
			}
			return oneOf(v, "rabbit_password_hashing_sha256", "rabbit_password_hashing_sha512")
		}},
		{name: "credential_validator.validation_backend", def: "rabbit_credential_validator_accept_everything",
			set: choice(&s.CredentialValidator.Backend, "rabbit_credential_validator_accept_everything",
				"rabbit_credential_validator_min_password_length", "rabbit_credential_validator_password_regexp")},
		{name: "credential_validator.min_length", set: integer(&s.CredentialValidator.MinLength, 1, 1000)},
		{name: "credential_validator.regexp", set: pattern(&s.CredentialValidator.Regexp)},
		{name: "management.restrictions.operator_policy_changes.disabled", def: "false", set: boolean(&s.Management.OperatorPoliciesFixed)},
	}
	for _, name := range []string{"auth_backends.$n", "auth_backends.$n.authn", "auth_backends.$n.authz",
		"http_dispatch.auth_backends.$n", "http_dispatch.auth_backends.$n.authn", "http_dispatch.auth_backends.$n.authz"} {
		backend.name = name
		rows = append(rows, backend)
	}
	return append(rows, b.perVHostKeys()...)
}

// perVHostKeys are about what each new virtual host is given.
func (b *build) perVHostKeys() []key {
	user := func(f func(u *server.VHostUser, v string) error) setter {
		return func(b *build, at []string, v string) error {
			u := b.vhostUsers[at[0]]
			if u == nil {
				u = &server.VHostUser{Name: at[0], VHostPattern: ".*"}
				b.vhostUsers[at[0]] = u
			}
			return f(u, v)
		}
	}
	lim := func(f func(u *server.VHostLimit, v string) error) setter {
		return func(b *build, at []string, v string) error {
			u := b.vhostLimit[at[0]]
			if u == nil {
				u = &server.VHostLimit{Pattern: ".*", MaxConnections: -1, MaxQueues: -1}
				b.vhostLimit[at[0]] = u
			}
			return f(u, v)
		}
	}
	pol := func(f func(u *server.DefaultPolicy, v string) error) setter {
		return func(b *build, at []string, v string) error {
			u := b.operators[at[0]]
			if u == nil {
				u = &server.DefaultPolicy{Name: at[0], VHostPattern: ".*", QueuePattern: ".*", ApplyTo: "queues", Definition: map[string]int64{}}
				b.operators[at[0]] = u
			}
			return f(u, v)
		}
	}
	re := func(p *string, v string) error { return pattern(p)(nil, nil, v) }
	num := func(p *int64, v string) error { return integer(p, -1, maxLimit)(nil, nil, v) }
	rows := []key{
		{name: "default_users.$id.vhost_pattern", set: user(func(u *server.VHostUser, v string) error { return re(&u.VHostPattern, v) })},
		{name: "default_users.$id.password", secret: true, set: user(func(u *server.VHostUser, v string) error { u.Password = v; return nil })},
		{name: "default_users.$id.configure", set: user(func(u *server.VHostUser, v string) error { return re(&u.Permissions.Configure, v) })},
		{name: "default_users.$id.write", set: user(func(u *server.VHostUser, v string) error { return re(&u.Permissions.Write, v) })},
		{name: "default_users.$id.read", set: user(func(u *server.VHostUser, v string) error { return re(&u.Permissions.Read, v) })},
		{name: "default_users.$id.tags", set: user(func(u *server.VHostUser, v string) error { u.Tags = words(v); return nil })},
		{name: "default_limits.vhosts.$id.pattern", set: lim(func(u *server.VHostLimit, v string) error { return re(&u.Pattern, v) })},
		{name: "default_limits.vhosts.$id.max_connections", set: lim(func(u *server.VHostLimit, v string) error { return num(&u.MaxConnections, v) })},
		{name: "default_limits.vhosts.$id.max_queues", set: lim(func(u *server.VHostLimit, v string) error { return num(&u.MaxQueues, v) })},
		{name: "default_policies.operator.$id.vhost_pattern", set: pol(func(u *server.DefaultPolicy, v string) error { return re(&u.VHostPattern, v) })},
		{name: "default_policies.operator.$id.queue_pattern", set: pol(func(u *server.DefaultPolicy, v string) error { return re(&u.QueuePattern, v) })},
		{name: "default_policies.operator.$id.apply_to", set: pol(func(u *server.DefaultPolicy, v string) error {
			u.ApplyTo = v
			return oneOf(v, "queues", "classic_queues", "quorum_queues", "streams")
		})},
		{name: "default_policies.operator.$id.classic_queues.queue_version", note: "there is one version of classic queues"},
		{name: "default_policies.operator.$id.classic_queues.ha_mode", refuse: "classic queues are not mirrored; use quorum queues"},
		{name: "default_policies.operator.$id.classic_queues.ha_params", refuse: "classic queues are not mirrored; use quorum queues"},
		{name: "default_policies.operator.$id.classic_queues.ha_sync_mode", refuse: "classic queues are not mirrored; use quorum queues"},
	}
	parse := map[string]func(string) (int64, error){
		"expires": millisOf, "message_ttl": millisOf, "max_length": countOf, "max_length_bytes": parseSize,
		"max_in_memory_length": countOf, "max_in_memory_bytes": parseSize, "delivery_limit": countOf,
	}
	for _, name := range byNumber(parse) {
		f := parse[name]
		rows = append(rows, key{name: "default_policies.operator.$id." + name, set: pol(func(u *server.DefaultPolicy, v string) error {
			n, err := f(v)
			u.Definition[dashes.ReplaceAllString(name, "-")] = n
			return err
		})})
	}
	return rows
}

var dashes = regexp.MustCompile("_")

func millisOf(v string) (int64, error) {
	d, err := parseDuration(v, 1e6)
	return d.Milliseconds(), err
}

func countOf(v string) (int64, error) { return parseInt(v, 0, maxLimit) }

func words(v string) []string {
	var out []string
	for _, w := range regexp.MustCompile(`[\s,]+`).Split(v, -1) {
		if w != "" {
			out = append(out, w)
		}
	}
	return out
}

package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/term"
)

// rabbitKeys are those of the application rabbit that are written otherwise in
// rabbitmq.conf, or not at all.
func rabbitKeys() map[string]converter {
	skip := func(why string) converter {
		return func(o *out, v term.Term) error {
			o.r.l.note("%s has no effect: %s", o.origin, why)
			return nil
		}
	}
	const alone = "this version runs single nodes"
	return map[string]converter{
		"tcp_listeners":            listeners("listeners.tcp"),
		"ssl_listeners":            listeners("listeners.ssl"),
		"ssl_options":              props("ssl_options."),
		"loopback_users":           loopback,
		"default_user_tags":        flags("default_user_tags."),
		"default_permissions":      permissions,
		"auth_mechanisms":          many("auth_mechanisms"),
		"auth_backends":            many("auth_backends"),
		"vm_memory_high_watermark": memory,
		"disk_free_limit":          disk,
		"tcp_listen_options":       socket,
		"log":                      logTerm,
		"log_levels":               logLevels,
		"num_tcp_acceptors":        plain("num_acceptors.tcp"),
		"num_ssl_acceptors":        plain("num_acceptors.ssl"),
		"password_hashing_module":  plain("password_hashing_module"),
		"credential_validator":     props("credential_validator."),
		"ssl_handshake_timeout":    plain("ssl_handshake_timeout"),
		"cluster_nodes":            clusterNodes,
		"cluster_formation":        skip(alone),
		"default_consumer_prefetch": func(o *out, v term.Term) error {
			t, ok := v.(term.Tuple)
			if !ok || len(t) != 2 {
				return fmt.Errorf("want {false, 0}, found %s", short(v))
			}
			o.put("default_consumer_prefetch", strings.Trim(v.String(), "{}"))
			return nil
		},
		"config_entry_decoder":                           func(*out, term.Term) error { return nil }, // see findDecoder
		"hipe_compile":                                   skip("this is about how Erlang works"),
		"halt_on_upgrade_failure":                        skip("there are no upgrades that could fail half way"),
		"server_properties":                              skip("what clients are told is set with product.name and product.version"),
		"ssl_apps":                                       skip("this is about how Erlang works"),
		"msg_store_credit_disc_bound":                    skip("publishers are held back when the disk cannot keep up"),
		"credit_flow_default_credit":                     skip("publishers are held back when the disk cannot keep up"),
		"msg_store_io_batch_size":                        skip("the log writes what has gathered"),
		"fhc_read_buffering":                             skip("the node has one log"),
		"fhc_write_buffering":                            skip("the node has one log"),
		"queue_index_max_journal_entries":                skip("the node has one log"),
		"backing_queue_module":                           skip("there is one kind of storage"),
		"dump_log_write_threshold":                       skip("the node has one log"),
		"channel_operation_timeout":                      skip("operations on queues are not remote"),
		"channel_tick_interval":                          skip("this is about how Erlang works"),
		"trace_vhosts":                                   skip("tracing is switched on with rabbitmqctl trace_on"),
		"ssl_allow_poodle_attack":                        skip("SSL 3 is not supported"),
		"tcp_listen_backlog":                             skip("the system's limit holds"),
		"mirroring_flow_control":                         skip(alone),
		"mnesia_table_loading_retry_limit":               skip(alone),
		"mnesia_table_loading_retry_timeout":             skip(alone),
		"writer_gc_threshold":                            skip("this is about how Erlang works"),
		"autocluster_peer_discovery_backend":             skip(alone),
		"cluster_partition_handling":                     skip(alone),
		"lazy_queue_explicit_gc_run_operation_threshold": skip("this is about how Erlang works"),
		"queue_explicit_gc_run_operation_threshold":      skip("this is about how Erlang works"),
	}
}

func managementKeys() map[string]converter {
	return map[string]converter{
		"listener":                       managementListener,
		"tcp_config":                     props("management.tcp."),
		"ssl_config":                     props("management.ssl."),
		"cors_allow_origins":             many("management.cors.allow_origins"),
		"cors_max_age":                   plain("management.cors.max_age"),
		"content_security_policy":        plain("management.csp.policy"),
		"strict_transport_security":      plain("management.hsts.policy"),
		"sample_retention_policies":      retentionTerm,
		"rates_mode":                     plain("management.rates_mode"),
		"management_db_cache_multiplier": plain("management.db_cache_multiplier"),
		"max_body_size":                  plain("management.http.max_body_size"),
		"login_session_timeout":          plain("management.login_session_timeout"),
	}
}

// managementListener takes [{port, 8080}, {ip, "0.0.0.0"}, {ssl, false}].
func managementListener(o *out, v term.Term) error {
	l, err := list(v)
	if err != nil {
		return err
	}
	for i := range l {
		name, value, ok := pair(l[i])
		if !ok {
			return fmt.Errorf("want {key, value}, found %s", short(l[i]))
		}
		if name == "ssl_opts" {
			if err := props("management.listener.ssl_opts.")(o, value); err != nil {
				return err
			}
			continue
		}
		s, err := word(value)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		o.put("management.listener."+name, s)
	}
	return nil
}

// listeners takes [5672, {"127.0.0.1", 5673}].
func listeners(key string) converter {
	return func(o *out, v term.Term) error {
		l, err := list(v)
		if err != nil {
			return err
		}
		o.drop(key)
		if len(l) == 0 {
			o.put(key, "none")
		}
		for i, e := range l {
			addr := ""
			switch e := e.(type) {
			case term.Int:
				addr = e.String()
			case term.Tuple:
				host, ok := "", false
				if len(e) >= 2 {
					host, ok = term.Text(e[0])
				}
				port, isInt := term.Term(nil), false
				if ok {
					port = e[1]
					_, isInt = port.(term.Int)
				}
				if !isInt {
					return fmt.Errorf("want a port or {\"address\", port}, found %s", short(e))
				}
				if strings.Contains(host, ":") {
					host = "[" + host + "]"
				}
				addr = host + ":" + port.String()
			default:
				return fmt.Errorf("want a port or {\"address\", port}, found %s", short(e))
			}
			o.put(key+"."+strconv.Itoa(i+1), addr)
		}
		return nil
	}
}

// loopback takes [<<"guest">>]: the list is the whole truth.
func loopback(o *out, v term.Term) error {
	l, err := list(v)
	if err != nil {
		return err
	}
	o.drop("loopback_users")
	if len(l) == 0 {
		o.put("loopback_users", "none")
		return nil
	}
	o.put("loopback_users.guest", "false")
	for _, e := range l {
		s, err := word(e)
		if err != nil {
			return err
		}
		o.put("loopback_users."+s, "true")
	}
	return nil
}

// flags takes [administrator, ...].
func flags(prefix string) converter {
	return func(o *out, v term.Term) error {
		l, err := list(v)
		if err != nil {
			return err
		}
		o.drop(prefix)
		for _, e := range l {
			s, err := word(e)
			if err != nil {
				return err
			}
			o.put(prefix+s, "true")
		}
		return nil
	}
}

// permissions takes [<<".*">>, <<".*">>, <<".*">>]: configure, write, read.
func permissions(o *out, v term.Term) error {
	l, err := list(v)
	if err != nil || len(l) != 3 {
		return fmt.Errorf("want three patterns, found %s", short(v))
	}
	for i, name := range []string{"configure", "write", "read"} {
		s, err := word(l[i])
		if err != nil {
			return err
		}
		o.put("default_permissions."+name, s)
	}
	return nil
}

// memory takes 0.4 or {absolute, "2GB"}.
func memory(o *out, v term.Term) error {
	o.drop("vm_memory_high_watermark.")
	if kind, value, ok := pair(v); ok {
		s, err := word(value)
		if err == nil {
			o.put("vm_memory_high_watermark."+kind, s)
		}
		return err
	}
	return plain("vm_memory_high_watermark.relative")(o, v)
}

// disk takes 50000000, "1GB" or {mem_relative, 1.0}.
func disk(o *out, v term.Term) error {
	o.drop("disk_free_limit.")
	if kind, value, ok := pair(v); ok {
		if kind == "mem_relative" {
			kind = "relative"
		}
		s, err := word(value)
		if err == nil {
			o.put("disk_free_limit."+kind, s)
		}
		return err
	}
	return plain("disk_free_limit.absolute")(o, v)
}

// socket takes [{backlog, 128}, {nodelay, true}, {linger, {true, 0}}, binary].
func socket(o *out, v term.Term) error {
	l, err := list(v)
	if err != nil {
		return err
	}
	for i := range l {
		name, value, ok := pair(l[i])
		switch {
		case !ok: // binary, inet6
			o.r.l.note("%s: %s has no effect: this is about how Erlang works", o.origin, short(l[i]))
		case name == "linger":
			t, isTuple := value.(term.Tuple)
			if !isTuple || len(t) != 2 {
				return fmt.Errorf("linger: want {true, 0}, found %s", short(value))
			}
			o.put("tcp_listen_options.linger.on", t[0].String())
			o.put("tcp_listen_options.linger.timeout", t[1].String())
		default:
			s, err := word(value)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			o.put("tcp_listen_options."+name, s)
		}
	}
	return nil
}

// logTerm takes [{file, [{level, info}]}, {console, [{enabled, true}]}].
func logTerm(o *out, v term.Term) error {
	l, err := list(v)
	if err != nil {
		return err
	}
	for i := range l {
		name, value, ok := pair(l[i])
		if !ok {
			return fmt.Errorf("want {output, [...]}, found %s", short(l[i]))
		}
		if name == "categories" {
			if err := logLevels(o, value); err != nil {
				return err
			}
			continue
		}
		sub, isList := value.(term.List)
		if !isList {
			s, err := word(value)
			if err != nil {
				return err
			}
			o.put("log."+name, s)
			continue
		}
		for j := range sub {
			k, val, ok := pair(sub[j])
			s, err := "", error(nil)
			if ok {
				s, err = word(val)
			}
			switch {
			case !ok || err != nil:
				return fmt.Errorf("%s: want {key, value}, found %s", name, short(sub[j]))
			case k == "enabled" || k == "file":
				o.put("log."+name, s)
			case k == "date" || k == "size" || k == "count":
				o.put("log."+name+".rotation."+k, s)
			default:
				o.put("log."+name+"."+k, s)
			}
		}
	}
	return nil
}

// logCategory takes [{level, info}, {file, "connections.log"}].
func logCategory(o *out, name string, props term.List) error {
	for i := range props {
		k, value, ok := pair(props[i])
		s, err := "", error(nil)
		if ok {
			s, err = word(value)
		}
		key := map[string]string{"level": "level", "file": "file", "rotate_on_date": "rotation.date", "max_no_bytes": "rotation.size",
			"max_no_files": "rotation.count", "compress_on_rotate": "rotation.compress"}[k]
		if !ok || err != nil || key == "" {
			return fmt.Errorf("%s: want {level, info} or {file, \"NAME\"}, found %s", name, short(props[i]))
		}
		o.put("log."+name+"."+key, s)
	}
	return nil
}

// logLevels takes [{connection, info}], and [{connection, [{level, info}]}].
func logLevels(o *out, v term.Term) error {
	l, err := list(v)
	if err != nil {
		return err
	}
	for i := range l {
		name, value, ok := pair(l[i])
		if sub, isList := value.(term.List); ok && isList {
			if err := logCategory(o, name, sub); err != nil {
				return err
			}
			continue
		}
		s, err := "", error(nil)
		if ok {
			s, err = word(value)
		}
		if !ok || err != nil {
			return fmt.Errorf("want {category, level}, found %s", short(l[i]))
		}
		o.put("log."+name+".level", s)
	}
	return nil
}

// clusterNodes takes {[], disc}: a list with others is not for a single node.
func clusterNodes(o *out, v term.Term) error {
	t, ok := v.(term.Tuple)
	if !ok || len(t) != 2 {
		return fmt.Errorf("want {[nodes], disc}, found %s", short(v))
	}
	l, err := list(t[0])
	if err != nil {
		return err
	}
	for i, e := range l {
		s, err := word(e)
		if err != nil {
			return err
		}
		o.put(fmt.Sprintf("cluster_formation.classic_config.nodes.%d", i+1), s)
	}
	return nil
}

// retentionTerm takes [{global, [{605, 5}, {3660, 60}]}]: how far back, and how
// far apart, in seconds. The number that has no name in rabbitmq.conf stands for
// itself.
func retentionTerm(o *out, v term.Term) error {
	l, err := list(v)
	if err != nil {
		return err
	}
	for i := range l {
		policy, value, ok := pair(l[i])
		sub, isList := value.(term.List)
		if !ok || !isList {
			return fmt.Errorf("want {policy, [{60, 5}, ...]}, found %s", short(l[i]))
		}
		for _, e := range sub {
			t, isTuple := e.(term.Tuple)
			if !isTuple || len(t) != 2 {
				return fmt.Errorf("%s: want {60, 5}, found %s", policy, short(e))
			}
			name := map[string]string{"60": "minute", "3600": "hour", "86400": "day"}[t[0].String()]
			if name == "" {
				name = t[0].String()
			}
			o.put("management.sample_retention_policies."+policy+"."+name, t[1].String())
		}
	}
	return nil
}

package config

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/logging"
	"github.com/warrenmq/warren/server"
)

// What RabbitMQ has and we do not is refused when it matters, and noted when it
// does not. Harmless values of the former are taken.
func TestForeignKeys(t *testing.T) {
	for _, c := range []struct{ line, refused, note string }{
		{"num_acceptors.tcp = 10", "", "has no effect: connections are accepted"},
		{"auth_backends.1 = internal", "", ""},
		{"auth_backends.1 = ldap", "only the internal backend", ""},
		{"cluster_formation.classic_config.nodes.1 = rabbit@other", "single nodes", ""},
		{"cluster_formation.discovery_retry_limit = 10", "", "single nodes"},
		{"mqtt.listeners.tcp.default = 1883", "", "MQTT is not part of this version"},
		{"mqtt.message_interceptors.incoming.x.enabled = true", "interceptors", ""},
		{"ssl_options.crl_check = maybe", "want true or false or peer", ""},
		{"ssl_options.crl_sources.1 = http", "are not fetched", ""},
		{"ssl_options.crl_sources.1 = dir", "", ""},
		{"ssl_options.crl_check = false", "", ""},
		{"log.exchange = true", "", ""},
		{"log.syslog = true", "", ""},
		{"log.syslog.transport = sctp", "want udp or tcp", ""},
		{"log.syslog.ip = logs.example", "is not an IP address", ""},
		{"log.syslog.facility = local8", "want kern", ""},
		{"log.console.formatter.plaintext.format = $time [$level] $msg", "", ""},
		{"log.console.formatter.plaintext.format = costs $", "behind $ stands", ""},
		{"log.file.formatter.json.field_map = a:x b:x", "each name once", ""},
		{"log.file.formatter.json.verbosity_map = loud:1", "is not a level", ""},
		{"log.syslog.multiline_mode = true", "", "one line"},
		{"log.syslog = false", "", ""},
		{"password_hashing_module = rabbit_password_hashing_md5", "MD5 protects nothing", ""},
		{"default_pass = encrypted:abc", "there is no passphrase", ""},
		{"frame_max = 0", "any amount of memory", ""},
		{"management.oauth_enabled = true", "OAuth 2", ""},
		{"log.nosuch.level = info", "no such category", ""},
		{"definitions.import_backend = rabbitmq_definitions_import_local_filesystem", "", ""},
		{"definitions.import_backend = s3", "want local_filesystem or https", ""},
		{"definitions.https.url = ftp://x/y", "want a URL that begins with https://", ""},
		{"definitions.https.url = https://x/y", "", "does not name it"},
		{"deprecated_features.permit.global_qos = false", "cannot be forbidden", ""},
		{"deprecated_features.permit.global_qos = true", "", ""},
		{"deprecated_features.permit.classic_queue_mirroring = false", "", "does not have it"},
		{"reverse_dns_lookups = true", "", "addresses are shown"},
		{"anonymous_login_user = app", "", "not one of auth_mechanisms"},
		{"anonymous_login_user = none", "", ""},
		{"auth_mechanisms.1 = RABBIT-CR-DEMO", "want PLAIN or", ""},
		{"ssl_options.dhfile = /x", "", "no suites with finite fields"},
		{"default_consumer_prefetch = 5", "want {false, N}", ""},
		{"vm_memory_high_watermark.relative = 7", "want a fraction", ""},
	} {
		got, err := load(t, c.line+"\n", nil)
		switch {
		case c.refused != "":
			if err == nil || !strings.Contains(err.Error(), c.refused) || !strings.Contains(err.Error(), "line 1") {
				t.Errorf("%s: error %v, want %s", c.line, err, c.refused)
			}
		case err != nil:
			t.Errorf("%s: %v", c.line, err)
		case c.note == "" && len(got.Notes) > 0, c.note != "" && !strings.Contains(strings.Join(got.Notes, "\n"), c.note):
			t.Errorf("%s: notes %q, want %q", c.line, got.Notes, c.note)
		}
	}
}

func TestHTTPListeners(t *testing.T) {
	for _, c := range []struct{ conf, plain, tls string }{
		{"", "[:15672]", "[]"},
		{"management.tcp.port = 8080", "[:8080]", "[]"},
		{"management.tcp.ip = ::1", "[[::1]:15672]", "[]"},
		{"management.ssl.port = 15671", "[]", "[:15671]"}, // as RabbitMQ: only what was asked for
		{"management.ssl.port = 15671\nmanagement.tcp.port = 15672", "[:15672]", "[:15671]"},
		{"management.listener.port = 1\nmanagement.listener.ssl = true", "[]", "[:1]"},
	} {
		got, err := load(t, c.conf+"\n", nil)
		if err != nil || sprint(got.Server.Management.Listeners) != c.plain || sprint(got.Server.Management.TLSListeners) != c.tls {
			t.Errorf("%q: %v %v %v", c.conf, got.Server.Management.Listeners, got.Server.Management.TLSListeners, err)
		}
	}
}

func TestPerVHost(t *testing.T) {
	got, err := load(t, `default_users.app.vhost_pattern = ^app
default_users.app.tags = policymaker, shop
default_users.app.configure = ^x
default_limits.vhosts.1.max_queues = 5
default_policies.operator.ttl.message_ttl = 10s
default_policies.operator.ttl.max_length_bytes = 1MB
default_policies.operator.ttl.queue_pattern = ^q
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := got.Server
	if want := []server.VHostUser{{Name: "app", VHostPattern: "^app", Tags: []string{"policymaker", "shop"}, Permissions: server.Permissions{Configure: "^x"}}}; !reflect.DeepEqual(s.VHostUsers, want) {
		t.Errorf("users %+v", s.VHostUsers)
	}
	if want := []server.VHostLimit{{Pattern: ".*", MaxConnections: -1, MaxQueues: 5}}; !reflect.DeepEqual(s.VHostLimits, want) {
		t.Errorf("limits %+v", s.VHostLimits)
	}
	want := []server.DefaultPolicy{{Name: "ttl", VHostPattern: ".*", QueuePattern: "^q", ApplyTo: "queues",
		Definition: map[string]int64{"message-ttl": 10000, "max-length-bytes": 1000000}}}
	if !reflect.DeepEqual(s.OperatorPolicies, want) {
		t.Errorf("policies %+v", s.OperatorPolicies)
	}
}

// A category may have a file, with rotation like that of the others or its own.
func TestOwnLogs(t *testing.T) {
	want := map[string]logging.OwnFile{"connection": {File: "c.log", Rotation: logging.Rotation{Date: "$D0", Size: 1000, Count: 3}}, "queue": {File: "q.log", Rotation: logging.Rotation{Date: "$D0", Size: 5000}}}
	for name, files := range map[string]map[string]string{
		"conf": {"rabbitmq.conf": "log.connection.file = c.log\nlog.connection.rotation.size = 1000\nlog.connection.rotation.count = 3\nlog.queue.file = q.log\nlog.file.rotation.size = 5000\nlog.channel.rotation.size = 7\n"},
		"terms": {"rabbitmq.conf": "log.file.rotation.size = 5000\n", "advanced.config": `[{rabbit, [{log, [{categories, [{queue, [{file, "q.log"}]},
			{connection, [{level, info}, {file, "c.log"}, {max_no_bytes, 1000}, {max_no_files, 3}]}]}]}]}].`},
	} {
		got, _, err := in(t, files, nil)
		if err != nil || !reflect.DeepEqual(got.Log.Own, want) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	for _, bad := range []string{"log.nosuch.file = x", "log.queue.rotation.date = daily", "log.queue.rotation.size = x"} {
		if _, err := load(t, bad+"\n", nil); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

// Syslog in the older form is an application of its own.
func TestSyslogTerms(t *testing.T) {
	got, _, err := in(t, map[string]string{"rabbitmq.config": `[{rabbit, [{log, [{syslog, [{enabled, true}, {level, error}]}, {exchange, [{enabled, true}]}]}]},
 {syslog, [{app_name, "mq"}, {dest_host, {10,0,0,7}}, {dest_port, 601}, {facility, local3}, {protocol, {rfc5424, tls, [{verify, verify_none}]}}]}].`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := got.Log
	want := logging.Syslog{Transport: "tls", Protocol: "rfc5424", Host: "10.0.0.7", Port: 601, Identity: "mq", Facility: "local3", TLS: listen.ClientTLS{NoVerify: true}}
	if !l.Exchange || l.SyslogLevel != logging.Error || l.Syslog == nil || !reflect.DeepEqual(*l.Syslog, want) {
		t.Errorf("%+v", l.Syslog)
	}
}

// Addresses are written in several ways.
func TestAddresses(t *testing.T) {
	for v, want := range map[string]string{"5672": ":5672", "127.0.0.1:5672": "127.0.0.1:5672", "::1:5672": "[::1]:5672", ":::5672": "[::]:5672",
		"[::1]:5672": "[::1]:5672", "localhost:5672": "localhost:5672", "fe80::1:2:5672": "[fe80::1:2]:5672",
		"::1": "", "x:y:5672": "", "[::1]": "", "70000": "", "::1:70000": ""} {
		if got, err := address(v); got != want && err == nil || (err != nil) != (want == "") {
			t.Errorf("%s: %q %v", v, got, err)
		}
	}
}

// Prometheus has a key for both address and port, which can switch it off, too.
func TestPrometheusListener(t *testing.T) {
	for v, want := range map[string]string{"none": "[]", "127.0.0.1:9999": "[127.0.0.1:9999]", "9999": "[:9999]"} {
		got, err := load(t, "prometheus.tcp.listener = "+v+"\n", nil)
		if err != nil || sprint(got.Server.Prometheus.Listeners) != want {
			t.Errorf("%s: %v %v", v, got.Server.Prometheus.Listeners, err)
		}
	}
}

// Every row of the table says exactly one thing, and is found under its name.
func TestTable(t *testing.T) {
	b := newBuild()
	seen := map[string]bool{}
	for _, k := range b.keys {
		if n := btoi(k.set != nil) + btoi(k.note != "") + btoi(k.refuse != ""); n != 1 {
			t.Errorf("%s: %d fates", k.name, n)
		}
		if seen[k.name] {
			t.Errorf("%s: twice", k.name)
		}
		seen[k.name] = true
		name := k.name
		for _, p := range k.parts {
			if p[0] == '$' {
				name = strings.Replace(name, p, "1", 1)
			}
		}
		if found, _ := b.find(name); found == nil {
			t.Errorf("%s: %s is not found", k.name, name)
		}
	}
}

// Who comes without a name is guest, somebody, or nobody.
func TestAnonymous(t *testing.T) {
	const on = "auth_mechanisms.1 = ANONYMOUS\n"
	for conf, want := range map[string][2]string{
		"": {}, "anonymous_login_user = app\n": {}, on: {"guest", "guest"}, on + "anonymous_login_user = none\n": {},
		on + "anonymous_login_user = app\nanonymous_login_pass = p\n": {"app", "p"},
	} {
		if got, err := load(t, conf, nil); err != nil || [2]string{got.Server.AnonymousUser, got.Server.AnonymousPass} != want {
			t.Errorf("%q: %q %v", conf, got.Server.AnonymousUser, err)
		}
	}
}

// Definitions come from one place.
func TestDefinitionsKeys(t *testing.T) {
	const backend, at = "definitions.import_backend = https\n", "definitions.https.url = https://x/y\n"
	for _, c := range []struct{ conf, path, url, err string }{
		{"load_definitions = /a\n", "/a", "", ""},
		{"definitions.local.path = /a\n", "/a", "", ""},
		{"load_definitions = /a\ndefinitions.local.path = /a\n", "/a", "", ""},
		{"load_definitions = /a\ndefinitions.local.path = /b\n", "", "", "from one place"},
		{backend + at, "", "https://x/y", ""},
		{backend + at + "definitions.local.path = /a\n", "", "https://x/y", ""},
		{backend + at + "load_definitions = /a\n", "", "", "from one place"},
		{backend, "", "", "definitions.https.url is wanted"},
	} {
		got, err := load(t, c.conf, nil)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: %v", c.conf, err)
			}
			continue
		}
		if err != nil || got.Server.DefinitionsPath != c.path || got.Server.DefinitionsURL != c.url {
			t.Errorf("%q: %q %q %v", c.conf, got.Server.DefinitionsPath, got.Server.DefinitionsURL, err)
		}
	}
}

// What would move messages is not passed over; what only tunes Erlang is.
func TestForeignApplications(t *testing.T) {
	for text, want := range map[string]string{
		`[{rabbitmq_shovel, [{shovels, [{one, []}]}]}].`:               "nobody would move these messages",
		`[{rabbitmq_shovel, [{shovels, []}]}].`:                        "",
		`[{kernel, [{net_ticktime, 60}]}].`:                            "",
		`[{rabbit, [{default_consumer_prefetch, {false, 250}}]}].`:     "",
		`[{rabbit, [{default_consumer_prefetch, {maybe, 250}}]}].`:     "want {false, N}",
		`[{rabbit, [{default_consumer_prefetch, {false, 1000000}}]}].`: "want {false, N}",
	} {
		_, _, err := in(t, map[string]string{"advanced.config": text}, nil)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// No key of RabbitMQ's schemas is one that nobody knows.
func TestRabbitMQsKeys(t *testing.T) {
	text, err := os.ReadFile("testdata/keys-rabbitmq.txt")
	if err != nil {
		t.Fatal(err)
	}
	b := newBuild()
	free := regexp.MustCompile(`\$\w+`)
	for line := range strings.Lines(string(text)) {
		if k, _ := b.find(free.ReplaceAllString(strings.TrimSpace(line), "1")); k == nil && line[0] != '#' {
			t.Errorf("%s is not known", strings.TrimSpace(line))
		}
	}
}

// The older form has TLS options that are more than words.
func TestTLSTerms(t *testing.T) {
	got, _, err := in(t, map[string]string{"rabbitmq.config": `[{ssl, [{versions, ['tlsv1.3', 'tlsv1.2']}, {session_lifetime, 60}]}, {rabbit, [{ssl_options, [
 {versions, ['tlsv1.2']}, {depth, 0}, {crl_check, peer}, {crl_cache, {ssl_crl_hash_dir, {internal, [{dir, "/lists"}]}}},
 {ciphers, ["ECDHE-ECDSA-AES256-GCM-SHA384", {ecdhe_rsa,aes_256_gcm,aead,sha384}, {rsa,aes_128_cbc,sha}, {any,aes_256_gcm,aead,sha384}, {ecdhe_rsa,aes_256_cbc,sha384,sha384}]}]}]}].`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := server.TLS{Versions: []string{"tlsv1.2"}, Depth: -1, CRLCheck: "peer", CRLs: []string{"/lists"}, Ciphers: []string{"ECDHE-ECDSA-AES256-GCM-SHA384",
		"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"}}
	if s := got.Server; !reflect.DeepEqual(s.TLS, want) || fmt.Sprint(s.Management.TLS.Versions, s.Prometheus.TLS.Versions) != "[tlsv1.3 tlsv1.2] [tlsv1.3 tlsv1.2]" {
		t.Errorf("%+v", s.TLS)
	}
	for text, want := range map[string]string{
		`[{rabbit, [{ssl_options, [{crl_cache, {ssl_crl_cache, {internal, [{http, 5000}]}}}]}]}].`: "are not fetched",
		`[{rabbit, [{ssl_options, [{crl_cache, [x]}]}]}].`:                                         "crl_cache: want {ssl_crl_hash_dir",
		`[{ssl, [{versions, ['sslv3']}]}].`:                                                        "want tlsv1.3 or",
	} {
		if _, _, err := in(t, map[string]string{"rabbitmq.config": text}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What has no effect is listed for users, with the reason.
func TestKeysWithoutEffectAreListed(t *testing.T) {
	raw, err := os.ReadFile("../../docs/user/keys-without-effect.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	free := regexp.MustCompile(`\$[a-z]+`)
	listed := func(name string) bool {
		if strings.Contains(page, "`"+name+"`") {
			return true
		}
		// ".leaf" goes with what stands before it.
		i := strings.LastIndexByte(name, '.')
		if i < 0 {
			return false
		}
		for line := range strings.Lines(page) {
			if strings.Contains(line, "`"+name[:i]+".") && (strings.Contains(line, "`"+name[i:]+"`") || strings.Contains(line, "`"+name[i+1:]+"`")) {
				return true
			}
		}
		return false
	}
	same := strings.NewReplacer("management.ssl.", "ssl_options.", "prometheus.ssl.", "ssl_options.", "management.listener.ssl_opts.", "ssl_options.",
		"log.console.formatter", "log.file.formatter", "log.exchange.formatter", "log.file.formatter", "log.syslog.formatter", "log.file.formatter")
	for _, k := range newBuild().keys {
		name := free.ReplaceAllString(strings.ReplaceAll(k.name, "$*", "*"), "N")
		if k.note != "" && !listed(name) && !listed(same.Replace(name)) {
			t.Errorf("%s is not listed", name)
		}
	}
}

// Nodes are started with every key that has an effect: the script has them all.
func TestAllKeysAreTried(t *testing.T) {
	a, err := txtar.ParseFile("../../test/script/testdata/all_keys.txtar")
	if err != nil {
		t.Fatal(err)
	}
	b := newBuild()
	tried := map[*key]bool{}
	for _, f := range a.Files {
		if !strings.HasSuffix(f.Name, ".conf") {
			continue
		}
		for line := range strings.Lines(string(f.Data)) {
			name, _, _ := strings.Cut(line, " ")
			k, _ := b.find(name)
			if k == nil {
				t.Fatalf("%s: no such key: %s", f.Name, line)
			}
			tried[k] = true
		}
	}
	for _, k := range b.keys {
		if k.set != nil && !tried[k] {
			t.Errorf("%s is in no file of the script", k.name)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

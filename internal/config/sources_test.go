package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/logging"
	"github.com/warrenmq/warren/server"
)

// in makes files in a directory and loads what is configured there.
func in(t *testing.T, files map[string]string, env map[string]string, set ...string) (*Config, string, error) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	c, err := Load(Sources{Dir: dir, DataDir: filepath.Join(dir, "data"), Set: set, Env: func(k string) (string, bool) {
		v, ok := env[k]
		return strings.ReplaceAll(v, "$DIR", dir), ok
	}})
	return c, dir, err
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func origin(c *Config, key string) string {
	i := slices.IndexFunc(c.Settings, func(s Setting) bool { return s.Key == key })
	if i < 0 {
		return "none"
	}
	return c.Settings[i].Value + " from " + c.Settings[i].Origin
}

// Every source has its turn, and each value says where it comes from.
func TestOrigins(t *testing.T) {
	c, dir, err := in(t, map[string]string{
		"rabbitmq.conf":       "heartbeat = 10\nchannel_max = 10\nframe_max = 8192\nmax_message_size = 1MB\nproxy_protocol = true\n",
		"conf.d/10-a.conf":    "channel_max = 20\nframe_max = 9000\nmax_message_size = 2MB\n",
		"conf.d/20-b.conf":    "frame_max = 10000\nmax_message_size = 3MB\n",
		"conf.d/ignored.conx": "nonsense",
		"advanced.config":     "[{rabbit,\n [\n  {max_message_size, 4000000}]}].\n",
		"rabbitmq-env.conf":   "# env\nNODENAME=fromfile@here\nexport DEFAULT_USER='ann'\nLOG_BASE=\"$HOME/logs\"\n",
	}, map[string]string{"RABBITMQ_DEFAULT_USER": "berta", "HOME": "/home/x", "RABBITMQ_DEFAULT_PASS": "s3cret"}, "proxy_protocol=false")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range [][2]string{
		{"heartbeat", "10 from DIR/rabbitmq.conf:1"},
		{"channel_max", "20 from DIR/conf.d/10-a.conf:1"},
		{"frame_max", "10000 from DIR/conf.d/20-b.conf:1"},
		{"max_message_size", "4000000 from DIR/advanced.config:3"},
		{"warren.node_name", "fromfile@here from DIR/rabbitmq-env.conf:2"},
		{"default_user", "berta from RABBITMQ_DEFAULT_USER"},
		{"default_pass", "(secret) from RABBITMQ_DEFAULT_PASS"},
		{"log.dir", "/home/x/logs from DIR/rabbitmq-env.conf:4"},
		{"proxy_protocol", "false from --set"},
		{"handshake_timeout", "10000 from default"},
		{"loopback_users.guest", "true from default"},
	} {
		if got := strings.ReplaceAll(origin(c, w[0]), dir, "DIR"); got != w[1] {
			t.Errorf("%s is %s, want %s", w[0], got, w[1])
		}
	}
	if c.Server.DefaultPass != "s3cret" || c.Server.MaxMessageSize != 4000000 || c.Log.File != "fromfile@here.log" {
		t.Errorf("%+v", c.Server)
	}
	if len(c.Files) != 5 {
		t.Errorf("files read: %v", c.Files)
	}
}

// The two lines that are in most old files, in every form that they can have.
func TestOldExamples(t *testing.T) {
	for _, text := range []string{
		"[{rabbit, [{loopback_users, []}]}].",
		"%% comment\n[\n  {rabbit,\n   [{loopback_users, []}]}\n].\n",
	} {
		for _, file := range []string{"rabbitmq.config", "advanced.config"} {
			c, _, err := in(t, map[string]string{file: text}, nil)
			if err != nil || c.Server.LoopbackUsers == nil || len(c.Server.LoopbackUsers) != 0 {
				t.Errorf("%s: %v, %v", file, c, err)
			}
		}
	}
	for _, text := range []string{
		`[{rabbitmq_management, [{listener, [{port, 8080}, {ip, "0.0.0.0"}]}]}].`,
		`[{rabbitmq_management, [{listener, [{port, 8080}, {ip, "0.0.0.0"}, {ssl, false}]}]}].`,
		`[{rabbitmq_management, [{tcp_config, [{port, 8080}, {ip, "0.0.0.0"}]}]}].`,
	} {
		c, _, err := in(t, map[string]string{"rabbitmq.config": text}, nil)
		if err != nil || !slices.Equal(c.Server.Management.Listeners, []string{"0.0.0.0:8080"}) || len(c.Server.Management.TLSListeners) != 0 {
			t.Errorf("%s: %+v, %v", text, c, err)
		}
	}
	c, _, err := in(t, map[string]string{"rabbitmq.conf": "management.listener.port = 8080\nmanagement.listener.ip = 0.0.0.0\n"}, nil)
	if err != nil || !slices.Equal(c.Server.Management.Listeners, []string{"0.0.0.0:8080"}) {
		t.Errorf("rabbitmq.conf: %+v, %v", c, err)
	}
}

// A file with what people have in theirs.
func TestTerms(t *testing.T) {
	c, _, err := in(t, map[string]string{"rabbitmq.config": `
[
  {rabbit, [{tcp_listeners, [5672, {"127.0.0.1", 5673}, {"::1", 5674}]}, {loopback_users, [<<"ann">>]}, {default_user, <<"app">>}, {default_pass, <<"secret">>},
            {disk_free_limit, "1GB"}, {vm_memory_high_watermark, {absolute, "2GB"}}, {heartbeat, 30},
            {ssl_listeners, [5671]}, {ssl_options, [{cacertfile, "/c/ca.pem"}, {certfile, "/c/cert.pem"},
              {keyfile, "/c/key.pem"}, {verify, verify_peer}, {fail_if_no_peer_cert, true}, {versions, ['tlsv1.3', 'tlsv1.2']}]},
            {default_user_tags, [administrator, shop]}, {default_permissions, [<<"a">>, <<"b">>, <<"c">>]},
            {auth_mechanisms, ['PLAIN', 'EXTERNAL']}, {tcp_listen_options, [binary, {backlog, 128}, {nodelay, true}, {linger, {true, 0}}]},
            {log, [{file, [{file, "rabbit.log"}, {level, debug}]}, {console, [{enabled, true}]}, {categories, [{connection, error}]}]},
            {hipe_compile, false}, {collect_statistics_interval, 10000}]},
  {rabbitmq_management, [{load_definitions, "/etc/rabbitmq/definitions.json"}, {rates_mode, none},
     {sample_retention_policies, [{global, [{605, 5}, {3660, 60}]}]}]},
  {rabbitmq_mqtt, [{tcp_listeners, [1883]}, {allow_anonymous, false}]},
  {kernel, [{net_ticktime, 60}]}
].`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Server
	for name, pair := range map[string][2]any{
		"listeners":   {s.Listeners, []string{":5672", "127.0.0.1:5673", "[::1]:5674"}},
		"tls":         {s.TLSListeners, []string{":5671"}},
		"tls options": {s.TLS, server.TLS{CAFile: "/c/ca.pem", CertFile: "/c/cert.pem", KeyFile: "/c/key.pem", VerifyPeer: true, RequireCert: true, Versions: []string{"tlsv1.3", "tlsv1.2"}}},
		"loopback":    {s.LoopbackUsers, []string{"ann"}},
		"user":        {s.DefaultUser + "/" + s.DefaultPass, "app/secret"},
		"tags":        {s.DefaultUserTags, []string{"administrator", "shop"}},
		"permissions": {s.DefaultPermissions, server.Permissions{Configure: "a", Write: "b", Read: "c"}},
		"mechanisms":  {s.Mechanisms, []string{"PLAIN", "EXTERNAL"}},
		"disk":        {s.DiskFree.Absolute, int64(1e9)},
		"memory":      {s.Memory.Absolute, int64(2e9)},
		"heartbeat":   {s.Heartbeat, 30 * time.Second},
		"definitions": {s.DefinitionsPath, "/etc/rabbitmq/definitions.json"},
		"rates":       {s.Management.RatesMode, "none"},
		"retention":   {s.Management.Retention, server.Retention{Global: []server.Samples{{Span: 605 * time.Second, Step: 5 * time.Second}, {Span: 3660 * time.Second, Step: time.Minute}}}},
		"interval":    {s.StatisticsInterval, 10 * time.Second},
		"log file":    {c.Log.File, "rabbit.log"},
		"log level":   {c.Log.FileLevel, logging.Debug},
		"console":     {c.Log.Console && c.Log.ConsoleLevel == logging.Info, true},
		"category":    {c.Log.Levels, map[string]logging.Level{"connection": logging.Error}},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: %v, want %v", name, pair[0], pair[1])
		}
	}
	notes := strings.Join(c.Notes, "\n")
	for _, want := range []string{"{rabbitmq_mqtt, allow_anonymous}", "{kernel, net_ticktime}", "how Erlang works"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note about %s in:\n%s", want, notes)
		}
	}
}

// A mistake in an Erlang term is named with its line.
func TestTermMistakes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"[{rabbit, [{loopback_users, []}]}]", "line 1: want a full stop behind the term"},
		{"[\n{rabbit,\n [{hartbeat, 5}]}].", "line 3: unknown key {rabbit, hartbeat}"},
		{"[{rabit, [{heartbeat, 5}]}].", "unknown application rabit"},
		{"[{rabbit, [{heartbeat, soon}]}].", `heartbeat: "soon" is not a number of seconds`},
		{"[{rabbit, [{tcp_listeners, 5672}]}].", "{rabbit, tcp_listeners}: want a list, found 5672"},
		{"[{rabbit, [{tcp_listeners, [{a}]}]}].", "want a port or {\"address\", port}"},
		{"[{rabbit, 5}].", "want {application, [{key, value}, ...]}"},
		{"{rabbit, []}.", "want a list of applications"},
		{"[{rabbit, [{cluster_nodes, {['rabbit@other'], disc}}]}].", "single nodes"},
		{"[{rabbit, [{vm_memory_high_watermark, {relative, x}}]}].", "not a fraction"},
		{"[{rabbitmq_management, [{listener, [{port, eighty}]}]}].", "not a port"},
		{"[{rabbit, [{auth_backends, [rabbit_auth_backend_ldap]}]}].", "only the internal backend"},
	} {
		_, _, err := in(t, map[string]string{"rabbitmq.config": c.text}, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "rabbitmq.config, line ") {
			t.Errorf("%s: error %v, want %s", c.text, err, c.want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	files := map[string]string{"pass": "from a file\n", "other.conf": "heartbeat = 7\n", "old.config": "[{rabbit,[{heartbeat,8}]}].", "more.conf": "channel_max = 9"}
	for _, c := range []struct {
		env  map[string]string
		want string
		get  func(c *Config) any
	}{
		{map[string]string{"RABBITMQ_NODE_IP_ADDRESS": "::1"}, "[[::1]:5672]", func(c *Config) any { return c.Server.Listeners }},
		{map[string]string{"RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": "6000"}, "[127.0.0.1:6000]", func(c *Config) any { return c.Server.Listeners }},
		{map[string]string{"RABBITMQ_CONFIG_FILE": "$DIR/other"}, "7s", func(c *Config) any { return c.Server.Heartbeat }},
		{map[string]string{"RABBITMQ_CONFIG_FILE": "$DIR/old"}, "8s", func(c *Config) any { return c.Server.Heartbeat }},
		{map[string]string{"RABBITMQ_CONFIG_FILES": "$DIR/mor*.conf"}, "9", func(c *Config) any { return c.Server.ChannelMax }},
		{map[string]string{"RABBITMQ_ADVANCED_CONFIG_FILE": "$DIR/old.config"}, "8s", func(c *Config) any { return c.Server.Heartbeat }},
		{map[string]string{"RABBITMQ_DEFAULT_PASS_FILE": "$DIR/pass"}, "from a file", func(c *Config) any { return c.Server.DefaultPass }},
		{map[string]string{"RABBITMQ_LOGS": "-"}, "true true true", func(c *Config) any { return sprint(c.Log.NoFile, c.Log.Console, c.Log.Stdout) }},
		{map[string]string{"RABBITMQ_LOG": "debug,connection=error"}, "DEBUG ERROR", func(c *Config) any { return sprint(c.Log.FileLevel, c.Log.Levels["connection"]) }},
		{map[string]string{"RABBITMQ_ENABLED_PLUGINS": ""}, "[]", func(c *Config) any { return c.Server.EnabledPlugins }},
		{map[string]string{"RABBITMQ_ENABLED_PLUGINS": "rabbitmq_prometheus,x"}, "[rabbitmq_prometheus x]", func(c *Config) any { return c.Server.EnabledPlugins }},
		{map[string]string{"RABBITMQ_VM_MEMORY_HIGH_WATERMARK": "40%"}, "0.4", func(c *Config) any { return c.Server.Memory.Relative }},
		{map[string]string{"RABBITMQ_VM_MEMORY_HIGH_WATERMARK": "2GiB"}, "2147483648", func(c *Config) any { return c.Server.Memory.Absolute }},
		{map[string]string{"RABBITMQ_SSL_CERTFILE": "/c", "RABBITMQ_SSL_KEYFILE": "/k"}, "[:5671] /c /k", func(c *Config) any { return sprint(c.Server.TLSListeners, c.Server.TLS.CertFile, c.Server.TLS.KeyFile) }},
		{map[string]string{"RABBITMQ_NODENAME": "rabbit@h"}, "rabbit@h", func(c *Config) any { return c.Server.NodeName }},
		{map[string]string{"RABBITMQ_PID_FILE": "/run/x.pid"}, "/run/x.pid", func(c *Config) any { return c.PIDFile }},
	} {
		got, _, err := in(t, files, c.env)
		if err != nil || sprint(c.get(got)) != c.want {
			t.Errorf("%v: %v, want %s, error %v", c.env, got, c.want, err)
		}
	}
	conf := map[string]string{"rabbitmq.conf": "default_user = $(SEED)-x # $(NONE)\ndefault_pass = '$(SEED)'\ndefault_vhost = $(a.b) $5\n"}
	if c, _, err := in(t, conf, map[string]string{"SEED": "anna # 1"}); err != nil || sprint(c.Server.DefaultUser, c.Server.DefaultPass, c.Server.DefaultVHost) != "anna # 1-x $(SEED) $(a.b) $5" {
		t.Errorf("variables in a file: %+v, %v", c, err)
	}
	if _, _, err := in(t, conf, nil); err == nil || !strings.Contains(err.Error(), "rabbitmq.conf, line 1: default_user: the environment has no variable SEED") {
		t.Errorf("a variable that is not there: %v", err)
	}
	for name, want := range map[string]string{
		"NODE_PORT=$(hostname)": "rabbitmq-env.conf, line 1: NODE_PORT: commands are not run",
		"if true; then":         "only lines such as NODE_PORT=5672 are understood",
		"A='b":                  "never closed",
	} {
		if _, _, err := in(t, map[string]string{"rabbitmq-env.conf": name}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := in(t, nil, map[string]string{"RABBITMQ_CONFIG_FILE": "/nowhere/rabbitmq"}); err == nil || !strings.Contains(err.Error(), "not there") {
		t.Errorf("a file that is missing: %v", err)
	}
}

// RabbitMQ's data is not touched.
func TestForeignData(t *testing.T) {
	_, _, err := in(t, map[string]string{"data/schema.DAT": "x"}, nil)
	if err == nil || !strings.Contains(err.Error(), "holds data of RabbitMQ") {
		t.Errorf("%v", err)
	}
}

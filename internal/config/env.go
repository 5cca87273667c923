package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/warrenmq/warren/internal/plugins"
	"github.com/warrenmq/warren/server"
)

// variable is one of the environment, or of rabbitmq-env.conf.
type variable struct{ value, origin string }

// variables are those of RabbitMQ, and ours.
var variables = [...]string{
	"RABBITMQ_CONFIG_FILE", "RABBITMQ_CONFIG_FILES", "RABBITMQ_ADVANCED_CONFIG_FILE", "RABBITMQ_CONF_ENV_FILE",
	"RABBITMQ_NODENAME", "RABBITMQ_USE_LONGNAME", "RABBITMQ_NODE_IP_ADDRESS", "RABBITMQ_NODE_PORT",
	"RABBITMQ_MNESIA_BASE", "RABBITMQ_MNESIA_DIR", "RABBITMQ_PID_FILE",
	"RABBITMQ_LOG_BASE", "RABBITMQ_LOGS", "RABBITMQ_LOG",
	"RABBITMQ_ENABLED_PLUGINS", "RABBITMQ_ENABLED_PLUGINS_FILE",
	"RABBITMQ_DEFAULT_USER", "RABBITMQ_DEFAULT_PASS", "RABBITMQ_DEFAULT_VHOST",
	"RABBITMQ_DEFAULT_USER_FILE", "RABBITMQ_DEFAULT_PASS_FILE",
	"RABBITMQ_PRODUCT_NAME", "RABBITMQ_PRODUCT_VERSION", "RABBITMQ_VM_MEMORY_HIGH_WATERMARK",
	"RABBITMQ_SSL_CACERTFILE", "RABBITMQ_SSL_CERTFILE", "RABBITMQ_SSL_KEYFILE", "RABBITMQ_SSL_VERIFY",
	"RABBITMQ_SSL_FAIL_IF_NO_PEER_CERT", "RABBITMQ_SSL_DEPTH",
	"RABBITMQ_MANAGEMENT_SSL_CACERTFILE", "RABBITMQ_MANAGEMENT_SSL_CERTFILE", "RABBITMQ_MANAGEMENT_SSL_KEYFILE",
	"RABBITMQ_MANAGEMENT_SSL_VERIFY", "RABBITMQ_MANAGEMENT_SSL_FAIL_IF_NO_PEER_CERT", "RABBITMQ_MANAGEMENT_SSL_DEPTH",
	"WARREN_DATA_DIR",
}

// readEnvironment gathers the variables, first those of rabbitmq-env.conf.
func (l *loader) readEnvironment() error {
	l.env = map[string]variable{}
	file := ""
	if f, ok := l.src.Env("RABBITMQ_CONF_ENV_FILE"); ok {
		file = f
		if _, err := os.Stat(f); f != "" && err != nil {
			file = "" // as with RabbitMQ, whose start scripts name one that need not be there
		}
	} else if l.src.Dir != "" {
		file = withExtension(filepath.Join(l.src.Dir, "rabbitmq-env.conf"))
	}
	if file != "" {
		if err := l.readEnvFile(file); err != nil {
			return err
		}
	}
	for _, name := range variables {
		if v, ok := l.src.Env(name); ok {
			l.env[name] = variable{v, name}
		}
	}
	return nil
}

// readEnvFile reads rabbitmq-env.conf: a shell file, of which we understand
// assignments.
func (l *loader) readEnvFile(file string) error {
	text, err := readText(file)
	if err != nil {
		return err
	}
	l.files = append(l.files, file)
	seen := map[string]string{}
	for n, line := range strings.Split(text, "\n") {
		origin := fmt.Sprintf("%s:%d", file, n+1)
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "export "))
		if line == "" || line[0] == '#' {
			continue
		}
		name, v, ok := strings.Cut(line, "=")
		if !ok || name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") != "" {
			return &Error{origin, fmt.Errorf("only lines such as NODE_PORT=5672 are understood, and this is %q", line)}
		}
		value, err := shellValue(v, func(name string) string {
			if s, ok := seen[name]; ok {
				return s
			}
			s, _ := l.src.Env(name)
			return s
		})
		if err != nil {
			return &Error{origin, fmt.Errorf("%s: %w", name, err)}
		}
		seen[name] = value
		if !strings.HasPrefix(name, "RABBITMQ_") && !strings.HasPrefix(name, "WARREN_") {
			name = "RABBITMQ_" + name
		}
		l.env[name] = variable{value, origin}
	}
	return nil
}

// shellValue takes quotes away and puts variables in, as a shell would.
func shellValue(v string, lookup func(string) string) (string, error) {
	v = strings.TrimSpace(v)
	if strings.Contains(v, "$(") || strings.Contains(v, "`") {
		return "", fmt.Errorf("commands are not run; write down their outcome")
	}
	if v == "" {
		return "", nil
	}
	if q := v[0]; q == '\'' || q == '"' {
		end := strings.IndexByte(v[1:], q)
		if end < 0 {
			return "", fmt.Errorf("a quote is opened and never closed")
		}
		if rest := strings.TrimSpace(v[end+2:]); rest != "" && rest[0] != '#' {
			return "", fmt.Errorf("behind the closing quote stands more: %s", rest)
		}
		if v = v[1 : end+1]; q == '\'' {
			return v, nil
		}
		return os.Expand(v, lookup), nil
	}
	if i := strings.IndexAny(v, " \t;"); i >= 0 {
		v = v[:i]
	}
	return os.Expand(v, lookup), nil
}

// applyEnvironment turns variables into settings.
func (l *loader) applyEnvironment() error {
	put := func(key, name string) {
		if v, ok := l.env[name]; ok && v.value != "" {
			l.settings.put(key, v.value, v.origin)
		}
	}
	for _, p := range [][2]string{
		{"default_user", "RABBITMQ_DEFAULT_USER"}, {"default_pass", "RABBITMQ_DEFAULT_PASS"}, {"default_vhost", "RABBITMQ_DEFAULT_VHOST"},
		{"product.name", "RABBITMQ_PRODUCT_NAME"}, {"product.version", "RABBITMQ_PRODUCT_VERSION"},
		{"log.dir", "RABBITMQ_LOG_BASE"}, {"warren.pid_file", "RABBITMQ_PID_FILE"}, {"warren.data_dir", "WARREN_DATA_DIR"},
		{"warren.enabled_plugins_file", "RABBITMQ_ENABLED_PLUGINS_FILE"}, {"warren.node_name", "RABBITMQ_NODENAME"},
	} {
		put(p[0], p[1])
	}
	if v, ok := l.env["RABBITMQ_ENABLED_PLUGINS"]; ok { // empty: none
		l.settings.put("warren.plugins", v.value, v.origin)
	}
	for _, f := range []func() error{l.envListener, l.envLog, l.envSecrets, l.envMemory, l.envTLS} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// envListener: as with RabbitMQ, files that number their listeners know better.
func (l *loader) envListener() error {
	port, ok := l.env["RABBITMQ_NODE_PORT"]
	ip, okIP := l.env["RABBITMQ_NODE_IP_ADDRESS"]
	ok, okIP = ok && port.value != "", okIP && ip.value != ""
	if !ok && !okIP {
		return nil
	}
	for _, n := range l.settings.list {
		if strings.HasPrefix(n.Key, "listeners.tcp.") && n.Key != "listeners.tcp.default" {
			l.note("RABBITMQ_NODE_PORT and RABBITMQ_NODE_IP_ADDRESS have no effect: %s sets %s", n.Origin, n.Key)
			return nil
		}
	}
	if !ok {
		port = variable{"5672", ip.origin}
	}
	v := port.value
	if okIP && ip.value != "auto" {
		v = strings.TrimSuffix(strings.TrimPrefix(ip.value, "["), "]")
		if strings.Contains(v, ":") {
			v = "[" + v + "]"
		}
		v += ":" + port.value
	}
	l.settings.put("listeners.tcp.default", v, port.origin)
	return nil
}

// envLog reads RABBITMQ_LOGS (a file, or - for the console) and RABBITMQ_LOG (a
// level, or category=level, ...).
func (l *loader) envLog() error {
	if v, ok := l.env["RABBITMQ_LOGS"]; ok && v.value != "" {
		switch v.value {
		case "-":
			l.settings.put("log.console", "true", v.origin)
			l.settings.put("log.console.stdio", "stdout", v.origin)
			l.settings.put("log.file", "false", v.origin)
		case "-stderr":
			l.settings.put("log.console", "true", v.origin)
			l.settings.put("log.file", "false", v.origin)
		default:
			l.settings.put("log.file", v.value, v.origin)
		}
	}
	v, ok := l.env["RABBITMQ_LOG"]
	if !ok {
		return nil
	}
	for _, w := range words(v.value) {
		category, level, ok := strings.Cut(w, "=")
		switch {
		case ok:
			l.settings.put("log."+category+".level", level, v.origin)
		case w == "+color" || w == "-color":
		default:
			l.settings.put("log.file.level", w, v.origin)
			l.settings.put("log.console.level", w, v.origin)
		}
	}
	return nil
}

// envSecrets reads names and passwords from files, as containers have them.
func (l *loader) envSecrets() error {
	for key, name := range map[string]string{"default_user": "RABBITMQ_DEFAULT_USER_FILE", "default_pass": "RABBITMQ_DEFAULT_PASS_FILE"} {
		v, ok := l.env[name]
		if !ok || v.value == "" {
			continue
		}
		text, err := readText(v.value)
		if err != nil {
			return &Error{v.origin, err}
		}
		l.settings.put(key, strings.TrimRight(text, "\r\n"), v.origin)
	}
	return nil
}

func (l *loader) envMemory() error {
	v, ok := l.env["RABBITMQ_VM_MEMORY_HIGH_WATERMARK"]
	if !ok || v.value == "" {
		return nil
	}
	key := "vm_memory_high_watermark.absolute"
	if f, err := parseFraction(v.value); err == nil && (f <= 1 || strings.HasSuffix(v.value, "%")) {
		key = "vm_memory_high_watermark.relative"
	}
	l.settings.drop("vm_memory_high_watermark.")
	l.settings.put(key, v.value, v.origin)
	return nil
}

// envTLS reads what the official image understood up to RabbitMQ 3.8: naming a
// certificate opens the port for TLS.
func (l *loader) envTLS() error {
	for _, p := range []struct{ variable, key, port string }{
		{"RABBITMQ_SSL_", "ssl_options.", "listeners.ssl.default"}, {"RABBITMQ_MANAGEMENT_SSL_", "management.ssl.", "management.ssl.port"},
	} {
		for _, leaf := range []string{"CACERTFILE", "CERTFILE", "KEYFILE", "VERIFY", "FAIL_IF_NO_PEER_CERT", "DEPTH"} {
			v, ok := l.env[p.variable+leaf]
			if !ok || v.value == "" {
				continue
			}
			l.settings.put(p.key+strings.ToLower(leaf), v.value, v.origin)
			if leaf == "CERTFILE" && !l.settings.has(strings.TrimSuffix(p.port, "default")) {
				l.settings.put(p.port, map[string]string{"listeners.ssl.default": "5671", "management.ssl.port": "15671"}[p.port], v.origin)
			}
		}
	}
	return nil
}

// enable reads RABBITMQ_ENABLED_PLUGINS: names, or ALL, or nothing.
func enable(s *server.Config, v string) error {
	s.EnabledPlugins = []string{}
	if v == "ALL" {
		for _, p := range plugins.All() {
			s.EnabledPlugins = append(s.EnabledPlugins, p.Name)
		}
		return nil
	}
	s.EnabledPlugins = append(s.EnabledPlugins, words(v)...)
	return nil
}

// nodeName completes a name that lacks the host.
func nodeName(v string) string {
	if v == "" || strings.Contains(v, "@") {
		return v
	}
	host, _ := os.Hostname()
	host, _, _ = strings.Cut(host, ".")
	return v + "@" + host
}

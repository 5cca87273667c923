package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/server"
)

func load(t *testing.T, file string, env map[string]string, set ...string) (*Config, error) {
	t.Helper()
	src := Sources{DataDir: t.TempDir(), Set: set, Env: func(k string) (string, bool) { v, ok := env[k]; return v, ok }}
	if file != "" {
		name := filepath.Join(t.TempDir(), "rabbitmq.conf")
		src.Files = []string{name}
		if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(src)
}

// Later sources win: file, environment, command line.
func TestPrecedence(t *testing.T) {
	file := "listeners.tcp.default = 5001\nheartbeat = 10 # seconds\n\n# nothing\ndefault_user = 'anna'\n"
	env := map[string]string{"RABBITMQ_NODE_PORT": "5002", "RABBITMQ_DEFAULT_USER": "berta"}
	for _, c := range []struct {
		env  map[string]string
		set  []string
		addr string
		user string
	}{
		{nil, nil, ":5001", "anna"},
		{env, nil, ":5002", "berta"},
		{env, []string{"listeners.tcp.default=127.0.0.1:5003", "default_user=carla"}, "127.0.0.1:5003", "carla"},
	} {
		got, err := load(t, file, c.env, c.set...)
		if err != nil {
			t.Fatal(err)
		}
		s := got.Server
		if !slices.Equal(s.Listeners, []string{c.addr}) || s.DefaultUser != c.user || s.Heartbeat != 10*time.Second {
			t.Errorf("%v: listeners %v, user %q, heartbeat %v", c.set, s.Listeners, s.DefaultUser, s.Heartbeat)
		}
	}
}

func TestValues(t *testing.T) {
	got, err := load(t, "", nil, "max_message_size=64MiB", "warren.segment_size=1kb", "handshake_timeout=2500",
		"warren.shutdown_timeout=3s", "heartbeat=0", "loopback_users.guest=false", "loopback_users.anna=true",
		"auth_mechanisms.2=AMQPLAIN", "auth_mechanisms.1=PLAIN", "warren.durability=os", "listeners.tcp=none")
	if err != nil {
		t.Fatal(err)
	}
	s := got.Server
	if s.MaxMessageSize != 64<<20 || s.SegmentSize != 1000 || s.HandshakeTimeout != 2500*time.Millisecond || s.ShutdownTimeout != 3*time.Second {
		t.Errorf("sizes and times: %+v", s)
	}
	if s.Heartbeat >= 0 || !slices.Equal(s.LoopbackUsers, []string{"anna"}) || !slices.Equal(s.Mechanisms, []string{"PLAIN", "AMQPLAIN"}) {
		t.Errorf("heartbeat %v, loopback %v, mechanisms %v", s.Heartbeat, s.LoopbackUsers, s.Mechanisms)
	}
	if s.Durability != server.OS || len(s.Listeners) != 0 {
		t.Errorf("durability %q, listeners %v", s.Durability, s.Listeners)
	}
}

// Of a relative and an absolute limit in files the relative one holds; what comes
// with the command takes the place of both.
func TestTwoKindsOfLimits(t *testing.T) {
	both := "vm_memory_high_watermark.relative = 0.5\nvm_memory_high_watermark.absolute = 1GB\ndisk_free_limit.relative = 1.5\ndisk_free_limit.absolute = 2GB\n"
	got, err := load(t, both, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m, d := got.Server.Memory, got.Server.DiskFree; m != (server.MemoryAlarm{Relative: 0.5}) || d != (server.DiskAlarm{Relative: 1.5}) || len(got.Notes) != 2 {
		t.Errorf("%+v %+v %q", m, d, got.Notes)
	}
	got, err = load(t, both, nil, "vm_memory_high_watermark.absolute=3GB", "disk_free_limit.absolute=4GB")
	if err != nil {
		t.Fatal(err)
	}
	if m, d := got.Server.Memory, got.Server.DiskFree; m != (server.MemoryAlarm{Absolute: 3e9}) || d != (server.DiskAlarm{Absolute: 4e9}) || len(got.Notes) != 0 {
		t.Errorf("%+v %+v %q", m, d, got.Notes)
	}
}

// A mistake is named together with where it is and, if possible, what was meant.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ file, set, want string }{
		{"heartbeat = 10\nchanel_max = 5\n", "", `line 2: unknown key "chanel_max"; did you mean "channel_max"?`},
		{"heartbeat\n", "", "line 1: want key = value"},
		{"", "heartbeat", "--set heartbeat: want key=value"},
		{"", "heartbeat=soon", `"soon" is not a number of seconds`},
		{"", "frame_max=99999999999", `"99999999999" is not a number from 4096 to 2147483648`},
		{"", "max_message_size=5 apples", `"5 apples" is not a size`},
		{"", "listeners.tcp.1=host:port", `"host:port" is not a port or host:port`},
		{"", "warren.durability=maybe", `"maybe": want disk or os or memory`},
		{"", "loopback_users.guest=yes", `"yes": want true or false`},
		{"", "default_permissions.read=", "an empty pattern; write .* for everything, ^$ for nothing"},
		{"", "utterly.unknown=1", `unknown key "utterly.unknown"`},
	} {
		var sets []string
		if c.set != "" {
			sets = []string{c.set}
		}
		if _, err := load(t, c.file, nil, sets...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %q: error %v, want %q", c.file, c.set, err, c.want)
		}
	}
}

func sprint(v ...any) string { return strings.TrimSuffix(fmt.Sprintln(v...), "\n") }

package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/plugins"
	"github.com/warrenmq/warren/internal/vfs"
)

func start(t *testing.T, change ...func(*Config)) *Server {
	t.Helper()
	cfg := Config{
		DataDir: t.TempDir(), Listeners: []string{"127.0.0.1:0"},
		Management: Management{Listeners: []string{"127.0.0.1:0"}}, Prometheus: Prometheus{Listeners: []string{"127.0.0.1:0"}},
	}
	for _, f := range change {
		f(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func open(t *testing.T, s *Server) (*amqp.Connection, *amqp.Channel) {
	t.Helper()
	conn, err := amqp.Dial("amqp://guest:guest@" + s.Addrs()[0].String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return conn, ch
}

// control is a client of the node's control socket.
func control(s *Server) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return listen.DialControl(ctx, s.cfg.DataDir)
	}}}
}

func get(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(b))
}

// protocols are those of the open listeners.
func protocols(s *Server) string {
	var out []string
	for _, l := range s.Listeners() {
		out = append(out, l.Protocol)
	}
	return strings.Join(out, " ")
}

// The application stops and starts under the node: what is durable is there
// again, on the same ports, and the control socket answers all the time.
func TestStopAndStartApp(t *testing.T) {
	s := start(t)
	c := control(s)
	conn, ch := open(t, s)
	if _, err := ch.QueueDeclare("kept", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if code, body := get(t, c, "http://node/health/ready"); code != 200 || body != `{"status":"ok"}` {
		t.Errorf("ready: %d %s", code, body)
	}
	before := fmt.Sprint(s.Listeners())
	closed := conn.NotifyClose(make(chan *amqp.Error, 1))
	if err := s.StopApp(); err != nil {
		t.Fatal(err)
	}
	if e := <-closed; e == nil || e.Code != amqp.ConnectionForced {
		t.Errorf("the client was told %v", e)
	}
	if code, body := get(t, c, "http://node/health/ready"); code != 503 || body != `{"reason":"the broker is stopped","status":"failed"}` {
		t.Errorf("stopped: %d %s", code, body)
	}
	if code, _ := get(t, c, "http://node/health/live"); code != 200 {
		t.Errorf("live: %d", code)
	}
	if p := protocols(s); p != "" {
		t.Errorf("stopped, and listening: %s", p)
	}
	if _, err := s.Dial(); err == nil {
		t.Error("Dial works on a stopped broker")
	}
	if err := s.StopApp(); err != nil {
		t.Errorf("stopped twice: %v", err)
	}
	for range 2 {
		if err := s.StartApp(); err != nil {
			t.Fatal(err)
		}
	}
	if after := fmt.Sprint(s.Listeners()); after != before {
		t.Errorf("listeners %s, before %s", after, before)
	}
	_, ch = open(t, s)
	if _, err := ch.QueueDeclarePassive("kept", true, false, false, false, nil); err != nil {
		t.Error(err)
	}
}

func TestReset(t *testing.T) {
	for _, dir := range []string{"disk", "memory"} {
		t.Run(dir, func(t *testing.T) {
			s := start(t, func(c *Config) {
				if dir == "memory" {
					c.DataDir = ""
				}
			})
			_, ch := open(t, s)
			if _, err := ch.QueueDeclare("gone", true, false, false, false, nil); err != nil {
				t.Fatal(err)
			}
			if err := s.Reset(); !errors.Is(err, ErrAppRunning) {
				t.Errorf("reset while it runs: %v", err)
			}
			if err := s.StopApp(); err != nil {
				t.Fatal(err)
			}
			stranger := filepath.Join(s.cfg.DataDir, "notes.txt")
			if dir == "disk" {
				if err := os.WriteFile(stranger, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(s.Reset(), s.Reset(), s.StartApp()); err != nil {
				t.Fatal(err)
			}
			_, ch = open(t, s)
			var ae *amqp.Error
			if _, err := ch.QueueDeclarePassive("gone", true, false, false, false, nil); !errors.As(err, &ae) || ae.Code != amqp.NotFound {
				t.Errorf("after a reset: %v", err)
			}
			if dir == "disk" {
				if _, err := os.Stat(stranger); err != nil {
					t.Errorf("reset removed what is not the broker's: %v", err)
				}
			}
		})
	}
}

func TestSuspend(t *testing.T) {
	s := start(t)
	conn, ch := open(t, s)
	addr := s.Addrs()[0].String()
	if err := s.SuspendListeners(); err != nil {
		t.Fatal(err)
	}
	if p := protocols(s); p != "http http/prometheus" {
		t.Errorf("suspended, listening: %s", p)
	}
	if nc, err := net.Dial("tcp", addr); err == nil {
		nc.Close()
		t.Error("a suspended listener accepts")
	}
	if _, err := ch.QueueDeclare("", false, true, true, false, nil); err != nil || conn.IsClosed() {
		t.Errorf("a connection does not survive the listener: %v", err)
	}
	if err := s.ResumeListeners(); err != nil {
		t.Fatal(err)
	}
	if got := s.Addrs()[0].String(); got != addr {
		t.Errorf("listens on %s, before on %s", got, addr)
	}
	open(t, s)
}

// Plugins open and close listeners at once, and are remembered.
func TestPlugins(t *testing.T) {
	dir := t.TempDir()
	s := start(t, func(c *Config) { c.DataDir = dir })
	if p := protocols(s); p != "amqp http http/prometheus" {
		t.Fatalf("at first: %s", p)
	}
	if code, _ := get(t, http.DefaultClient, "http://"+s.ManagementAddrs()[0].String()+"/health/ready"); code != 200 {
		t.Errorf("management: %d", code)
	}
	for _, c := range []struct {
		do   func(...string) error
		arg  string
		want string
		file string
	}{
		{s.DisablePlugins, plugins.Management, "amqp http/prometheus", "[rabbitmq_prometheus].\n"},
		{s.DisablePlugins, plugins.Dispatch, "amqp", "[].\n"}, // the other one needs it
		{s.EnablePlugins, plugins.Management, "amqp http", "[rabbitmq_management].\n"},
		{s.SetPlugins, plugins.Prometheus, "amqp http/prometheus", "[rabbitmq_prometheus].\n"},
	} {
		if err := c.do(c.arg); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(filepath.Join(dir, "enabled_plugins"))
		if p := protocols(s); p != c.want || string(file) != c.file || err != nil {
			t.Errorf("%s: %s, file %q, %v; want %s, file %q", c.arg, p, file, err, c.want, c.file)
		}
	}
	for _, name := range []string{"nosuch", "rabbitmq_mqtt"} {
		var e *plugins.UnknownError
		if err := s.EnablePlugins(name); !errors.As(err, &e) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = start(t, func(c *Config) { c.DataDir = dir })
	if p := protocols(s); p != "amqp http/prometheus" {
		t.Errorf("started again: %s", p)
	}
}

// A port that somebody has is named, and no plugin is enabled by half.
func TestPortTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	taken := func(c *Config) { c.Management.Listeners = []string{ln.Addr().String()} }
	cfg := Config{DataDir: t.TempDir()}
	taken(&cfg)
	var le *ListenError
	if _, err := New(cfg); !errors.As(err, &le) || le.Protocol != "http" || le.Addr != ln.Addr().String() {
		t.Errorf("start: %v", err)
	}
	s := start(t, taken, func(c *Config) { c.EnabledPlugins = []string{} })
	if err := s.EnablePlugins(plugins.Management); !errors.As(err, &le) {
		t.Errorf("enable: %v", err)
	}
	for _, p := range s.Plugins() {
		if p.Enabled || p.Running {
			t.Errorf("%s is enabled", p.Name)
		}
	}
	if p := protocols(s); p != "amqp" {
		t.Errorf("listening: %s", p)
	}
}

// Two nodes never have the same data, even while one's broker is stopped.
func TestDataDirTaken(t *testing.T) {
	s := start(t)
	if err := s.StopApp(); err != nil {
		t.Fatal(err)
	}
	var in *InUseError
	if _, err := New(Config{DataDir: s.cfg.DataDir}); !errors.As(err, &in) || !errors.Is(err, vfs.ErrLocked) {
		t.Errorf("the second node: %v", err)
	}
	if code, _ := get(t, control(s), "http://node/health/live"); code != 200 {
		t.Errorf("the first node's control socket: %d", code)
	}
}

func TestRequestStop(t *testing.T) {
	s := start(t)
	select {
	case <-s.StopRequested():
		t.Error("nobody has asked yet")
	default:
	}
	s.RequestStop()
	s.RequestStop()
	<-s.StopRequested()
}

// A configuration can be handed to another process.
func TestConfigAsJSON(t *testing.T) {
	s := start(t)
	if _, err := json.Marshal(s.Config()); err != nil {
		t.Error(err)
	}
}

// What clients change and what is refused to them is on record, over restarts.
func TestAudit(t *testing.T) {
	dir := t.TempDir()
	s := start(t, func(c *Config) { c.DataDir = dir })
	_, ch := open(t, s)
	if _, err := ch.QueueDeclare("orders", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDelete("orders", false, false, false); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = start(t, func(c *Config) { c.DataDir = dir })
	es, err := s.audit.Last(100, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range es {
		if e.Object == "orders" {
			got = append(got, e.User+" "+e.Action+" "+e.VHost+" "+e.Result)
		}
	}
	if want := "[guest delete queue / ok guest declare queue / ok]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

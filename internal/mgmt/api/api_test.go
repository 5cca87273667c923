package api

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

// testNode is a node that can do nothing but say so.
type testNode struct {
	listeners []ListenerInfo
	alarms    []string
	calls     []string
}

var errTest = errors.New("not in this test")

func (n *testNode) did(what string) error           { n.calls = append(n.calls, what); return nil }
func (n *testNode) Listeners() []ListenerInfo       { return n.listeners }
func (n *testNode) Certificates() []CertificateInfo { return nil }
func (n *testNode) EffectiveConfig() []ConfigValue {
	return []ConfigValue{{"heartbeat", "60", "default"}}
}
func (n *testNode) Started() time.Time            { return time.Unix(1, 0) }
func (n *testNode) AppRunning() bool              { return true }
func (n *testNode) Suspended() bool               { return false }
func (n *testNode) Alarms() []string              { return n.alarms }
func (n *testNode) StopApp() error                { return n.did("stop_app") }
func (n *testNode) StartApp() error               { return n.did("start_app") }
func (n *testNode) Reset() error                  { return errTest }
func (n *testNode) RequestStop()                  { n.did("stop") }
func (n *testNode) SuspendListeners() error       { return n.did("suspend") }
func (n *testNode) ResumeListeners() error        { return n.did("resume") }
func (n *testNode) Reload() ([]string, error)     { return []string{"frame_max"}, nil }
func (n *testNode) SetLogLevel(c, l string) error { return n.did("level " + c + " " + l) }
func (n *testNode) RotateLogs() error             { return n.did("rotate") }
func (n *testNode) Plugins() []PluginInfo {
	return []PluginInfo{{Name: "rabbitmq_management", Enabled: true}}
}
func (n *testNode) EnablePlugins(p ...string) error  { return n.did("enable " + strings.Join(p, ",")) }
func (n *testNode) DisablePlugins(p ...string) error { return n.did("disable " + strings.Join(p, ",")) }
func (n *testNode) SetPlugins(p ...string) error     { return n.did("set " + strings.Join(p, ",")) }

// fixture is an API over a broker in memory.
type fixture struct {
	t      testing.TB
	api    *API
	broker *broker.Broker
	node   *testNode
	// user is whom requests come from; "" is nobody.
	user, password string
	source         string
}

func newFixture(t testing.TB, change ...func(*Deps)) *fixture {
	t.Helper()
	return newFixtureOn(t, broker.Config{}, change...)
}

func newFixtureOn(t testing.TB, cfg broker.Config, change ...func(*Deps)) *fixture {
	t.Helper()
	cfg.FS, cfg.Dir, cfg.Sync, cfg.LoopbackUsers = vfs.NewMem(), "data", store.Memory, []string{"guest"}
	cfg.Bootstrap = broker.Bootstrap{User: "guest", Password: "guest", VHost: "/", Tags: []string{"administrator"}}
	b, err := broker.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	f := &fixture{t: t, broker: b, node: &testNode{listeners: []ListenerInfo{{Protocol: "amqp", Address: "127.0.0.1", Port: 5672}}}, user: "guest", password: "guest", source: "127.0.0.1:40000"}
	d := Deps{Broker: b, Node: f.node, Config: Config{NodeName: "rabbit@here", ClusterName: "rabbit@here", Level: "4.3.0", ProductName: "Warren", ProductVersion: "0.1.0"}}
	for _, c := range change {
		c(&d)
	}
	if f.api, err = New(d); err != nil {
		t.Fatal(err)
	}
	return f
}

// serve serves the API on a port.
func (f *fixture) serve() (base string) {
	s := httptest.NewServer(f.api)
	f.t.Cleanup(s.Close)
	return s.URL
}

// addUser makes a user whose password is its name.
func (f *fixture) addUser(name string, tags ...string) {
	f.t.Helper()
	if _, err := f.broker.Do(broker.Actor{User: "test"}, &meta.PutUser{Name: name, PasswordHash: auth.Hash(name), Algorithm: auth.SHA256, Tags: tags}); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) request(method, path, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = f.source
	if f.user != "" {
		r.SetBasicAuth(f.user, f.password)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func (f *fixture) send(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	f.api.ServeHTTP(w, r)
	return w.Result()
}

// do sends a request to a path below /api and returns status and body.
func (f *fixture) do(method, path, body string) (int, string) {
	f.t.Helper()
	resp := f.send(f.request(method, "/api"+path, body))
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// want sends a request and compares the answer: "204", or "404 {…}".
func (f *fixture) want(method, path, body, want string) {
	f.t.Helper()
	code, got := f.do(method, path, body)
	answer := strings.TrimSpace(strconv.Itoa(code) + " " + got)
	if answer != want {
		f.t.Errorf("%s %s %s:\n got %s\nwant %s", method, path, body, answer, want)
	}
}

func TestWhoMay(t *testing.T) {
	f := newFixture(t)
	f.addUser("mon", "monitoring")
	f.addUser("none")
	for _, c := range []struct{ user, password, method, path, want string }{
		{"guest", "guest", "GET", "/whoami", `200 {"name":"guest","tags":["administrator"]}`},
		{"guest", "wrong", "GET", "/whoami", `401 {"error":"not_authorized","reason":"Login failed"}`},
		{"", "", "GET", "/whoami", `401`},
		{"mon", "mon", "GET", "/whoami", `200 {"name":"mon","tags":["monitoring"]}`},
		{"none", "none", "GET", "/whoami", `401 {"error":"not_authorised","reason":"Not management user"}`},
		{"mon", "mon", "GET", "/plugins", `401 {"error":"not_authorised","reason":"Not administrator user"}`},
		{"guest", "guest", "GET", "/nothing", `404 {"error":"Object Not Found","reason":"Not Found"}`},
		{"guest", "guest", "POST", "/whoami", `405`},
		{"", "", "OPTIONS", "/whoami", `200`},
		{"guest", "guest", "GET", "/whoami?columns=name", `200 {"name":"guest"}`},
		{"guest", "guest", "GET", "/whoami?columns=nope", `200 []`},
		{"", "", "GET", "/auth", `200 {"enable_uaa":false,"uaa_client_id":"","uaa_location":""}`},
	} {
		f.user, f.password = c.user, c.password
		f.want(c.method, c.path, "", c.want)
	}
	f.user, f.password, f.source = "guest", "guest", "192.0.2.1:40000"
	f.want("GET", "/whoami", "", `401 {"error":"not_authorised","reason":"User can only log in via localhost"}`)
}

func TestOverSocket(t *testing.T) {
	f := newFixture(t)
	r := httptest.NewRequest("GET", "/api/whoami", nil)
	resp := f.send(r.WithContext(OverSocket(r.Context())))
	raw, _ := io.ReadAll(resp.Body)
	if string(raw) != `{"name":"rmq-cli","tags":["administrator"]}` {
		t.Errorf("got %s", raw)
	}
}

// TestLargeDefinitions: the command line imports what is too large for the network.
func TestLargeDefinitions(t *testing.T) {
	f := newFixture(t, func(d *Deps) { d.Config.MaxBodySize = 2000 })
	doc := `{"vhosts":[{"name":"new"}]` + strings.Repeat(" ", 2000) + `}`
	f.want("POST", "/definitions", doc, `413 {"error":"payload_too_large","reason":"the body is larger than 2000 bytes"}`)
	r := f.request("POST", "/api/definitions", doc)
	if code := f.send(r.WithContext(OverSocket(r.Context()))).StatusCode; code != 204 {
		t.Errorf("over the socket: %d", code)
	}
}

func TestNodeCommands(t *testing.T) {
	f := newFixture(t)
	f.want("POST", "/node/suspend-listeners", "", "204")
	f.want("POST", "/node/log-level", `{"level":"debug"}`, "204")
	f.want("POST", "/node/log-level", ``, `400 {"error":"bad_request","reason":"[{key_missing,level}]"}`)
	f.want("POST", "/node/close-connections", `{"vhosts":"x"}`, `400 {"error":"bad_request","reason":"unknown field \"vhosts\""}`)
	f.want("POST", "/node/reset", "", `400 {"error":"bad_request","reason":"not in this test"}`)
	f.want("POST", "/node/reload", "", `200 {"pending":["frame_max"]}`)
	f.want("PUT", "/plugins/rabbitmq_prometheus", "", `204`)
	f.want("POST", "/node/memory-watermark", `{"value":"0.3"}`, "204")
	f.want("POST", "/node/memory-watermark", `{"value":"2GB"}`, "204")
	f.want("POST", "/node/memory-watermark", `{"value":"much"}`, `400 {"error":"bad_request","reason":"\"much\" is neither a fraction nor a size"}`)
	f.want("POST", "/node/disk-free-limit", `{"value":"mem_relative 1.5"}`, "204")
	f.want("POST", "/node/disk-free-limit", `{"value":"50MiB"}`, "204")
	f.want("POST", "/node/disk-monitor", `{"value":"off"}`, "204")
	f.want("POST", "/node/disk-monitor", `{"value":"maybe"}`, `400 {"error":"bad_request","reason":"\"maybe\": want on or off"}`)
	f.want("POST", "/node/disk-monitor", `{"value":"on"}`, "204")
	if l := f.broker.DiskFreeLimit(); l.Absolute != 50<<20 || f.broker.MemoryHighWatermark().Absolute != 2_000_000_000 {
		t.Errorf("limits are %v and %v", l, f.broker.MemoryHighWatermark())
	}
	f.want("GET", "/config/effective", "", `200 [{"key":"heartbeat","value":"60","origin":"default"}]`)
	if got := strings.Join(f.node.calls, "; "); got != "suspend; level  debug; enable rabbitmq_prometheus" {
		t.Errorf("the node was told: %s", got)
	}
}

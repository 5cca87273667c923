package server

import (
	"net/http"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker/meta"
)

// The default user may what default_permissions say, and no more; its password
// is stored as password_hashing_module says.
func TestDefaultPermissions(t *testing.T) {
	s := start(t, func(c *Config) {
		c.DefaultPermissions = Permissions{Configure: "^mine-", Write: "^mine-|^amq\\.default$", Read: "^$"}
		c.PasswordHashing = auth.SHA512
	})
	_, ch := open(t, s)
	if _, err := ch.QueueDeclare("mine-1", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ch.Get("mine-1", true); err == nil || !strings.Contains(err.Error(), "access to queue 'mine-1' in vhost '/' refused for user 'guest'") {
		t.Errorf("reading: %v", err)
	}
	_, ch = open(t, s)
	if _, err := ch.QueueDeclare("yours", false, false, false, false, nil); err == nil || !strings.Contains(err.Error(), "access to queue 'yours'") {
		t.Errorf("declaring: %v", err)
	}
	s.app.broker.View(func(st *meta.State) {
		if u := st.User("guest"); u.Algorithm != auth.SHA512 {
			t.Errorf("the password is hashed with %s", u.Algorithm)
		}
	})
}

// Prometheus' page is where prometheus.path says, and tells of single objects if
// return_per_object_metrics says so.
func TestPrometheusPath(t *testing.T) {
	s := start(t, func(c *Config) { c.Prometheus.Path, c.Prometheus.PerObject = "/figures", true })
	_, ch := open(t, s)
	if _, err := ch.QueueDeclare("q", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if page := scraped(t, s, "/figures"); !strings.Contains(page, "\n"+`rabbitmq_queue_messages_ready{vhost="/",queue="q"} 0`+"\n") {
		t.Errorf("no single queue on the page:\n%s", page)
	}
	if code := scrape(t, s, "/metrics").StatusCode; code != 404 {
		t.Errorf("/metrics: %d", code)
	}
	root := start(t, func(c *Config) { c.Prometheus.Path = "/" })
	for _, path := range []string{"/", "/per-object"} {
		if page := scraped(t, root, path); !strings.Contains(page, "rabbitmq_identity_info") {
			t.Errorf("%s:\n%s", path, page)
		}
	}
}

// Channels begin with a prefetch if the configuration says so, and what the
// client says takes its place.
func TestDefaultPrefetch(t *testing.T) {
	for _, c := range []struct {
		global bool
		qos    bool
		want   int
	}{{false, false, 2}, {true, false, 2}, {false, true, 5}, {true, true, 5}} {
		s := start(t, func(cfg *Config) { cfg.Prefetch, cfg.PrefetchGlobal = 2, c.global })
		_, ch := open(t, s)
		q, err := ch.QueueDeclare("", false, false, true, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if err := ch.Publish("", q.Name, false, false, amqp.Publishing{}); err != nil {
				t.Fatal(err)
			}
		}
		if c.qos {
			if err := ch.Qos(0, 0, false); err != nil {
				t.Fatal(err)
			}
		}
		ds, err := ch.Consume(q.Name, "", false, false, false, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range c.want {
			<-ds
		}
		// What is left is what was not delivered.
		if left, err := ch.QueueDeclarePassive(q.Name, false, false, true, false, nil); err != nil || left.Messages != 5-c.want {
			t.Errorf("%+v: %d left, %v", c, left.Messages, err)
		}
	}
}

// The reference of the HTTP API is for everybody, or for users only.
func TestReferenceAuth(t *testing.T) {
	for on, want := range map[bool]int{false: 200, true: 401} {
		s := start(t, func(cfg *Config) { cfg.Management.ReferenceAuth = on })
		for _, page := range []string{"/api/index.html", "/api/openapi.json"} {
			if code, _ := get(t, http.DefaultClient, "http://"+s.ManagementAddrs()[0].String()+page); code != want {
				t.Errorf("%s: %d", page, code)
			}
			if code, _ := get(t, http.DefaultClient, "http://guest:guest@"+s.ManagementAddrs()[0].String()+page); code != 200 {
				t.Errorf("%s for a user: %d", page, code)
			}
		}
	}
}

// anonymous is a client that has no name.
type anonymous struct{}

func (anonymous) Mechanism() string { return "ANONYMOUS" }
func (anonymous) Response() string  { return "" }

// Who has no name may be somebody, if the configuration says so.
func TestAnonymous(t *testing.T) {
	for _, c := range []struct {
		mechanisms     []string
		user, password string
		why            string // it is refused
	}{
		{nil, "guest", "guest", "no such mechanism"},
		{[]string{"PLAIN", "ANONYMOUS"}, "", "", "no such mechanism"},
		{[]string{"PLAIN", "ANONYMOUS"}, "guest", "wrong", "the password is wrong"},
		{[]string{"PLAIN", "ANONYMOUS"}, "guest", "guest", ""},
	} {
		s := start(t, func(cfg *Config) {
			cfg.Mechanisms, cfg.AnonymousUser, cfg.AnonymousPass = c.mechanisms, c.user, c.password
		})
		conn, err := amqp.DialConfig("amqp://"+s.Addrs()[0].String()+"/", amqp.Config{SASL: []amqp.Authentication{anonymous{}}})
		if (err == nil) != (c.why == "") {
			t.Errorf("%+v: %v", c, err)
		}
		if err != nil {
			continue
		}
		ch, err := conn.Channel()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ch.QueueDeclare("", false, false, true, false, nil); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
}

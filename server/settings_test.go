package server

import (
	"strings"
	"testing"

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
}

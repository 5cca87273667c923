package api

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/warrenmq/warren/internal/broker"
)

// notes is an audit log in memory.
type notes []string

func (n *notes) Add(e broker.AuditEntry) {
	*n = append(*n, fmt.Sprintf("%s: %s %s%s %s%s%s", e.User, e.Action, e.VHost, e.Object, e.Result, e.Reason, e.Detail))
}
func (n *notes) Recent(int64, int) ([]AuditRecord, error) { return nil, nil }

// TestOnRecord: what is done besides definitions, and what is refused.
func TestOnRecord(t *testing.T) {
	var log notes
	f := newFixtureOn(t, broker.Config{Audit: log.Add})
	f.addUser("mgmt", "management")
	f.addUser("none")
	f.want("PUT", "/queues/%2F/q", `{"durable":true}`, "201")
	log = nil
	const message = `{"properties":{},"routing_key":"q","payload":"x","payload_encoding":"string"}`
	f.want("POST", "/exchanges/%2F/amq.default/publish", message, `200 {"routed":true}`)
	for _, ack := range []string{"ack_requeue_true", "ack_requeue_false", "ack_requeue_false"} { // the last finds nothing
		if code, body := f.do("POST", "/queues/%2F/q/get", `{"count":5,"ackmode":"`+ack+`","encoding":"auto"}`); code != 200 {
			t.Errorf("%d %s", code, body)
		}
	}
	f.want("DELETE", "/reset", "", "204")
	f.want("DELETE", "/auth/attempts/rabbit@here", "", "204")
	f.user, f.password = "mgmt", "mgmt"
	f.want("GET", "/users?x=1", "", `401 {"error":"not_authorised","reason":"Not administrator user"}`)
	f.want("PUT", "/users/a%2Fb", "{}", `401 {"error":"not_authorised","reason":"Not administrator user"}`)
	f.user, f.password = "none", "none"
	f.want("GET", "/whoami", "", `401 {"error":"not_authorised","reason":"Not management user"}`)
	if want := (notes{
		"guest: get messages /q ok1, ack_requeue_false",
		"guest: reset statistics rabbit@here ok",
		"guest: reset counts of logins rabbit@here ok",
		"mgmt: request GET /api/users refusedNot administrator user",
		"mgmt: request PUT /api/users/a%2Fb refusedNot administrator user",
		"none: request GET /api/whoami refusedNot management user",
	}); !slices.Equal(log, want) {
		t.Errorf("on record:\n%q, want\n%q", log, want)
	}
}

// TestOnRecordStopped: also while there is no broker that could tell.
func TestOnRecordStopped(t *testing.T) {
	var log notes
	a, err := New(Deps{Node: &testNode{}, Audit: &log, Config: Config{NodeName: "rabbit@here"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"start_app", "reset"} {
		r := httptest.NewRequest("POST", "/api/node/"+path, nil)
		a.ServeHTTP(httptest.NewRecorder(), r.WithContext(OverSocket(r.Context())))
	}
	if want := (notes{"rmq-cli: start broker rabbit@here ok", "rmq-cli: reset node rabbit@here refusednot in this test"}); !slices.Equal(log, want) {
		t.Errorf("on record: %q, want %q", log, want)
	}
}

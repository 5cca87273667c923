package hostpage_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/warrenmq/warren/brokertest"
	"github.com/warrenmq/warren/internal/hosts/agent"
	"github.com/warrenmq/warren/internal/hosts/hoststest"
	"github.com/warrenmq/warren/internal/mgmt/hostpage"
	"github.com/warrenmq/warren/server"
)

// What the management page does: see the hosts, run a command, look at its output,
// cancel; and what it may not.
func TestHostsOverHTTP(t *testing.T) {
	b := brokertest.Start(t, brokertest.Management(), brokertest.Configure(func(c *server.Config) { c.Hosts = hostpage.New }))
	a := hoststest.Run(t, b.URL(), agent.Config{Name: "web-7", Groups: []string{"web"}})
	t.Cleanup(a.Stop)
	user := "guest"
	call := func(method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, b.ManagementURL()+"/api"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(user, user)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(raw)
	}
	hoststest.Eventually(t, "the host is on the list", func() error {
		if _, body := call("GET", "/hosts/%2F?columns=name,online,groups", ""); body != `[{"name":"web-7","groups":["web"],"online":true}]` &&
			!strings.Contains(body, `"web-7"`) {
			return fmt.Errorf("hosts: %s", body)
		}
		return nil
	})

	// Who may not gets a reason, and who may runs it.
	for _, c := range []struct{ method, path, body string }{
		{"PUT", "/users/reader", `{"password":"reader","tags":"management"}`},
		{"PUT", "/permissions/%2F/reader", `{"configure":".*","write":".*","read":".*"}`},
		{"PUT", "/users/runner", `{"password":"runner","tags":"management,hosts"}`},
		{"PUT", "/permissions/%2F/runner", `{"configure":".*","write":".*","read":".*"}`},
	} {
		if status, body := call(c.method, c.path, c.body); status != http.StatusCreated {
			t.Fatalf("%s: %d %s", c.path, status, body)
		}
	}
	user = "reader"
	if status, body := call("POST", "/hosts/%2F/tasks", `{"command":"true","hosts":["web-7"]}`); status != http.StatusUnauthorized || !strings.Contains(body, "the tag 'hosts'") {
		t.Errorf("a user without the tag: %d %s", status, body)
	}
	user = "runner"
	status, body := call("POST", "/hosts/%2F/tasks", `{"command":"echo one; echo two >&2","shell":true,"hosts":["@web"]}`)
	var task struct {
		ID    int
		By    string
		Final bool
		Hosts []struct{ Name, State, Stdout, Stderr string }
	}
	if err := json.Unmarshal([]byte(body), &task); status != http.StatusOK || err != nil || task.By != "runner" {
		t.Fatalf("%d %s %v", status, body, err)
	}
	hoststest.Eventually(t, "the task is done", func() error {
		_, body := call("GET", fmt.Sprintf("/hosts/%%2F/tasks/%d", task.ID), "")
		if err := json.Unmarshal([]byte(body), &task); err != nil || !task.Final {
			return fmt.Errorf("task: %s %v", body, err)
		}
		return nil
	})
	if h := task.Hosts; len(h) != 1 || h[0].State != "ok" || h[0].Stdout != "one\n" || h[0].Stderr != "two\n" {
		t.Errorf("%+v", task)
	}
	if _, body := call("GET", "/hosts/%2F/tasks", ""); !strings.Contains(body, "echo one") {
		t.Errorf("tasks: %s", body)
	}

	// A command that goes on is cancelled.
	_, body = call("POST", "/hosts/%2F/tasks", `{"command":"sleep 600","hosts":["web-7"]}`)
	if err := json.Unmarshal([]byte(body), &task); err != nil {
		t.Fatal(body, err)
	}
	if status, body := call("DELETE", fmt.Sprintf("/hosts/%%2F/tasks/%d", task.ID), ""); status != http.StatusOK {
		t.Errorf("cancel: %d %s", status, body)
	}
	hoststest.Eventually(t, "the task is cancelled", func() error {
		_, body := call("GET", fmt.Sprintf("/hosts/%%2F/tasks/%d?columns=final,hosts.state", task.ID), "")
		if !strings.Contains(body, `"cancelled"`) {
			return fmt.Errorf("task: %s", body)
		}
		return nil
	})

	// What was done stands in the broker's audit log.
	user = "guest"
	if _, body := call("GET", "/audit?count=50", ""); !strings.Contains(body, `"action":"run task on hosts"`) || !strings.Contains(body, `sleep 600 on web-7`) ||
		!strings.Contains(body, `"action":"cancel task on hosts"`) {
		t.Errorf("audit: %s", body)
	}
	user = "runner"

	for _, c := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{"POST", "/hosts/%2F/tasks", `{"command":"true","hosts":["web-7"],"timeout":18446744074}`, 400, "the timeout must be"},
		{"POST", "/hosts/%2F/tasks", `{"command":"true","hosts":["web-7"],"timeout":-1}`, 400, "the timeout must be"},
		{"POST", "/hosts/%2F/tasks", `{"command":"","hosts":["web-7"]}`, 400, "the command is empty"},
		{"POST", "/hosts/%2F/tasks", `{"command":"echo 'x","hosts":["web-7"]}`, 400, ""},
		{"POST", "/hosts/%2F/tasks", `{"command":"true","hosts":["@nobody"]}`, 400, "nobody"},
		{"POST", "/hosts/%2F/tasks", `{"command":"true"}`, 400, "{key_missing,hosts}"},
		{"GET", "/hosts/%2F/tasks/999999", "", 404, ""},
		{"GET", "/hosts/%2F/tasks/x", "", 404, ""},
		{"GET", "/hosts/nope", "", 404, ""},
	} {
		if status, body := call(c.method, c.path, c.body); status != c.status || !strings.Contains(body, c.text) {
			t.Errorf("%s %s %s: %d %s, want %d %s", c.method, c.path, c.body, status, body, c.status, c.text)
		}
	}
}

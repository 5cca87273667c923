package api

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

func readFile(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// sections are the rows of a definitions document, each as text, by section.
func sections(t *testing.T, doc string) map[string]map[string]bool {
	t.Helper()
	var in map[string]json.RawMessage
	if err := json.Unmarshal([]byte(doc), &in); err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]bool{}
	for name, raw := range in {
		var rows []json.RawMessage
		if json.Unmarshal(raw, &rows) != nil {
			continue
		}
		out[name] = map[string]bool{}
		for _, r := range rows {
			out[name][canonical(r)] = true
		}
	}
	return out
}

// without drops the members that 3.10.8 does not have.
func without(row string, names ...string) string {
	var m map[string]any
	if json.Unmarshal([]byte(row), &m) != nil {
		return row
	}
	for _, n := range names {
		delete(m, n)
	}
	raw, _ := json.Marshal(m)
	return canonical(raw)
}

// TestDefinitionsOfRabbitMQ: what RabbitMQ 3.10.8 exported is imported, and comes
// out again with the same rows.
func TestDefinitionsOfRabbitMQ(t *testing.T) {
	f := newFixture(t)
	doc := readFile(t, "testdata/definitions-3.10.8.json")
	f.want("POST", "/definitions", doc, "204")
	f.user, f.password = "anna", "secret"
	if code, body := f.do("GET", "/bindings/shop", ""); code != 200 || strings.Count(body, `"destination"`) != 8 {
		t.Errorf("anna sees %d %s", code, body)
	}
	f.user, f.password = "guest", "guest"
	_, exported := f.do("GET", "/definitions", "")
	ours, theirs := sections(t, exported), sections(t, doc)
	for name, rows := range theirs {
		for row := range rows {
			found := false
			for r := range ours[name] {
				switch name {
				case "vhosts":
					r = without(r, "description", "tags", "metadata")
				case "queues":
					r = without(r, "type")
				}
				found = found || r == row
			}
			if !found {
				t.Errorf("%s: lost is %s\nthere are %v", name, row, ours[name])
			}
		}
	}
}

// TestImportTwice: the second import of the same changes nothing.
func TestImportTwice(t *testing.T) {
	var changes atomic.Int64
	b, err := broker.Open(broker.Config{FS: vfs.NewMem(), Dir: "data", Sync: store.Memory, Audit: func(broker.AuditEntry) { changes.Add(1) },
		Bootstrap: broker.Bootstrap{User: "guest", Password: "guest", VHost: "/", Tags: []string{"administrator"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	f := newFixture(t, func(d *Deps) { d.Broker = b })
	f.broker = b
	for _, doc := range []string{readFile(t, "testdata/definitions-3.10.8.json"),
		`{"users":[{"name":"otto","password":"plain","tags":["a"]}],"vhosts":[{"name":"x","metadata":{"description":"d","tags":["t"]},"limits":[]}]}`} {
		f.want("POST", "/definitions", doc, "204")
		if changes.Swap(0) == 0 {
			t.Error("the first import has changed nothing")
		}
		f.want("POST", "/definitions", doc, "204")
		if n := changes.Swap(0); n != 0 {
			t.Errorf("the second import has changed %d things", n)
		}
	}
}

// TestImportAllOrNothing: a mistake in the last section undoes the first.
func TestImportAllOrNothing(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct{ doc, want string }{
		{`{"vhosts":[{"name":"half"}],"bindings":[{"source":"amq.direct","vhost":"half","destination":"x","destination_type":"nothing"}]}`,
			`400 {"error":"bad_request","reason":"destination_type \"nothing\" of a binding in vhost 'half' is neither queue nor exchange"}`},
		{`{"vhosts":[{"name":"half"}],"queues":[{"name":"s","vhost":"half","arguments":{"x-queue-type":"stream","x-max-length":5}}]}`, ``},
		{`{"vhosts":[{"name":"half"}],"queues":[{"name":"s","vhost":"half","type":"brook"}]}`, ``},
		{`{"vhosts":[{"name":"half"}],"exchanges":[{"name":"x","vhost":"half","type":"x-delayed-message"}]}`, ``},
		{`{"vhosts":[{"name":"half"}],"queues":5}`, ``},
		{`{"vhosts":[{"name":"half"}],"users":[{"name":"u","password_hash":"!"}]}`, ``},
		{`{"vhosts":[{"name":"half"}],"policies":[{"name":"p","vhost":"half","pattern":"(","definition":{"max-length":1}}]}`, ``},
		{`{"vhosts":[{"name":"half"}],"parameters":[{"component":"operator_policy","vhost":"half","name":"a","value":5}]}`, ``},
		{`{"vhosts":[{"name":"half"}],"permissions":[{"user":"guest","vhost":"half","configure":"(","write":"","read":""}]}`, ``},
	} {
		code, body := f.do("POST", "/definitions", c.doc)
		if code != 400 || c.want != "" && c.want != "400 "+body {
			t.Errorf("%s\n got %d %s\nwant %s", c.doc, code, body, c.want)
		}
		if f.api.vhost("half") != nil {
			t.Fatalf("%s: half of it was imported", c.doc)
		}
	}
}

// TestOperatorPolicyOfCLI: the command line of RabbitMQ 3.10.8 writes the
// definition of an operator policy as a list of pairs.
func TestOperatorPolicyOfCLI(t *testing.T) {
	f := newFixture(t)
	f.want("POST", "/definitions", `{"parameters":[{"component":"operator_policy","vhost":"/","name":"o",
		"value":{"pattern":"^q","definition":[["max-length",5],["expires",70000]],"priority":0,"apply-to":"queues"}}]}`, "204")
	f.want("GET", "/operator-policies/%2F/o", "", `200 {"vhost":"/","name":"o","pattern":"^q","apply-to":"queues","definition":{"max-length":5,"expires":70000},"priority":0}`)
}

// TestVHostDefinitions: the export of one virtual host goes into another.
func TestVHostDefinitions(t *testing.T) {
	f := newFixture(t)
	f.want("PUT", "/vhosts/copy", "", "201")
	f.want("POST", "/definitions/copy", readFile(t, "testdata/definitions-shop-3.10.8.json"), "204")
	_, body := f.do("GET", "/definitions/copy", "")
	var d struct {
		Queues, Exchanges, Bindings, Policies, Parameters []map[string]any
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Queues) != 4 || len(d.Exchanges) != 3 || len(d.Bindings) != 4 || len(d.Policies) != 1 || len(d.Parameters) != 2 {
		t.Errorf("got %s", body)
	}
	if _, ok := d.Queues[0]["vhost"]; ok {
		t.Errorf("rows of one virtual host name it: %s", body)
	}
	f.want("POST", "/definitions", body, `400 {"error":"bad_request","reason":["no_such_vhost","undefined"]}`)
}

func TestDefinitionsForms(t *testing.T) {
	f := newFixture(t)
	form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"d.json\"\r\n\r\n{\"vhosts\":[{\"name\":\"formed\"}]}\r\n--b--\r\n"
	resp := f.send(f.request("POST", "/api/definitions", form, "Content-Type", "multipart/form-data; boundary=b"))
	if resp.StatusCode != 204 || f.api.vhost("formed") == nil {
		t.Errorf("a form: %d", resp.StatusCode)
	}
	resp = f.send(f.request("POST", "/api/definitions", "--b--\r\n", "Content-Type", "multipart/form-data; boundary=b"))
	if resp.StatusCode != 400 {
		t.Errorf("a form without a file: %d", resp.StatusCode)
	}
	resp = f.send(f.request("GET", "/api/definitions?download=my%22file.json", ""))
	tag := resp.Header.Get("ETag")
	if resp.Header.Get("Content-Disposition") != `attachment; filename="my\"file.json"` || tag == "" {
		t.Errorf("a download: %v", resp.Header)
	}
	if resp := f.send(f.request("GET", "/api/definitions", "", "If-None-Match", tag)); resp.StatusCode != 304 {
		t.Errorf("nothing new: %d", resp.StatusCode)
	}
	f.want("PUT", "/vhosts/new", "", "201")
	if resp := f.send(f.request("GET", "/api/definitions", "", "If-None-Match", tag)); resp.StatusCode != 200 {
		t.Errorf("something new: %d", resp.StatusCode)
	}
}

// TestImportNamesWhatIsMissing: a row without what it needs is refused, and
// nothing of the file is done.
func TestImportNamesWhatIsMissing(t *testing.T) {
	f := newFixture(t)
	for row, want := range map[string]string{
		`"queues":[{"vhost":"/","durable":true}]`:                                               "queue in virtual host '/' has undefined name",
		`"exchanges":[{"vhost":"/","type":"direct"}]`:                                           "exchange in virtual host '/' has undefined name",
		`"queues":[{"name":"` + strings.Repeat("q", 256) + `","vhost":"/","durable":true}]`:     `queue should be less than 255 bytes, actually was 256\n`,
		`"exchanges":[{"name":"` + strings.Repeat("x", 300) + `","vhost":"/","type":"direct"}]`: `exchange should be less than 255 bytes, actually was 300\n`,
		`"permissions":[{"user":"guest","vhost":"/","configure":"","write":""}]`:                "a permission of user 'guest' in vhost '/' lacks configure, write or read",
		`"topic_permissions":[{"user":"guest","vhost":"/","write":"","read":""}]`:               "a topic permission of user 'guest' in vhost '/' lacks exchange, write or read",
		`"users":[{"name":"u2","password_hash":""}]`:                                            "tags_not_present",
		`"users":[{"name":"u2","tags":"","password":"x","password_hash":"` + "aGFzaA==" + `"}]`: "both_password_and_password_hash_are_provided",
	} {
		f.want("POST", "/definitions", `{"vhosts":[{"name":"new"}],`+row+`}`, `400 {"error":"bad_request","reason":"`+want+`"}`)
		f.want("GET", "/vhosts/new", "", `404 {"error":"Object Not Found","reason":"Not Found"}`)
	}
}

// TestNullIsNoText: null is not taken for an empty text.
func TestNullIsNoText(t *testing.T) {
	f := newFixture(t)
	f.want("PUT", "/permissions/%2F/guest", `{"configure":null,"write":".*","read":".*"}`,
		`400 {"error":"bad_request","reason":"the value of \"configure\" is of the wrong type: null instead of string"}`)
	f.want("PUT", "/users/guest", `{"password":null,"tags":"administrator"}`,
		`400 {"error":"bad_request","reason":"the value of \"password\" is of the wrong type: null instead of string"}`)
	f.want("GET", "/permissions/%2F/guest", "", `200 {"user":"guest","vhost":"/","configure":".*","write":".*","read":".*"}`)
}

// TestIdleParameter: whoever sets up a shovel is told that nothing will move.
func TestIdleParameter(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t, func(d *Deps) { d.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	f.want("PUT", "/parameters/shovel/%2F/s1", `{"value":{}}`, "201")
	f.want("POST", "/definitions", `{"parameters":[{"component":"federation-upstream","vhost":"/","name":"s2","value":{}}]}`, "204")
	f.want("PUT", "/parameters/vhost-limits/%2F/limits", `{"value":{"max-queues":5}}`, "201")
	if n := strings.Count(log.String(), "nothing acts on it"); n != 2 || !strings.Contains(log.String(), "name=s1") || !strings.Contains(log.String(), "name=s2") {
		t.Errorf("the log:\n%s", &log)
	}
}

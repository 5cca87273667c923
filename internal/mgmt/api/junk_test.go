package api

import (
	"net/http"
	"strings"
	"testing"
)

// TestJunk: no route answers 500, whatever comes in.
func TestJunk(t *testing.T) {
	f := newFixture(t)
	f.want("PUT", "/queues/%2F/q", `{"durable":true}`, "201")
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	bodies := []string{"", "null", "[]", `"x"`, "5", "{", "{}", `{"value":null}`, `{"value":` + deep + `}`, `{"arguments":` + deep + `}`, `{"arguments":[1]}`,
		`{"arguments":{"` + strings.Repeat("k", 300) + `":1}}`, `{"name":5,"tags":5,"pattern":5,"definition":5,"durable":5,"users":5,"queues":5}`,
		`{"configure":5,"write":[],"read":{}}`, `{"count":1e99,"ackmode":"ack_requeue_true","encoding":"auto"}`, `{"count":-9223372036854775808,"ackmode":"ack_requeue_true","encoding":"auto","truncate":-5}`,
		`{"properties":{"headers":` + deep + `},"routing_key":"` + strings.Repeat("x", 300) + `","payload":"x","payload_encoding":"string"}`,
		`{"pattern":"(((((a*)*)*)*)*)$","definition":{"max-length":1e400},"priority":99999999999999999999}`,
		`{"users":[{"name":""},{}],"vhosts":[{}],"permissions":[{}],"parameters":[{}],"policies":[{}],"queues":[{}],"exchanges":[{}],"bindings":[{}],"global_parameters":[{}],"topic_permissions":[{}]}`,
		"\xff\xfe", `{"\u0000":"\u0000","tags":"\u0000"}`}
	if testing.Short() {
		bodies = bodies[len(bodies)-6:]
	}
	names := []string{"%2F", "nope", "q", "%00", "%FF", strings.Repeat("x", 300), "..", "amq.direct"}
	for i, r := range f.api.routes {
		if strings.HasPrefix(r.Path, "/node/") || r.Path == "/login" {
			continue
		}
		path := r.Path
		for n := 0; strings.Contains(path, "{"); n++ {
			open, end := strings.Index(path, "{"), strings.Index(path, "}")
			path = path[:open] + names[(i+n)%len(names)] + path[end+1:]
		}
		for _, query := range []string{"", "?columns=" + strings.Repeat("a.", 500), "?sort=....&page=1&name=%FF&use_regex=true", "?lengths_age=x&lengths_incr=0&msg_rates_age=-1&msg_rates_incr=1"} {
			if r.Method != http.MethodGet && query != "" {
				continue
			}
			for _, body := range bodies {
				if r.Method == http.MethodGet && body != "" {
					continue
				}
				if code, answer := f.do(r.Method, path+query, body); code == http.StatusInternalServerError {
					t.Errorf("%s %s %.80s: %d %s", r.Method, path+query, body, code, answer)
				}
			}
		}
	}
}

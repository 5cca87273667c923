package interop

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/brokertest"
)

// To record the shapes anew, from a RabbitMQ 3.10.8 that has nothing but the
// user guest and the virtual host "/":
//
//	go test ./test/interop -run TestShapes -shapes-http http://127.0.0.1:15672 -shapes-amqp 127.0.0.1:5672
var (
	shapesHTTP = flag.String("shapes-http", "", "URL of a RabbitMQ's HTTP API, to record shapes from")
	shapesAMQP = flag.String("shapes-amqp", "", "host:port of the same RabbitMQ")
)

const (
	shapesFile      = "testdata/shapes-3.10.8.json"
	shapesDifferent = "testdata/shapes-differences.txt"
)

// ages ask for samples of everything.
const ages = "?lengths_age=60&lengths_incr=5&msg_rates_age=60&msg_rates_incr=5&data_rates_age=60&data_rates_incr=5&node_stats_age=60&node_stats_incr=5"

// shape is what fields an answer has and of which JSON types: by path, as in
// "[].message_stats.publish" → "number".
type shape map[string]string

// opaque are objects whose members are data and not fields.
var opaque = []string{"arguments", "definition", "value", "cluster_state", "client_properties", "effective_policy_definition", "headers", "readers"}

func (s shape) add(path, kind string) {
	kinds := strings.Split(s[path], "|")
	if s[path] == "" {
		kinds = nil
	}
	if !slices.Contains(kinds, kind) {
		kinds = append(kinds, kind)
		slices.Sort(kinds)
		s[path] = strings.Join(kinds, "|")
	}
}

func (s shape) walk(at string, v any) {
	switch v := v.(type) {
	case nil:
		s.add(at, "null")
	case bool:
		s.add(at, "boolean")
	case float64:
		s.add(at, "number")
	case string:
		s.add(at, "string")
	case []any:
		s.add(at, "array")
		for _, e := range v {
			s.walk(at+"[]", e)
		}
	case map[string]any:
		s.add(at, "object")
		if slices.Contains(opaque, at[strings.LastIndex(at, ".")+1:]) {
			return
		}
		for k, e := range v {
			s.walk(at+"."+k, e)
		}
	}
}

// site is a node whose shapes are looked at.
type site struct {
	t          *testing.T
	http, amqp string
}

func (s *site) send(method, path, body string) ([]byte, int) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.http+"/api"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.SetBasicAuth("guest", "guest")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return raw, resp.StatusCode
}

func (s *site) must(method, path, body string) []byte {
	s.t.Helper()
	raw, code := s.send(method, path, body)
	if code >= 300 {
		s.t.Fatalf("%s %s: %d %s", method, path, code, raw)
	}
	return raw
}

// declare makes one of everything.
func (s *site) declare() {
	for _, c := range []struct{ path, body string }{
		{"/vhosts/shop", `{"description":"d","tags":"a"}`},
		{"/users/anna", `{"password":"anna","tags":"management"}`},
		{"/permissions/shop/anna", `{"configure":".*","write":".*","read":".*"}`},
		{"/topic-permissions/shop/anna", `{"exchange":"events","write":".*","read":".*"}`},
		{"/user-limits/anna/max-connections", `{"value":50}`},
		{"/vhost-limits/shop/max-queues", `{"value":50}`},
		{"/global-parameters/owner", `{"value":{"a":1}}`},
		{"/policies/shop/p", `{"pattern":"^w","definition":{"max-length":100000},"apply-to":"queues"}`},
		{"/operator-policies/shop/o", `{"pattern":"^w","definition":{"expires":10000000},"apply-to":"queues"}`},
		{"/policies/shop/x", `{"pattern":"^events","definition":{"alternate-exchange":"amq.fanout"},"apply-to":"exchanges"}`},
		{"/exchanges/shop/events", `{"type":"topic","durable":true}`},
		{"/exchanges/shop/plain", `{"type":"direct","durable":true,"arguments":{"a":1}}`},
		{"/queues/shop/work", `{"durable":true,"arguments":{"x-max-priority":3}}`},
		{"/queues/shop/quorum", `{"durable":true,"arguments":{"x-queue-type":"quorum"}}`},
		{"/queues/shop/idle", `{"durable":true}`},
		{"/queues/shop/stream", `{"durable":true,"arguments":{"x-queue-type":"stream","x-max-age":"7D"}}`},
	} {
		s.must("PUT", c.path, c.body)
	}
	for _, q := range []string{"work", "quorum"} {
		s.must("POST", "/bindings/shop/e/events/q/"+q, `{"routing_key":"a.#"}`)
	}
	s.must("POST", "/bindings/shop/e/events/e/plain", `{"routing_key":"k","arguments":{"n":1}}`)
}

// traffic makes every counter count, and leaves messages and consumers behind.
func (s *site) traffic() *amqp.Connection {
	t := s.t
	conn, err := amqp.DialConfig("amqp://guest:guest@"+s.amqp+"/shop", amqp.Config{Properties: amqp.Table{"connection_name": "shapes"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	pub, err := conn.Channel()
	if err == nil {
		err = pub.Confirm(false)
	}
	if err != nil {
		t.Fatal(err)
	}
	returned := pub.NotifyReturn(make(chan amqp.Return, 100))
	confirmed := pub.NotifyPublish(make(chan amqp.Confirmation, 100))
	send := func(exchange, key string, mandatory bool) {
		t.Helper()
		if err := pub.Publish(exchange, key, mandatory, false, amqp.Publishing{DeliveryMode: 2, Body: []byte("x"), Timestamp: time.Unix(1700000000, 0)}); err != nil {
			t.Fatal(err)
		}
		<-confirmed
	}
	for range 20 {
		send("events", "a.b", false)
	}
	send("", "nowhere", true)
	<-returned
	send("", "nowhere", false)
	cons, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := cons.Qos(5, 0, false); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"work", "quorum"} {
		got, err := cons.Consume(q, q+"-tag", false, false, false, false, amqp.Table{"x-priority": 1})
		if err != nil {
			t.Fatal(err)
		}
		(<-got).Ack(false)
		d := <-got
		d.Nack(false, true)
		get, err := conn.Channel()
		if err != nil {
			t.Fatal(err)
		}
		for _, auto := range []bool{true, false} {
			if _, _, err := get.Get(q, auto); err != nil {
				t.Fatal(err)
			}
		}
		get.Get("idle", true)
	}
	auto, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := auto.Consume("idle", "auto-tag", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	send("", "idle", false)
	s.read(conn, func() { send("", "stream", false) })
	return conn
}

// read has a reader on the stream, which holds a message and has acknowledged one.
func (s *site) read(conn *amqp.Connection, send func()) {
	t := s.t
	send()
	send()
	ch, err := conn.Channel()
	if err == nil {
		err = ch.Qos(5, 0, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := ch.Consume("stream", "stream-tag", false, false, false, false, amqp.Table{"x-stream-offset": "first"})
	if err != nil {
		t.Fatal(err)
	}
	(<-got).Ack(false)
	<-got
}

// settled waits until statistics say what the traffic was.
func (s *site) settled() {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		var q struct {
			Stats struct {
				Ack     int       `json:"ack"`
				Details *struct{} `json:"publish_details"`
			} `json:"message_stats"`
			Messages int `json:"messages"`
		}
		var conns []struct {
			SendOct int `json:"send_oct"`
		}
		var over struct {
			Stats struct {
				Drop int `json:"drop_unroutable"`
			} `json:"message_stats"`
		}
		json.Unmarshal(s.must("GET", "/queues/shop/work", ""), &q)
		json.Unmarshal(s.must("GET", "/connections", ""), &conns)
		json.Unmarshal(s.must("GET", "/overview", ""), &over)
		var chans []struct {
			IdleSince string `json:"idle_since"`
		}
		var vhost struct {
			Details struct{ Samples []any } `json:"recv_oct_details"`
		}
		json.Unmarshal(s.must("GET", "/channels?sort=name", ""), &chans)
		json.Unmarshal(s.must("GET", "/vhosts/shop"+ages, ""), &vhost)
		if q.Stats.Ack > 0 && q.Stats.Details != nil && q.Messages > 0 && len(conns) == 1 && conns[0].SendOct > 0 &&
			over.Stats.Drop > 0 && len(chans) > 0 && chans[0].IdleSince != "" && len(vhost.Details.Samples) > 0 {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	s.t.Fatal("statistics have not settled")
}

// shapes looks at every GET.
func (s *site) shapes() map[string]shape {
	var over struct{ Node string }
	json.Unmarshal(s.must("GET", "/overview", ""), &over)
	var rows []struct{ Name string }
	json.Unmarshal(s.must("GET", "/connections", ""), &rows)
	conn := url.PathEscape(rows[0].Name)
	rows = nil
	json.Unmarshal(s.must("GET", "/channels?sort=name", ""), &rows)
	node, channel, consuming := url.PathEscape(over.Node), url.PathEscape(rows[0].Name), url.PathEscape(rows[1].Name)
	fill := strings.NewReplacer("{node}", node, "{connection}", conn, "{channel}", channel, "{consuming}", consuming, "{ages}", ages)
	out := map[string]shape{}
	for line := range strings.FieldsSeq(shapePaths) {
		raw, code := s.send("GET", fill.Replace(line), "")
		sh := shape{"": fmt.Sprint(code)}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil && len(raw) > 0 {
			s.t.Errorf("%s: %v", line, err)
		}
		sub := shape{}
		sub.walk("$", v)
		maps.Copy(sh, sub)
		out[line] = sh
	}
	return out
}

// shapePaths are the GETs of 3.10.8.
const shapePaths = `
/overview /overview{ages} /cluster-name /nodes /nodes/{node} /nodes/{node}?memory=true&binary=true /nodes/{node}/memory
/nodes/{node}/memory/relative /extensions /definitions /definitions/shop /all-configuration /feature-flags /auth /whoami
/auth/attempts/{node} /connections /connections?page=1&page_size=10 /connections/{connection} /connections/{connection}{ages}
/connections/{connection}/channels /connections/username/guest /vhosts/shop/connections /vhosts/shop/channels
/channels /channels?page=1 /channels/{channel} /channels/{consuming} /channels/{channel}{ages} /consumers /consumers/shop
/exchanges /exchanges?page=1 /exchanges/shop /exchanges/shop/events /exchanges/shop/plain /exchanges/shop/events{ages}
/exchanges/shop/events/bindings/source /exchanges/shop/plain/bindings/destination
/queues /queues?page=1 /queues?disable_stats=true /queues?disable_stats=true&enable_queue_totals=true /queues/shop
/queues/shop/work /queues/shop/quorum /queues/shop/idle /queues/shop/stream /queues/shop/work{ages} /queues/shop/work/bindings
/queues?columns=name,message_stats.publish_details.rate
/bindings /bindings/shop /bindings/shop/e/events/q/work /bindings/shop/e/events/e/plain /bindings/shop/e/events/q/work/a.%2523
/vhosts /vhosts?page=1 /vhosts/shop /vhosts/%2F /vhosts/shop{ages} /vhosts/shop/permissions /vhosts/shop/topic-permissions
/users /users/anna /users/without-permissions /users/anna/permissions /users/anna/topic-permissions
/user-limits /user-limits/anna /vhost-limits /vhost-limits/shop /permissions /permissions/shop/anna
/topic-permissions /topic-permissions/shop/anna /parameters /parameters/vhost-limits /parameters/vhost-limits/shop
/parameters/vhost-limits/shop/limits /global-parameters /global-parameters/owner /policies /policies/shop /policies/shop/p
/operator-policies /operator-policies/shop /operator-policies/shop/o /aliveness-test/%2F /healthchecks/node
/health/checks/alarms /health/checks/local-alarms /health/checks/certificate-expiration/1/days /health/checks/port-listener/1
/health/checks/protocol-listener/amqp /health/checks/protocol-listener/mqtt /health/checks/virtual-hosts
/health/checks/node-is-quorum-critical /health/checks/node-is-mirror-sync-critical
`

// difference is a line of the list of differences: "extra PATHS FIELD | why". The
// kinds are extra (3.10.8 has no such field), missing, and type.
type difference struct {
	kind, paths, field, why string
	used                    bool
}

func readDifferences(t *testing.T) (out []*difference) {
	t.Helper()
	raw, err := os.ReadFile(shapesDifferent)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		what, why, ok := strings.Cut(line, " | ")
		f := strings.Fields(what)
		if !ok || len(f) != 3 || why == "" {
			t.Fatalf("%s: %q: want KIND PATHS FIELD | WHY", shapesDifferent, line)
		}
		out = append(out, &difference{kind: f[0], paths: f[1], field: f[2], why: why})
	}
	return out
}

// listed reports whether a difference is on the list.
func listed(ds []*difference, kind, at, field string) bool {
	for _, d := range ds {
		if d.kind != kind {
			continue
		}
		p, err := path.Match(strings.ReplaceAll(d.paths, "/", " "), strings.ReplaceAll(at, "/", " "))
		f, err2 := path.Match(d.field, strings.TrimLeft(strings.ReplaceAll(field, "[]", ""), "$."))
		if err == nil && err2 == nil && p && f {
			d.used = true
			return true
		}
	}
	return false
}

// TestShapes: for the same topology and traffic, each GET of 3.10.8 has the same
// fields of the same JSON types here; what differs is listed.
func TestShapes(t *testing.T) {
	s := &site{t: t, http: *shapesHTTP, amqp: *shapesAMQP}
	if s.http == "" {
		b := brokertest.Start(t, brokertest.InMemory(), brokertest.Management())
		s.http, s.amqp = b.ManagementURL(), b.Addr()
	}
	s.declare()
	s.traffic()
	s.settled()
	got := s.shapes()
	if *shapesHTTP != "" {
		raw, err := json.MarshalIndent(got, "", " ")
		if err == nil {
			err = os.WriteFile(shapesFile, append(raw, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	raw, err := os.ReadFile(shapesFile)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]shape
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&want); err != nil {
		t.Fatal(err)
	}
	ds := readDifferences(t)
	for _, at := range slices.Sorted(maps.Keys(want)) {
		compareShapes(t, ds, at, got[at], want[at])
	}
	for _, d := range ds {
		if !d.used {
			t.Errorf("%s: %s %s %s is no difference", shapesDifferent, d.kind, d.paths, d.field)
		}
	}
}

func compareShapes(t *testing.T, ds []*difference, at string, got, want shape) {
	for _, f := range slices.Sorted(maps.Keys(want)) {
		g, ok := got[f]
		switch {
		case !ok:
			if !parentMissing(got, f) && !listed(ds, "missing", at, f) {
				t.Errorf("missing %s %s (%s)", at, f, want[f])
			}
		case !within(g, want[f]) && !listed(ds, "type", at, f):
			t.Errorf("type %s %s is %s, of RabbitMQ %s", at, f, g, want[f])
		}
	}
	for _, f := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[f]; !ok && !parentMissing(want, f) && !listed(ds, "extra", at, f) {
			t.Errorf("extra %s %s (%s)", at, f, got[f])
		}
	}
}

// parentMissing: what a field belongs to is missing, and is reported itself.
func parentMissing(s shape, field string) bool {
	i := strings.LastIndex(strings.TrimSuffix(field, "[]"), ".")
	if strings.HasSuffix(field, "[]") {
		i = len(field) - 2
	}
	if i <= 0 {
		return false
	}
	_, ok := s[field[:i]]
	return !ok
}

// within: every type of ours is one of RabbitMQ's.
func within(ours, theirs string) bool {
	for k := range strings.SplitSeq(ours, "|") {
		if !slices.Contains(strings.Split(theirs, "|"), k) {
			return false
		}
	}
	return true
}

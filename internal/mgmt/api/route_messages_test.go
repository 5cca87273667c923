package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

type noOutlet struct{}

func (noOutlet) Deliver(*queueproc.Consumer, queueproc.Delivery, *message.Message) {}
func (noOutlet) Flush() bool                                                       { return false }
func (noOutlet) Cancel(*queueproc.Consumer)                                        {}
func (noOutlet) Confirm(uint64, bool)                                              {}
func (noOutlet) Refuse(uint64)                                                     {}
func (noOutlet) Overdue() bool                                                     { return false }

// fill declares queues and publishes to the first.
func (f *fixture) fill(messages []message.Message, queues ...string) {
	f.t.Helper()
	c, err := f.broker.Connect(broker.ClientInfo{ID: "fill", User: "guest", VHost: "/"})
	if err != nil {
		f.t.Fatal(err)
	}
	defer c.Close()
	for _, q := range queues {
		if _, err := c.DeclareQueue(broker.QueueSpec{Name: q, Durable: true}); err != nil {
			f.t.Fatal(err)
		}
	}
	ch := c.NewChannel(noOutlet{})
	for i := range messages {
		messages[i].RoutingKey = []byte(queues[0])
		if _, err := ch.Publish(&messages[i]); err != nil {
			f.t.Fatal(err)
		}
	}
	c.Flush()
	ch.Close()
}

func props(p wire.Properties) []byte { return p.Append(nil) }

// A look into a queue, what can be done with what is seen, and what is refused.
func TestMessagesOverHTTP(t *testing.T) {
	f := newFixture(t)
	f.fill([]message.Message{
		{Props: props(wire.Properties{DeliveryMode: 2, CorrelationID: "c1", Headers: wire.Table{{Key: "tenant", Value: wire.String("blue")}}}), Body: []byte(`{"n":1}`)},
		{Props: props(wire.Properties{Expiration: "3600000"}), Body: []byte{0xff, 0xfe, 1}},
		{Props: props(wire.Properties{}), Body: []byte(strings.Repeat("é", 10))},
	}, "q", "other")
	const q = "/queues/%2F/q/messages"
	for _, c := range []struct{ method, path, body, want string }{
		{"GET", q + "?columns=total,more,items.payload,items.payload_encoding,items.truncated&truncate=7", "",
			`200 {"items":[{"payload":"{\"n\":1}","payload_encoding":"string","truncated":false},{"payload":"//4B","payload_encoding":"base64","truncated":false},{"payload":"ééé","payload_encoding":"string","truncated":true}],"more":false,"total":3}`},
		{"GET", q + "?columns=items.seq,items.properties&header=tenant=blue", "",
			`200 {"items":[{"properties":{"correlation_id":"c1","delivery_mode":2,"headers":{"tenant":"blue"}},"seq":1}]}`},
		{"GET", q + "?columns=items.seq,next&offset=1&count=1", "", `200 {"items":[{"seq":2}],"next":2}`},
		{"GET", q + "/3?columns=seq,state,payload_bytes,routing_key", "", `200 {"payload_bytes":20,"routing_key":"q","seq":3,"state":"ready"}`},
		{"GET", q + "/99", "", `404 {"error":"Object Not Found","reason":"Not Found"}`},
		{"GET", q + "/x", "", `404 {"error":"Object Not Found","reason":"Not Found"}`},
		{"GET", "/queues/%2F/nope/messages", "", `404 {"error":"Object Not Found","reason":"Not Found"}`},
		{"GET", q + "?count=-1", "", `400 {"error":"bad_request","reason":"count: a number from 0 to 500 is wanted, not \"-1\""}`},
		{"GET", q + "?state=gone", "", `400 {"error":"bad_request","reason":"state: ready, unacked or all is wanted, not \"gone\""}`},
		{"POST", q + "/actions", `{"action":"move","seqs":[1]}`, `400 {"error":"bad_request","reason":"to move messages a destination is needed"}`},
		{"POST", q + "/actions", `{"action":"burn"}`, `400 {"error":"bad_request","reason":"unknown action 'burn': move, copy, delete or return"}`},
		{"POST", q + "/actions", `{}`, `400 {"error":"bad_request","reason":"[{key_missing,action}]"}`},
		{"POST", q + "/actions", `{"action":"move","filter":{},"destination":{"queue":"nope"}}`, `404 {"error":"not_found","reason":"no queue 'nope' in vhost '/'"}`},
		{"POST", q + "/actions", `{"action":"move","filter":{},"destination":{"queue":"a","exchange":"b"}}`, `400 {"error":"bad_request","reason":"the destination is a queue, or an exchange with a routing key, not both"}`},
		{"POST", q + "/actions", `{"action":"copy","filter":{"property":{"correlation_id":"c1"}},"destination":{"queue":"other"}}`, `200 {"matched":1,"done":1,"failed":0}`},
		{"POST", q + "/actions", `{"action":"move","seqs":[3],"destination":{"queue":"other"}}`, `200 {"matched":1,"done":1,"failed":0}`},
		{"POST", q + "/actions", `{"action":"move","seqs":[2],"destination":{"exchange":"amq.fanout","routing_key":"x"}}`, `200 {"matched":1,"done":0,"failed":1,"reason":"no queue takes the message"}`},
		{"POST", q + "/actions", `{"action":"return","filter":{}}`, `200 {"matched":2,"done":0,"failed":2,"reason":"the message is no dead letter"}`},
		{"POST", q + "/2/edit", `{"properties":{"type":"t","headers":{"n":1,"l":[true,null,"x",{"a":1.5}]}},"payload":"aGk=","payload_encoding":"base64"}`, `204 `},
		{"POST", q + "/2/edit", `{"properties":{},"payload":""}`, `404 {"error":"not_found","reason":"no ready message 2 in queue 'q' in vhost '/'"}`},
		{"POST", q + "/1/edit", `{"properties":{"priority":300},"payload":""}`, `400 {"error":"bad_request","reason":"priority is 300, not in 0 … 255"}`},
		{"POST", q + "/1/edit", `{"properties":{},"payload":"?","payload_encoding":"base64"}`, `400 {"error":"bad_request","reason":"the payload is not base64: illegal base64 data at input byte 0"}`},
		{"GET", q + "?columns=items.payload,items.properties", "",
			`200 {"items":[{"payload":"{\"n\":1}","properties":{"correlation_id":"c1","delivery_mode":2,"headers":{"tenant":"blue"}}},{"payload":"hi","properties":{"headers":{"l":[true,null,"x",{"a":1.5}],"n":1},"type":"t"}}]}`},
		{"GET", "/queues/%2F/other/messages?columns=items.payload_bytes", "", `200 {"items":[{"payload_bytes":7},{"payload_bytes":20}]}`},
		{"POST", q + "/actions", `{"action":"delete"}`, `400 {"error":"bad_request","reason":"seqs or a filter is needed; the filter {} is for all messages"}`},
		{"POST", q + "/actions", `{"action":"delete","seqs":null,"filter":null}`, `400 {"error":"bad_request","reason":"seqs or a filter is needed; the filter {} is for all messages"}`},
		{"POST", q + "/actions", `{"action":"delete","seq":[1],"filter":{}}`, `400 {"error":"bad_request","reason":"unknown field \"seq\""}`},
		{"POST", q + "/actions", `{"action":"delete","filter":{"headers":{"a":"b"}}}`, `400 {"error":"bad_request","reason":"unknown field \"headers\""}`},
		{"POST", q + "/actions", `{"action":"delete","seqs":[]}`, `200 {"matched":0,"done":0,"failed":0}`},
		{"POST", q + "/actions", `{"action":"delete","filter":{}}`, `200 {"matched":2,"done":2,"failed":0}`},
	} {
		status, body := f.do(c.method, c.path, c.body)
		if got := fmt.Sprint(status, " ", body); !sameAnswer(got, c.want) {
			t.Errorf("%s %s %s\n got %s\nwant %s", c.method, c.path, c.body, got, c.want)
		}
	}
}

// sameAnswer compares statuses and the bodies as JSON.
func sameAnswer(got, want string) bool {
	gs, gb, _ := strings.Cut(got, " ")
	ws, wb, _ := strings.Cut(want, " ")
	var g, w any
	if gs != ws || json.Unmarshal([]byte(gb), &g) != nil || json.Unmarshal([]byte(wb), &w) != nil {
		return got == want
	}
	a, _ := json.Marshal(g)
	b, _ := json.Marshal(w)
	return string(a) == string(b)
}

// Who may not read a queue does not see its messages; who may not write to an
// exchange cannot move messages through it.
func TestMessagesNeedPermissions(t *testing.T) {
	f := newFixture(t)
	f.fill([]message.Message{{Body: []byte("m")}}, "q", "secret")
	f.addUser("reader", "management")
	if _, err := f.broker.Do(broker.Actor{}, &meta.SetPermissions{User: "reader", VHost: "/", Read: "^q$", Write: "^amq\\.fanout$", Configure: ""}); err != nil {
		t.Fatal(err)
	}
	f.user, f.password = "reader", "reader"
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/queues/%2F/q/messages", "", 200},
		{"GET", "/queues/%2F/secret/messages", "", 401},
		{"POST", "/queues/%2F/q/messages/actions", `{"action":"move","filter":{},"destination":{"queue":"secret"}}`, 401},
		{"POST", "/queues/%2F/q/messages/actions", `{"action":"return","filter":{}}`, 401},
		{"POST", "/queues/%2F/q/messages/1/edit", `{"properties":{},"payload":""}`, 401},
		{"POST", "/queues/%2F/q/messages/actions", `{"action":"copy","filter":{},"destination":{"exchange":"amq.fanout"}}`, 200},
		{"POST", "/queues/%2F/q/messages/actions", `{"action":"delete","filter":{}}`, 200},
	} {
		if status, body := f.do(c.method, c.path, c.body); status != c.status {
			t.Errorf("%s %s %s: %d %s, want %d", c.method, c.path, c.body, status, body, c.status)
		}
	}
}

func TestTablesFromJSON(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	for _, c := range []struct{ in, want string }{
		{``, `{}`}, {`null`, `{}`}, {`[]`, `{}`}, {`{}`, `{}`},
		{`{"b":true,"a":-1}`, `{"a":-1,"b":true}`},
		{`{"n":9223372036854775807,"f":9223372036854775808}`, `{"f":9223372036854776000,"n":9223372036854775807}`},
		{`"x"`, ``}, {`{"a":1e999}`, ``}, {`{"a":`, ``}, {deep, ``},
		{`{"` + strings.Repeat("k", 256) + `":1}`, ``},
	} {
		table, err := tableOf(json.RawMessage(c.in))
		if err != nil {
			if c.want != "" {
				t.Errorf("%.60s: %v", c.in, err)
			}
			continue
		}
		if got, _ := json.Marshal(jsonTable(table)); string(got) != c.want {
			t.Errorf("%.60s: %s, want %s", c.in, got, c.want)
		}
	}
	var _ apitype.Object = jsonTable(nil)
}

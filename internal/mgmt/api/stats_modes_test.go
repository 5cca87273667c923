package api

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/stats"
)

// worked is an API over a broker that has done something: a queue q with three
// messages, of which the last was published a second ago.
func worked(t *testing.T, c Config, o stats.Options) *fixture {
	now := time.Unix(1_700_000_000, 0)
	f := newFixture(t, func(d *Deps) {
		d.Config.RatesMode, d.Config.DisableStats, d.Config.QueueTotals = c.RatesMode, c.DisableStats, c.QueueTotals
		o.Broker, o.Now = d.Broker, func() time.Time { return now }
		d.Stats = stats.New(o)
	})
	w := &watched{info: broker.SessionInfo{Name: "c", UserName: "guest", VHost: "/", Opened: true}}
	client, err := f.broker.Connect(broker.ClientInfo{ID: "c", User: "guest", VHost: "/"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	w.info.Client = client
	f.broker.Enter(w)
	ch := client.NewChannel(watchedChannel{w})
	if _, err := client.DeclareQueue(broker.QueueSpec{Name: "q"}); err != nil {
		t.Fatal(err)
	}
	f.api.Stats.Sample()
	for range 3 {
		if _, err := ch.Publish(&message.Message{RoutingKey: []byte("q"), Props: []byte{0, 0}, Body: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	client.Settle()
	now = now.Add(time.Second)
	f.api.Stats.Sample()
	return f
}

// has reports whether an answer has a field, however deep.
func has(v any, field string) bool {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v[field]; ok {
			return true
		}
		for _, x := range v {
			if has(x, field) {
				return true
			}
		}
	case []any:
		for _, x := range v {
			if has(x, field) {
				return true
			}
		}
	}
	return false
}

func (f *fixture) json(path string) (v any) {
	f.t.Helper()
	code, body := f.do("GET", path, "")
	if code != 200 {
		f.t.Fatalf("%s: %d %s", path, code, body)
	}
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		f.t.Fatal(err)
	}
	return v
}

// With rates_mode = none no answer has rates of messages; lengths stay, as in
// RabbitMQ 3.10.8.
func TestRatesModeNone(t *testing.T) {
	paths := []string{"/overview", "/queues", "/queues/%2F/q", "/queues?sort=message_stats.publish_details.rate", "/exchanges", "/exchanges/%2F/amq.default", "/channels", "/channels?sort=message_stats.publish_details.rate", "/vhosts", "/vhosts/%2F"}
	for _, mode := range []string{"basic", "none"} {
		f := worked(t, Config{RatesMode: mode}, stats.Options{})
		for _, p := range paths {
			if got := has(f.json(p), "publish_details") || has(f.json(p), "publish_in_details"); got != (mode == "basic") {
				t.Errorf("%s: %s has rates: %v", mode, p, got)
			}
		}
		f.want("GET", "/overview?columns=rates_mode,queue_totals.messages,queue_totals.messages_details.rate", "",
			`200 {"rates_mode":"`+mode+`","queue_totals":{"messages":3,"messages_details":{"rate":3}}}`)
	}
	f := worked(t, Config{RatesMode: "none"}, stats.Options{})
	f.want("GET", "/overview?columns=message_stats", "", `200 {"message_stats":{"disk_reads":0,"disk_reads_details":{"rate":0},"disk_writes":0,"disk_writes_details":{"rate":0}}}`)
	f.want("GET", "/queues?columns=name,messages,message_stats", "", `200 [{"name":"q","messages":3}]`)
}

// What the configuration takes away a request does not bring back; the node's
// own tools are told everything.
func TestStatsOff(t *testing.T) {
	const off = `400 {"error":"bad_request","reason":"Stats in management UI are disabled on this node"}`
	f := worked(t, Config{DisableStats: true}, stats.Options{})
	few := "?columns=name,messages,consumers,message_stats"
	f.want("GET", "/queues"+few, "", `200 [{"name":"q"}]`)
	f.want("GET", "/queues"+few+"&disable_stats=false", "", `200 [{"name":"q"}]`)
	f.want("GET", "/queues"+few+"&enable_queue_totals=true", "", `200 [{"name":"q","messages":3}]`)
	f.want("GET", "/consumers", "", off)
	f.want("GET", "/consumers/%2F", "", off)
	f.want("GET", "/overview?columns=disable_stats,enable_queue_totals,object_totals,queue_totals,message_stats,churn_rates,listeners", "",
		`200 {"disable_stats":true,"enable_queue_totals":false,"object_totals":{"connections":1,"exchanges":7,"queues":1}}`)
	r := f.request("GET", "/api/queues"+few, "")
	resp := f.send(r.WithContext(OverSocket(r.Context())))
	if raw, _ := io.ReadAll(resp.Body); !strings.Contains(string(raw), `"messages":3`) || !strings.Contains(string(raw), `"publish":3`) {
		t.Errorf("over the socket: %s", raw)
	}
	f = worked(t, Config{DisableStats: true, QueueTotals: true}, stats.Options{})
	f.want("GET", "/queues"+few, "", `200 [{"name":"q","messages":3}]`)
	f.want("GET", "/overview?columns=disable_stats,enable_queue_totals", "", `200 {"disable_stats":true,"enable_queue_totals":true}`)
	f = worked(t, Config{QueueTotals: true}, stats.Options{})
	f.want("GET", "/overview?columns=disable_stats,enable_queue_totals,queue_totals.messages", "", `200 {"disable_stats":false,"enable_queue_totals":true,"queue_totals":{"messages":3}}`)
}

// The ranges that charts can have are told as RabbitMQ tells them.
func TestRetentionIsTold(t *testing.T) {
	f := worked(t, Config{}, stats.Options{})
	f.want("GET", "/overview?columns=sample_retention_policies", "", `200 {"sample_retention_policies":{"basic":[600,3600],"detailed":[600,3600],"global":[600,3600,28800,86400]}}`)
	f = worked(t, Config{}, stats.Options{Retention: stats.Retention{Global: []stats.Span{{Age: 605, Step: 5}, {Age: 2000, Step: 60}, {Age: 29400, Step: 600}}, Basic: []stats.Span{{Age: 60, Step: 5}}}})
	f.want("GET", "/overview?columns=sample_retention_policies", "", `200 {"sample_retention_policies":{"basic":[60],"detailed":[60],"global":[600,0,28800]}}`)
}

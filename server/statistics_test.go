package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// ask asks the management API for a path below /api.
func ask(t testing.TB, s *Server, path string) any {
	t.Helper()
	addr := ""
	for _, l := range s.Listeners() {
		if l.Protocol == ProtocolHTTP {
			addr = fmt.Sprintf("%s:%d", l.Address, l.Port)
		}
	}
	rq, err := http.NewRequest("GET", "http://"+addr+"/api/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	rq.SetBasicAuth("guest", "guest")
	resp, err := http.DefaultClient.Do(rq)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("GET %s: %v %d %s", path, err, resp.StatusCode, raw)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return v
}

// traffic does what the recording's client did: a connection with a publisher
// and a consumer, a classic and a quorum queue, messages that no queue takes.
func traffic(t testing.TB, s *Server) (connection string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	conn, err := amqp.DialConfig("amqp://guest:guest@"+s.Addrs()[0].String()+"/", amqp.Config{
		Heartbeat: 60 * time.Second, Properties: amqp.Table{"connection_name": "shape", "capabilities": amqp.Table{"basic.nack": true}}})
	must(err)
	t.Cleanup(func() { conn.Close() })
	ch, err := conn.Channel()
	must(err)
	must(ch.Confirm(false))
	returned := ch.NotifyReturn(make(chan amqp.Return, 100))
	_, err = ch.QueueDeclare("shape.q", true, false, false, false, amqp.Table{"x-max-length": 100000})
	must(err)
	must(ch.ExchangeDeclare("shape.x", "topic", false, false, false, false, nil))
	must(ch.QueueBind("shape.q", "a.#", "shape.x", false, nil))
	_, err = ch.QueueDeclare("shape.qq", true, false, false, false, amqp.Table{"x-queue-type": "quorum"})
	must(err)
	ch2, err := conn.Channel()
	must(err)
	must(ch2.Qos(10, 0, false))
	deliveries, err := ch2.Consume("shape.q", "", false, false, false, false, nil)
	must(err)
	publish := func(exchange, key string, mandatory bool) {
		t.Helper()
		c, err := ch.PublishWithDeferredConfirmWithContext(context.Background(), exchange, key, mandatory, false,
			amqp.Publishing{DeliveryMode: 2, Timestamp: time.Now(), Body: make([]byte, 100)})
		must(err)
		c.Wait()
	}
	for range 20 {
		publish("shape.x", "a.b", false)
		publish("", "shape.qq", false)
		publish("", "nowhere", false)
		publish("", "nowhere", true)
		<-returned
		for range 2 {
			_, _, err := ch.Get("shape.qq", true)
			must(err)
		}
	}
	for i := range 20 {
		d := <-deliveries
		if i == 3 {
			must(d.Nack(false, true))
			d = <-deliveries
		}
		must(d.Ack(false))
	}
	_, err = ch2.QueueDeclarePassive("shape.q", true, false, false, false, nil) // the acks are through
	must(err)
	return conn.LocalAddr().String() + " -> " + s.Addrs()[0].String()
}

// shapes adds the paths in v with the kinds of their values: object, list,
// string, number, boolean, 0 for null.
func shapes(v any, path string, out map[string]string) {
	kind := "0"
	switch v := v.(type) {
	case map[string]any:
		kind = "o"
		for k, x := range v {
			for _, free := range []string{"arguments", "client_properties", "cluster_state", "open_files"} {
				if strings.HasSuffix(path, free) {
					k = "*"
				}
			}
			shapes(x, path+"."+k, out)
		}
	case []any:
		kind = "l"
		for _, x := range v {
			shapes(x, path+"[]", out)
		}
	case string:
		kind = "s"
	case float64:
		kind = "n"
	case bool:
		kind = "b"
	}
	if !strings.Contains(out[path], kind) {
		kinds := []byte(out[path] + kind)
		slices.Sort(kinds)
		out[path] = string(kinds)
	}
}

// recorded reads the shapes of RabbitMQ's answers, by request.
func recorded(t *testing.T) map[string]map[string]string {
	t.Helper()
	raw, err := os.ReadFile("testdata/shapes-3.10.8.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]string{}
	for line := range strings.Lines(string(raw)) {
		path, kinds, _ := strings.Cut(strings.TrimSpace(line), " ")
		request := path
		if i := strings.IndexAny(path, ".["); i > 0 && !strings.Contains(path, "/%2F/") {
			request = path[:i]
		} else if strings.Contains(path, "/%2F/") {
			request = "" // the name has dots of its own
			for _, r := range []string{"queues/%2F/shape.qq", "queues/%2F/shape.q", "exchanges/%2F/shape.x", "exchanges/%2F/amq.default"} {
				if strings.HasPrefix(path, r) {
					request = r
					break
				}
			}
		}
		if out[request] == nil {
			out[request] = map[string]string{}
		}
		out[request][path] = kinds
	}
	return out
}

// different are paths whose difference from RabbitMQ 3.10.8 is meant.
func different(path string) bool {
	for _, p := range []string{
		"socket_opts",        // Erlang's
		"config_files[]",     // there is none in the test
		"log_files[]",        // nor a log
		"peer_cert_", "ssl_", // null in lists and alone; RabbitMQ says "" alone
		"client_properties.", "arguments.", // the client's, and newer releases note the type of queues in them
		"enable_queue_totals=true[].", // exclusive is a boolean for quorum queues, too
	} {
		if strings.Contains(path, p) {
			return true
		}
	}
	return false
}

// Each GET of statistics has the fields that RabbitMQ 3.10.8 has, of the same
// types. Fields beyond those are additions.
func TestShapesOfStatistics(t *testing.T) {
	s := start(t, func(c *Config) { c.StatisticsInterval = 20 * time.Millisecond })
	conn := url.PathEscape(traffic(t, s))
	node := s.Config().NodeName
	at := map[string]string{
		"connection": "connections/" + conn, "channel": "channels/" + conn + "%20%282%29", "connection-channels": "connections/" + conn + "/channels",
		"node": "nodes/" + node + "?memory=true", "memory-relative": "nodes/" + node + "/memory/relative",
	}
	for request, want := range recorded(t) {
		t.Run(request, func(t *testing.T) {
			path := at[request]
			if path == "" {
				path = request
			}
			// Some fields come with the second sample.
			var missing []string
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				missing = compare(ask(t, s, path), request, want)
				if len(missing) == 0 || time.Now().After(deadline) {
					break
				}
			}
			for _, m := range missing {
				t.Error(m)
			}
		})
	}
}

func compare(v any, request string, want map[string]string) (bad []string) {
	got := map[string]string{}
	shapes(v, request, got)
	for _, path := range slices.Sorted(maps.Keys(want)) {
		kinds := want[path]
		switch have, ok := got[path]; {
		case different(path):
		case !ok:
			bad = append(bad, "missing: "+path)
		case strings.Trim(have, "0") != strings.Trim(kinds, "0") && have != "0" && kinds != "0":
			bad = append(bad, path+" is "+have+", RabbitMQ's "+kinds)
		}
	}
	return bad
}

// The numbers are those of what happened.
func TestStatistics(t *testing.T) {
	s := start(t, func(c *Config) { c.StatisticsInterval = 20 * time.Millisecond })
	conn := url.PathEscape(traffic(t, s))
	field := func(v any, path string) any {
		for k := range strings.SplitSeq(path, ".") {
			m, _ := v.(map[string]any)
			v = m[k]
		}
		return v
	}
	for _, c := range []struct {
		path, field string
		want        any
	}{
		{"overview", "object_totals.connections", 1.0},
		{"overview", "object_totals.channels", 2.0},
		{"overview", "object_totals.consumers", 1.0},
		{"overview", "object_totals.queues", 2.0},
		{"overview", "object_totals.exchanges", 8.0},
		{"overview", "message_stats.publish", 80.0},
		{"overview", "message_stats.confirm", 80.0},
		{"overview", "message_stats.drop_unroutable", 20.0},
		{"overview", "message_stats.return_unroutable", 20.0},
		{"overview", "message_stats.ack", 20.0},
		{"overview", "message_stats.deliver", 21.0},
		{"overview", "message_stats.redeliver", 1.0},
		{"overview", "message_stats.get_no_ack", 20.0},
		{"overview", "message_stats.get_empty", 20.0},
		{"overview", "message_stats.deliver_get", 41.0},
		{"overview", "queue_totals.messages", 0.0},
		{"overview", "churn_rates.queue_declared", 2.0},
		{"vhosts/%2F", "message_stats.publish", 80.0},
		{"queues/%2F/shape.q", "message_stats.publish", 20.0},
		{"queues/%2F/shape.q", "message_stats.ack", 20.0},
		{"queues/%2F/shape.q", "arguments.x-max-length", 100000.0},
		{"queues/%2F/shape.q", "consumers", 1.0},
		{"queues/%2F/shape.qq", "message_stats.get_empty", 20.0},
		{"exchanges/%2F/shape.x", "message_stats.publish_in", 20.0},
		{"exchanges/%2F/shape.x", "message_stats.publish_out", 20.0},
		{"exchanges/%2F/amq.default", "message_stats.publish_in", 60.0},
		{"exchanges/%2F/amq.default", "message_stats.publish_out", 20.0},
		{"channels/" + conn + "%20%281%29", "message_stats.publish", 80.0},
		{"channels/" + conn + "%20%281%29", "confirm", true},
		{"channels/" + conn + "%20%281%29", "message_stats.get_no_ack", 20.0},
		{"channels/" + conn + "%20%282%29", "message_stats.ack", 20.0},
		{"channels/" + conn + "%20%282%29", "prefetch_count", 10.0},
		{"channels/" + conn + "%20%282%29", "consumer_count", 1.0},
		{"connections/" + conn, "user_provided_name", "shape"},
		{"connections/" + conn, "state", "running"},
		{"connections/" + conn, "channels", 2.0},
		{"connections/" + conn, "timeout", 60.0},
	} {
		got := field(ask(t, s, c.path), c.field)
		for deadline := time.Now().Add(5 * time.Second); got != c.want && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			got = field(ask(t, s, c.path), c.field) // sums are not made for each request
		}
		if got != c.want {
			t.Errorf("%s: %s is %v, want %v", c.path, c.field, got, c.want)
		}
	}
	parts, sum := ask(t, s, "nodes/"+s.Config().NodeName+"/memory").(map[string]any)["memory"].(map[string]any), 0.0
	for k, v := range parts {
		if n, ok := v.(float64); ok && k != "total" {
			sum += n
		}
	}
	if total := parts["total"].(map[string]any); sum != total["allocated"] || total["rss"].(float64) < 1<<20 {
		t.Errorf("the parts of the memory add up to %v: %v", sum, total)
	}
}

// Why says what keeps a queue's consumers from messages.
func TestWhy(t *testing.T) {
	s := start(t, func(c *Config) { c.StatisticsInterval = time.Hour })
	_, ch := open(t, s)
	want := func(queue, verdict string, codes ...string) {
		t.Helper()
		var got []string
		w := ask(t, s, "queues/%2F/"+queue+"/why").(map[string]any)
		for _, r := range w["reasons"].([]any) {
			got = append(got, r.(map[string]any)["code"].(string))
		}
		if w["verdict"] != verdict || !slices.Equal(got, codes) {
			t.Errorf("%s: %v", queue, w)
		}
	}
	publish := func(queue string, n int) {
		t.Helper()
		for range n {
			if err := ch.Publish("", queue, false, false, amqp.Publishing{Body: []byte("x")}); err != nil {
				t.Fatal(err)
			}
		}
	}
	declare := func(queue string, args amqp.Table) {
		t.Helper()
		if _, err := ch.QueueDeclare(queue, false, false, false, false, args); err != nil {
			t.Fatal(err)
		}
	}
	consume := func(queue, tag string) <-chan amqp.Delivery {
		t.Helper()
		d, err := ch.Consume(queue, tag, false, false, false, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	declare("q", nil)
	want("q", "empty", "queue_empty", "nothing_published")
	publish("q", 3)
	declare("q", nil) // after the publishes
	want("q", "no_consumers", "no_consumers")
	if err := ch.Qos(1, 0, false); err != nil {
		t.Fatal(err)
	}
	d := <-consume("q", "one")
	want("q", "hindered", "prefetch_full")
	if err := d.Ack(true); err != nil {
		t.Fatal(err)
	}
	declare("sac", amqp.Table{"x-single-active-consumer": true})
	publish("sac", 2)
	first := consume("sac", "first")
	consume("sac", "second")
	<-first
	want("sac", "hindered", "prefetch_full", "single_active_waiting")
}

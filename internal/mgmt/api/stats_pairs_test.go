package api

import (
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/stats"
)

// givenChannel is a watchedChannel that was given messages of a queue.
type givenChannel struct {
	watchedChannel
	q   *queueproc.Queue
	got broker.Received
}

func (c *givenChannel) ByQueue(f func(*queueproc.Queue, broker.Received)) {
	if c.q != nil {
		f(c.q, c.got)
	}
}

// The answers have the fields of RabbitMQ 3.10.8 with the same publishes, but
// for drop_unroutable, which stays 0 there.
func TestPairs(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	f := newFixtureOn(t, broker.Config{Detailed: true}, func(d *Deps) {
		d.Config.RatesMode = "detailed"
		d.Stats = stats.New(stats.Options{Broker: d.Broker, Detailed: true, Now: func() time.Time { return now }})
	})
	w := &watched{info: broker.SessionInfo{Name: "c", UserName: "guest", VHost: "/", PeerHost: "10.0.0.1", PeerPort: 4000, Opened: true}, ch: broker.ChannelInfo{Number: 1, Confirm: true}}
	client, err := f.broker.Connect(broker.ClientInfo{ID: "c", User: "guest", VHost: "/"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w.info.Client = client
	f.broker.Enter(w)
	given := &givenChannel{watchedChannel: watchedChannel{w}}
	ch := client.NewChannel(given)
	if err := ch.SelectConfirm(); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"q", "r"} {
		if _, err := client.DeclareQueue(broker.QueueSpec{Name: q}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.broker.Do(broker.Actor{}, &meta.DeclareExchange{VHost: "/", Name: "fx", Type: "fanout"}); err != nil {
		t.Fatal(err)
	}
	for _, b := range []broker.BindSpec{{Source: "fx", Dest: "q"}, {Source: "fx", Dest: "r"}} {
		if err := client.Bind(b); err != nil {
			t.Fatal(err)
		}
	}
	publish := func(exchange, key string, n int) {
		t.Helper()
		for range n {
			routed, err := ch.Publish(&message.Message{Exchange: []byte(exchange), RoutingKey: []byte(key), Props: []byte{0, 0}, Body: []byte("x")})
			if err != nil {
				t.Fatal(err)
			}
			if !routed {
				ch.Unroutable(true)
				ch.Unrouted()
			}
		}
		client.Settle()
	}
	sample := func() {
		now = now.Add(5 * time.Second)
		f.api.Stats.Sample()
	}
	const none = `200 {"deliveries":[],"publishes":[]}`
	const pairs = "?columns=incoming,outgoing,publishes,deliveries"
	f.want("GET", "/channels/c%20(1)"+pairs, "", none)
	publish("", "q", 3)
	publish("", "nowhere", 1)
	publish("fx", "", 2)
	sample()
	publish("fx", "", 10)
	sample()

	fed := func(publish, confirm, returned, rate string) string {
		return `{"stats":{"publish":` + publish + `,"publish_details":{"rate":` + rate + `},"confirm":` + confirm + `,"confirm_details":{"rate":` + rate +
			`},"drop_unroutable":0,"drop_unroutable_details":{"rate":0},"return_unroutable":` + returned + `,"return_unroutable_details":{"rate":0}}`
	}
	flown := func(n, rate string) string {
		return `{"stats":{"publish":` + n + `,"publish_details":{"rate":` + rate + `}}`
	}
	const channel = `,"channel_details":{"connection_name":"c","name":"c (1)","node":"rabbit@here","number":1,"peer_host":"10.0.0.1","peer_port":4000,"user":"guest"}}`
	const byDefault, byFX = `,"exchange":{"name":"","vhost":"/"}}`, `,"exchange":{"name":"fx","vhost":"/"}}`

	f.want("GET", "/channels/c%20(1)"+pairs, "", `200 {"deliveries":[],"publishes":[`+fed("4", "4", "1", "0")+byDefault+`,`+fed("12", "12", "0", "2")+byFX+`]}`)
	f.want("GET", "/queues/%2F/q"+pairs, "", `200 {"deliveries":[],"incoming":[`+flown("3", "0")+byDefault+`,`+flown("12", "2")+byFX+`]}`)
	f.want("GET", "/queues/%2F/r"+pairs, "", `200 {"deliveries":[],"incoming":[`+flown("12", "2")+byFX+`]}`)
	f.want("GET", "/exchanges/%2F/amq.default"+pairs, "", `200 {"incoming":[`+fed("4", "4", "1", "0")+channel+`],"outgoing":[`+flown("3", "0")+`,"queue":{"name":"q","vhost":"/"}}]}`)
	f.want("GET", "/exchanges/%2F/fx"+pairs, "", `200 {"incoming":[`+fed("12", "12", "0", "2")+channel+`],"outgoing":[`+
		flown("12", "2")+`,"queue":{"name":"q","vhost":"/"}},`+flown("12", "2")+`,"queue":{"name":"r","vhost":"/"}}]}`)
	f.want("GET", "/exchanges/%2F/amq.topic"+pairs, "", `200 {"incoming":[],"outgoing":[]}`)
	f.want("GET", "/queues/%2F/r?columns=incoming&msg_rates_age=10&msg_rates_incr=5", "", `200 {"incoming":[{"stats":{"publish":12,"publish_details":{"rate":2,`+
		`"samples":[{"sample":12,"timestamp":1700000010000},{"sample":2,"timestamp":1700000005000},{"sample":2,"timestamp":1700000000000}],"avg_rate":1,"avg":5.333333333333333}}`+byFX+`]}`)
	f.want("GET", "/queues/%2F/r?columns=incoming&disable_stats=true", "", `200 {"incoming":[]}`)

	given.q, given.got = f.broker.VHost("/").Queue("q").Queue, broker.Received{Delivered: 5, Acked: 5}
	sample()
	given.got.Delivered += 10
	sample()
	const delivered = `{"stats":{"ack":5,"ack_details":{"rate":0},"deliver":15,"deliver_details":{"rate":2},"deliver_get":15,"deliver_get_details":{"rate":2},"deliver_no_ack":0,"deliver_no_ack_details":{"rate":0},` +
		`"get":0,"get_details":{"rate":0},"get_empty":0,"get_empty_details":{"rate":0},"get_no_ack":0,"get_no_ack_details":{"rate":0},"redeliver":0,"redeliver_details":{"rate":0}}`
	f.want("GET", "/channels/c%20(1)?columns=deliveries", "", `200 {"deliveries":[`+delivered+`,"queue":{"name":"q","vhost":"/"}}]}`)
	f.want("GET", "/queues/%2F/q?columns=deliveries", "", `200 {"deliveries":[`+delivered+channel+`]}`)

	ch.Close()
	if _, err := f.broker.DeleteQueueAs(broker.Actor{}, "/", "r", false, false); err != nil {
		t.Fatal(err)
	}
	sample()
	f.want("GET", "/exchanges/%2F/fx"+pairs, "", `200 {"incoming":[],"outgoing":[`+flown("12", "0")+`,"queue":{"name":"q","vhost":"/"}}]}`)
}

// In the other modes the lists are there, and empty.
func TestPairsInOtherModes(t *testing.T) {
	for _, mode := range []string{"basic", "none"} {
		f := worked(t, Config{RatesMode: mode}, stats.Options{})
		f.want("GET", "/channels/c%20(0)?columns=publishes", "", `200 {"publishes":[]}`)
		f.want("GET", "/queues/%2F/q?columns=incoming", "", `200 {"incoming":[]}`)
		f.want("GET", "/exchanges/%2F/amq.default?columns=incoming,outgoing", "", `200 {"incoming":[],"outgoing":[]}`)
	}
}

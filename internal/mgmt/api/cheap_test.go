package api

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/stats"
)

// A page of a sorted list is the same part of the whole list, sorted.
func TestPickIsAPartOfTheSorted(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		n := rnd.IntN(2000)
		vals := make([]int, n)
		for i := range vals {
			vals[i] = rnd.IntN(1 + rnd.IntN(2000))
		}
		if rnd.IntN(3) == 0 {
			slices.Sort(vals)
		}
		compare := func(i, j int) int { return cmp.Or(cmp.Compare(vals[i], vals[j]), cmp.Compare(i, j)) }
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		want := slices.Clone(order)
		slices.SortFunc(want, compare)
		from := rnd.IntN(n + 1)
		to := from + rnd.IntN(n+1-from)
		pick(order, from, to, compare)
		if !slices.Equal(order[from:to], want[from:to]) {
			t.Fatalf("%d to %d of %d: %v, want %v", from, to, n, order[from:to], want[from:to])
		}
		if slices.Sort(order); len(slices.Compact(order)) != n {
			t.Fatalf("some of %d are there twice", n)
		}
	}
}

// watched is a connection with a channel that are what the test says.
type watched struct {
	info broker.SessionInfo
	t    broker.Traffic
	ch   broker.ChannelInfo
}

func (w *watched) Info() broker.SessionInfo                                          { return w.info }
func (w *watched) VHost() (string, bool)                                             { return w.info.VHost, true }
func (w *watched) Traffic() broker.Traffic                                           { return w.t }
func (w *watched) Kick(broker.Kind, string)                                          {}
func (w *watched) Deliver(*queueproc.Consumer, queueproc.Delivery, *message.Message) {}
func (w *watched) Flush() bool                                                       { return false }
func (w *watched) Cancel(*queueproc.Consumer)                                        {}
func (w *watched) Confirm(uint64, bool)                                              {}
func (w *watched) Refuse(uint64)                                                     {}
func (w *watched) Overdue() bool                                                     { return false }

// watchedChannel is its channel.
type watchedChannel struct{ *watched }

func (w watchedChannel) Number() int                                     { return w.ch.Number }
func (w watchedChannel) Info() broker.ChannelInfo                        { return w.ch }
func (w watchedChannel) ByQueue(func(*queueproc.Queue, broker.Received)) {}

// What a list is sorted by without making the rows is what stands in the rows.
func TestCheapColumnsAreThoseOfTheRow(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	f := newFixture(t, func(d *Deps) {
		d.Stats = stats.New(stats.Options{Broker: d.Broker, Now: func() time.Time { return now }})
	})
	var all []*watched
	for i := range 3 {
		w := &watched{info: broker.SessionInfo{Name: fmt.Sprint("c", i), UserName: "guest", VHost: "/", Protocol: "AMQP 0-9-1", State: "running", Timeout: 10 * i,
			ConnectedAt: now, Opened: true}, ch: broker.ChannelInfo{Number: 7 - i, Prefetch: i, Unacked: 2 * i}}
		c, err := f.broker.Connect(broker.ClientInfo{ID: w.info.Name, User: "guest", VHost: "/"})
		if err != nil {
			t.Fatal(err)
		}
		w.info.Client = c
		f.broker.Enter(w)
		all = append(all, w)
		ch := c.NewChannel(watchedChannel{w})
		if i > 0 {
			if _, err := ch.Consume(broker.ConsumeSpec{Queue: "q0", Tag: "t"}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.DeclareQueue(broker.QueueSpec{Name: fmt.Sprint("q", i)}); err != nil {
			t.Fatal(err)
		}
		for k := range 3 {
			for range 5*i + k {
				if _, err := ch.Publish(&message.Message{RoutingKey: fmt.Append(nil, "q", i), Props: []byte{0, 0}, Body: make([]byte, 10*i)}); err != nil {
					t.Fatal(err)
				}
			}
			c.Settle()
			w.t.RecvBytes += uint64(100 * (i + k))
			w.t.SendBytes += uint64(50 * i)
			w.ch.Received.Delivered += uint64(k * i)
			now = now.Add(5 * time.Second)
			f.api.Stats.Sample()
		}
	}
	rq := &Request{Request: f.request("GET", "/api/x", ""), API: f.api, vars: map[string]string{}, User: auth.User{Name: "guest", Tags: []string{"administrator"}}}
	qs := f.broker.VHost("/").Queues()
	w := f.api.queueWriter(rq)
	for i, q := range qs {
		sameKeys(t, f.api, w.cheap(qs), i, w.row(q, &queueRow{}))
	}
	ss, v := rq.sessions(), f.api.viewOf(rq)
	if len(qs) != 3 || len(ss) != 3 {
		t.Fatalf("%d queues, %d connections", len(qs), len(ss))
	}
	for i := range ss {
		sameKeys(t, f.api, f.api.cheapConnections(ss, &v), i, f.api.connectionRow(&ss[i], &v))
		for n, r := range ss[i].channels() {
			sameKeys(t, f.api, f.api.cheapChannels(ss[i].channels(), &v), n, f.api.channelRow(&r, &v))
		}
	}
}

func sameKeys(t *testing.T, a *API, cheap map[string]func(int) Key, i int, row any) {
	t.Helper()
	for column, f := range cheap {
		if got, want := f(i), a.keyOf(reflect.ValueOf(row), strings.Split(column, ".")); got != want {
			t.Errorf("%s: %+v, in the row %+v", column, got, want)
		}
	}
}

// A long list comes in pieces, and is whole.
func TestLongList(t *testing.T) {
	f := newFixture(t)
	c, err := f.broker.Connect(broker.ClientInfo{ID: "c", User: "guest", VHost: "/"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const n = 1000
	for i := range n {
		if _, err := c.DeclareQueue(broker.QueueSpec{Name: fmt.Sprintf("q%04d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := http.NewRequest("GET", f.serve()+"/api/queues?sort=name&sort_reverse=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("guest", "guest")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	names := between(string(raw), `"name":"`, `"`)
	if resp.StatusCode != 200 || resp.ContentLength != -1 || len(raw) < 2*listPiece || raw[len(raw)-1] != ']' || len(names) != n || names[0] != "q0999" || names[n-1] != "q0000" {
		t.Errorf("status %d, length %d, %d bytes, %d queues, the last bytes %q", resp.StatusCode, resp.ContentLength, len(raw), len(names), raw[len(raw)-5:])
	}
}

func between(s, a, b string) (found []string) {
	for {
		_, rest, ok := strings.Cut(s, a)
		if !ok {
			return found
		}
		x, after, _ := strings.Cut(rest, b)
		found, s = append(found, x), after
	}
}

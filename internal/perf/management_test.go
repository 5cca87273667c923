package perf

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/warrenmq/warren/brokertest"
)

func TestManagement(t *testing.T) {
	b := brokertest.Start(t, brokertest.InMemory(), brokertest.Management())
	m := Management{URL: b.URL(), Web: b.ManagementURL(), Metrics: b.ManagementURL(), Queues: 20, Connections: 3, Calls: 2, Pairs: 1, Duration: 200 * time.Millisecond}
	if _, err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "GET /metrics: 404 Not Found") {
		t.Error(err) // the page's server has none
	}
	var scrapes atomic.Int64
	metrics := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		scrapes.Add(1)
		io.WriteString(w, "up 1")
	}))
	defer metrics.Close()
	m.Metrics = metrics.URL
	rep, err := m.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := scrapes.Load(); len(rep.Views) != len(views) || n < 5 || rep.Rate.Median <= 0 {
		t.Errorf("%d views, %d scrapes, %v", len(rep.Views), n, rep.Rate)
	}
	var out strings.Builder
	if err := rep.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"throughput (16 B) with them", "20 durable queues, 3 connections with a channel each", "queues, all ", "channels, all "} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no %q in\n%s", line, out.String())
		}
	}
	for _, v := range rep.Views {
		if v.Bytes == 0 || v.Took.Median <= 0 {
			t.Errorf("%+v", v)
		}
	}
}

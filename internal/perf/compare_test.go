package perf

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/brokertest"
)

// TestCompare: all scenarios, against brokers that run already, in this process.
func TestCompare(t *testing.T) {
	a, b := brokertest.Start(t, brokertest.InMemory()).URL(), brokertest.Start(t, brokertest.InMemory()).URL()
	var log bytes.Buffer
	c := Compare{
		Brokers: []string{fmt.Sprintf("a=%s,pid=%d", a, os.Getpid()), fmt.Sprintf("b=%s,pid=%d", b, os.Getpid())},
		Rounds:  2, Duration: 20 * time.Millisecond, Backlog: 500, Dir: t.TempDir(), Log: &log,
		Only: []string{"16 B", "manual", "durable", "fan-out to 10 ", "direct", "headers", "backlog", "churn"},
	}
	rep, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Rows) != 10 {
		t.Errorf("%d rows", len(rep.Rows))
	}
	for _, row := range rep.Rows {
		for _, name := range []string{"a", "b"} {
			c := row.Cells[name]
			if c == nil || len(c.Rounds) != 2 || len(c.Notes) > 0 || c.Rate.Median <= 0 {
				t.Errorf("%s, %s: %+v", row.Name, name, c)
			}
		}
	}
	var md, html, text bytes.Buffer
	for _, err := range []error{rep.WriteMarkdown(&md), rep.WriteHTML(&html), rep.WriteText(&text)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"| scenario | per | a | b | b: cheaper than a by |", "| backlog 500 x 1 KiB persistent: drain | message |"} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("no %q in\n%s", want, md.String())
		}
	}
	if !strings.Contains(html.String(), "</html>") || !strings.Contains(text.String(), "connection churn") {
		t.Error(html.String(), text.String())
	}
	if !strings.Contains(log.String(), "[") {
		t.Error(log.String())
	}
}

// TestFailedScenario: what goes wrong is in the table, and the rest goes on.
func TestFailedScenario(t *testing.T) {
	rep, err := Compare{
		Brokers: []string{"bad=amqp://guest:guest@127.0.0.1:1/"}, Rounds: 1, Duration: short, Dir: t.TempDir(), Only: []string{"16 B", "churn"},
	}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var md bytes.Buffer
	if err := rep.WriteMarkdown(&md); err != nil || strings.Count(md.String(), "| failed") != 3 || !strings.Contains(md.String(), "connection refused") {
		t.Errorf("%v\n%s", err, md.String())
	}
}

func TestParseBroker(t *testing.T) {
	b, err := parseBroker("old=amqp://u:p@h:1/v,pid=12")
	if err != nil || b.Name != "old" || b.URL != "amqp://u:p@h:1/v" || b.PID != 12 || b.Kind != "" {
		t.Errorf("%+v, %v", b, err)
	}
	for _, bad := range []string{"x", "x=", "=amqp://h/", "x=amqp://h/,pid=no", "RabbitMQ"} {
		if _, err := parseBroker(bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestSpread(t *testing.T) {
	if s := spreadOf([]float64{3, 1, 2}); s != (Spread{2, 1, 3}) || s.String() != "2.00 (1.00–3.00)" {
		t.Error(s)
	}
	if s := spreadOf([]float64{1, 2}); s.Median != 1.5 {
		t.Error(s)
	}
	for v, want := range map[float64]string{0: "0", 0.123: "0.12", 12.34: "12.3", 123.4: "123", 1234567: "1,234,567"} {
		if got := number(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

// TestResultPage: a result with latencies has its charts.
func TestResultPage(t *testing.T) {
	res, err := Load{URL: null(t, nil), Producers: 1, Consumers: 1, Size: 16, Duration: 1200 * time.Millisecond, Rate: 500, Latency: true}.Run(t.Context())
	if err != nil || len(res.Series) == 0 {
		t.Fatalf("%v: %+v", err, res)
	}
	var html, text bytes.Buffer
	if err := res.WriteHTML(&html); err != nil {
		t.Fatal(err)
	}
	if err := res.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(html.String(), "<svg"); n != 3 || !strings.Contains(text.String(), "p99.9") {
		t.Errorf("%d charts\n%s", n, text.String())
	}
}

package server

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// scrape gets a page for Prometheus.
func scrape(t testing.TB, s *Server, path string, header ...string) *http.Response {
	t.Helper()
	for _, l := range s.Listeners() {
		if l.Protocol != ProtocolPrometheus {
			continue
		}
		rq, err := http.NewRequest("GET", "http://"+l.Address+":"+strconv.Itoa(l.Port)+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			rq.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(rq)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	t.Fatal("no listener for Prometheus")
	return nil
}

func scraped(t testing.TB, s *Server, path string) string {
	t.Helper()
	resp := scrape(t, s, path)
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("GET %s: %v %d %s", path, err, resp.StatusCode, raw)
	}
	if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/plain; version=0.0.4") {
		t.Errorf("GET %s: content type %q", path, ct)
	}
	return string(raw)
}

// dashboard are the metrics that the expressions of the official dashboard
// RabbitMQ-Overview use, those of its newest version too.
const dashboard = `rabbitmq_build_info rabbitmq_identity_info rabbitmq_queue_messages_ready rabbitmq_queue_messages_unacked
rabbitmq_queues rabbitmq_connections rabbitmq_channels rabbitmq_consumers rabbitmq_queues_declared_total rabbitmq_queues_created_total
rabbitmq_queues_deleted_total rabbitmq_connections_opened_total rabbitmq_connections_closed_total rabbitmq_channels_opened_total
rabbitmq_channels_closed_total rabbitmq_process_resident_memory_bytes rabbitmq_resident_memory_limit_bytes
rabbitmq_disk_space_available_bytes rabbitmq_disk_space_available_limit_bytes rabbitmq_process_open_fds rabbitmq_process_max_fds
rabbitmq_process_open_tcp_sockets rabbitmq_process_max_tcp_sockets rabbitmq_erlang_uptime_seconds rabbitmq_global_publishers
rabbitmq_global_consumers rabbitmq_global_messages_received_total rabbitmq_global_messages_received_confirm_total
rabbitmq_global_messages_routed_total rabbitmq_global_messages_confirmed_total rabbitmq_global_messages_unroutable_dropped_total
rabbitmq_global_messages_unroutable_returned_total rabbitmq_global_messages_delivered_total
rabbitmq_global_messages_delivered_consume_auto_ack_total rabbitmq_global_messages_delivered_consume_manual_ack_total
rabbitmq_global_messages_delivered_get_auto_ack_total rabbitmq_global_messages_delivered_get_manual_ack_total
rabbitmq_global_messages_get_empty_total rabbitmq_global_messages_redelivered_total rabbitmq_global_messages_acknowledged_total
rabbitmq_message_size_bytes_bucket rabbitmq_message_size_bytes_sum rabbitmq_message_size_bytes_count`

func TestMetricsOfTheDashboard(t *testing.T) {
	s := start(t)
	traffic(t, s)
	for _, path := range []string{"/metrics", "/metrics/per-object"} {
		lines := map[string]bool{}
		for line := range strings.Lines(scraped(t, s, path)) {
			name := strings.TrimSpace(line)
			if i := strings.IndexAny(name, "{ "); i > 0 && line[0] != '#' {
				lines[name[:i]] = true
			}
		}
		for name := range strings.FieldsSeq(dashboard) {
			if !lines[name] {
				t.Errorf("%s has no sample of %s", path, name)
			}
		}
	}
}

// What RabbitMQ 3.10.8 exports, we do, of the same types; but for what is
// Erlang's or Raft's.
func TestMetricsOfRabbitMQ(t *testing.T) {
	s := start(t)
	traffic(t, s)
	raw, err := os.ReadFile("testdata/metrics-3.10.8.txt")
	if err != nil {
		t.Fatal(err)
	}
	page := scraped(t, s, "/metrics") + scraped(t, s, "/metrics/detailed?family=auth_attempt_detailed_metrics")
	page = strings.ReplaceAll(page, "rabbitmq_detailed_auth_attempts_detailed", "rabbitmq_auth_attempts_detailed")
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); !strings.Contains(page, "# TYPE "+line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
}

func TestMetricsValues(t *testing.T) {
	s := start(t, func(c *Config) { c.StatisticsInterval = 20 * time.Millisecond })
	conn := traffic(t, s)
	want := func(path string, lines ...string) {
		t.Helper()
		var missing []string
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			page := "\n" + scraped(t, s, path)
			missing = missing[:0]
			for _, l := range lines {
				if !strings.Contains(page, "\n"+l+"\n") {
					missing = append(missing, l)
				}
			}
			if len(missing) == 0 || time.Now().After(deadline) {
				break
			}
		}
		for _, l := range missing {
			t.Errorf("%s: no line %s", path, l)
		}
	}
	want("/metrics",
		`rabbitmq_connections 1`, `rabbitmq_channels 2`, `rabbitmq_queues 2`, `rabbitmq_consumers 1`,
		`rabbitmq_queue_messages_ready 0`, `rabbitmq_queue_consumers 1`, `rabbitmq_queue_messages_published_total 40`,
		`rabbitmq_channel_messages_published_total 80`, `rabbitmq_channel_messages_confirmed_total 80`,
		`rabbitmq_channel_messages_acked_total 20`, `rabbitmq_channel_get_empty_total 20`,
		`rabbitmq_global_messages_received_total{protocol="amqp091"} 80`,
		`rabbitmq_global_messages_routed_total{protocol="amqp091"} 40`,
		`rabbitmq_global_messages_unroutable_returned_total{protocol="amqp091"} 20`,
		`rabbitmq_global_messages_acknowledged_total{protocol="amqp091",queue_type="rabbit_classic_queue"} 20`,
		`rabbitmq_global_messages_get_empty_total{protocol="amqp091",queue_type="rabbit_quorum_queue"} 20`,
		`rabbitmq_global_publishers{protocol="amqp091"} 1`,
		`rabbitmq_message_size_bytes_bucket{protocol="amqp091",le="100"} 80`,
		`rabbitmq_message_size_bytes_bucket{protocol="amqp091",le="1000000"} 80`,
		`rabbitmq_message_size_bytes_sum{protocol="amqp091"} 8000`,
		`rabbitmq_auth_attempts_succeeded_total{protocol="amqp091"} 1`,
	)
	want("/metrics/per-object",
		`rabbitmq_queue_messages_published_total{vhost="/",queue="shape.q"} 20`,
		`rabbitmq_channel_messages_acked_total{channel="`+conn+` (2)",vhost="/",queue="shape.q"} 20`,
		`rabbitmq_connection_channels{connection="`+conn+`"} 2`,
	)
	want("/metrics/detailed?family=queue_coarse_metrics&family=vhost_status&vhost=%2F",
		`rabbitmq_detailed_queue_messages{vhost="/",queue="shape.q"} 0`, `rabbitmq_cluster_vhost_status{vhost="/"} 1`)
	if page := scraped(t, s, "/metrics/detailed?family=queue_coarse_metrics&vhost=other"); strings.Contains(page, "shape.q") {
		t.Errorf("queues of another virtual host:\n%s", page)
	}
	if code := scrape(t, s, "/metrics/nothing").StatusCode; code != 404 {
		t.Errorf("another path: %d", code)
	}
	z, err := gzip.NewReader(scrape(t, s, "/metrics", "Accept-Encoding", "gzip").Body)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(z); err != nil || !bytes.Contains(raw, []byte("rabbitmq_identity_info{")) {
		t.Errorf("packed: %v", err)
	}
}

// With prometheus.authentication.enabled only those who monitor get an answer.
func TestMetricsAuthentication(t *testing.T) {
	s := start(t, func(c *Config) { c.Prometheus.Authentication = true })
	for header, want := range map[string]int{"": 401, "Basic Z3Vlc3Q6d3Jvbmc=": 401, "Basic Z3Vlc3Q6Z3Vlc3Q=": 200} {
		if code := scrape(t, s, "/metrics", "Authorization", header).StatusCode; code != want {
			t.Errorf("%q: %d, want %d", header, code, want)
		}
	}
}

// promtool, Prometheus' own checker, takes every page.
func TestPromtool(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool (Debian: prometheus) is not here")
	}
	s := start(t)
	traffic(t, s)
	for _, path := range []string{"/metrics", "/metrics/per-object", "/metrics/memory-breakdown",
		"/metrics/detailed?family=queue_metrics&family=channel_metrics&family=connection_metrics&family=exchange_names&family=queue_delivery_metrics"} {
		cmd := exec.Command(tool, "check", "metrics")
		cmd.Stdin = strings.NewReader(scraped(t, s, path))
		out, err := cmd.CombinedOutput()
		// It warns of names that are RabbitMQ's and not to its taste (exit 3);
		// what it cannot read is exit 1.
		if e, ok := err.(*exec.ExitError); err != nil && (!ok || e.ExitCode() != 3) {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
		for line := range strings.Lines(string(out)) {
			if strings.HasPrefix(line, "warren_") {
				t.Errorf("%s: %s", path, line)
			}
		}
	}
}

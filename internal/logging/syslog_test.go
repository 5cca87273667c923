package logging

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/pki"
)

// syslogTo makes a log with a file and a syslog on loopback.
func syslogTo(t *testing.T, port int, change func(*Config)) *Log {
	t.Helper()
	cfg := Default()
	cfg.Dir, cfg.File, cfg.Console = t.TempDir(), "node.log", false
	cfg.Syslog = &Syslog{Host: "127.0.0.1", Port: port, Hostname: "web1.example"}
	change(&cfg)
	l, err := Open(cfg, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func portOf(a net.Addr) int {
	_, p, _ := net.SplitHostPort(a.String())
	n, _ := strconv.Atoi(p)
	return n
}

func fileOf(t *testing.T, l *Log) string {
	t.Helper()
	l.Flush()
	b, err := os.ReadFile(l.Files()[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSyslogDatagrams(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) {}, `^<28>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d web1\.example rabbitmq-server\[\d+\] <connection> - login refused user=ann why="a\\nb"$`},
		{func(c *Config) {
			c.Syslog.Protocol, c.Syslog.Identity, c.Syslog.Facility = "rfc5424", "m q", "local3"
		}, `^<156>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d) web1\.example m_q \d+ <connection> - login refused user=ann why="a\\nb"$`},
		{func(c *Config) { c.SyslogFormat.JSON = true }, `<connection> - \{"time":".*","level":"warning","msg":"login refused","domain":"rabbitmq\.connection","user":"ann","why":"a\\nb"\}$`},
	} {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer pc.Close()
		l := syslogTo(t, portOf(pc.LocalAddr()), c.change)
		l.Logger().Info("text", "large", strings.Repeat("x", 2*syslogDatagram))
		l.Logger().Debug("not this one")
		l.Logger().With("category", "connection").Warn("login refused", "user", "ann", "why", "a\nb")
		b := make([]byte, 1<<16)
		n, _, err := pc.ReadFrom(b)
		if err != nil || n != syslogDatagram {
			t.Errorf("a long entry: %d bytes, %v", n, err)
		}
		if n, _, err = pc.ReadFrom(b); err != nil || !regexp.MustCompile(c.want).Match(b[:n]) {
			t.Errorf("%s, %v; want %s", b[:n], err, c.want)
		}
		if got := l.Files()[1]; got != "syslog:127.0.0.1" {
			t.Errorf("named %s", got)
		}
	}
}

// frames reads entries as RFC 6587 counts them.
func frames(r *bufio.Reader, n int) ([]string, error) {
	var out []string
	for range n {
		count, err := r.ReadString(' ')
		if err != nil {
			return out, err
		}
		size, err := strconv.Atoi(strings.TrimSuffix(count, " "))
		if err != nil {
			return out, err
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(r, b); err != nil {
			return out, err
		}
		out = append(out, string(b[bytes.Index(b, []byte("- "))+2:]))
	}
	return out, nil
}

// Over a stream entries have their length in front. A receiver that goes and
// comes again gets what was logged meanwhile, and the file says what was.
func TestSyslogStream(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := syslogTo(t, portOf(ln.Addr()), func(c *Config) { c.Syslog.Transport, c.Syslog.Protocol = "tcp", "rfc5424" })
	g := l.Logger()
	g.Info("one")
	g.Error("two", "list", "ü")
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	got, err := frames(bufio.NewReader(conn), 2)
	if s := fmt.Sprint(got, err); s != "[one two list=ü] <nil>" {
		t.Error(s)
	}
	ln.Close()
	conn.Close()
	// Entries that the system takes before it knows of the end are gone; those
	// after the first that it does not take wait.
	for !strings.Contains(fileOf(t, l), "syslog cannot be reached") {
		g.Info("into the void")
		time.Sleep(time.Millisecond)
	}
	g.Info("kept")
	ln, err = net.Listen("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if conn, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for r := bufio.NewReader(conn); ; {
		got, err := frames(r, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got[0] == "kept" {
			break
		}
	}
	for !strings.Contains(fileOf(t, l), "syslog is reached again") {
		time.Sleep(time.Millisecond)
	}
}

// A receiver that is not there, or does not read, holds nobody back: entries are
// in the file, and what does not fit is counted.
func TestSyslogAway(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	l := syslogTo(t, portOf(ln.Addr()), func(c *Config) { c.Syslog.Transport = "tcp" })
	g := l.Logger()
	g.Info("first")
	for !strings.Contains(fileOf(t, l), "syslog cannot be reached, entries wait for it") {
		time.Sleep(time.Millisecond)
	}
	const n = relayMessages + 3000
	for i := range n {
		g.Info("entry", "n", i)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(l.Files()[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(b), "> entry n="); got != n {
		t.Errorf("%d of %d entries in the file", got, n)
	}
	if !strings.Contains(string(b), "syslog is not there, entries were not sent") || strings.Count(string(b), "cannot be reached") != 1 {
		t.Errorf("the file ends with %s", b[len(b)-300:])
	}
}

func TestSyslogTLS(t *testing.T) {
	ca, err := pki.NewAuthority("ca")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Issue(pki.Request{Subject: pkix.Name{CommonName: "log"}, Hosts: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{pair.Cert.Raw}, PrivateKey: pair.Key}}})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got := make(chan string, 10)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			one, err := frames(bufio.NewReader(conn), 1)
			got <- fmt.Sprint(one, err)
			conn.Close()
		}
	}()
	l := syslogTo(t, portOf(ln.Addr()), func(c *Config) {
		c.Syslog.Transport, c.Syslog.TLS = "tls", listen.ClientTLS{CAFile: file}
	})
	l.Logger().Info("sealed")
	if s := <-got; s != "[sealed] <nil>" {
		t.Error(s)
	}
	// Whom we do not trust gets nothing.
	stranger := syslogTo(t, portOf(ln.Addr()), func(c *Config) { c.Syslog.Transport = "tls" })
	stranger.Logger().Info("sealed")
	if s := <-got; strings.Contains(s, "sealed") {
		t.Error(s)
	}
	for !strings.Contains(fileOf(t, stranger), "certificate signed by unknown authority") {
		time.Sleep(time.Millisecond)
	}
	for _, bad := range []Syslog{{Transport: "tls", Protocol: "rfc3164"}, {Transport: "tls", TLS: listen.ClientTLS{CAFile: "/nowhere"}}} {
		if l, err := Open(Config{NoFile: true, Syslog: &bad}, io.Discard, io.Discard); err == nil {
			l.Close()
			t.Errorf("%+v is accepted", bad)
		}
	}
}

func TestFacilities(t *testing.T) {
	for name, want := range map[string]int{"kern": 0, "kernel": 0, "user": 1, "daemon": 3, "authpriv": 10, "clock": 15, "local0": 16, "local7": 23} {
		if got := facility(name); got != want {
			t.Errorf("%s: %d", name, got)
		}
	}
	for level, want := range map[string]int{"emergency": 0, "error": 3, "debug": 7} {
		if got := severity(level); got != want {
			t.Errorf("%s: %d", level, got)
		}
	}
}

// What is to be published is handed over while somebody takes it; a taker who
// stands still loses entries, and those alone.
func TestExchange(t *testing.T) {
	cfg := Default()
	cfg.Dir, cfg.File, cfg.Console = t.TempDir(), "node.log", false
	cfg.Exchange, cfg.ExchangeVHost, cfg.ExchangeLevel = true, "/", Warning
	l, err := Open(cfg, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g := l.Logger()
	if got := l.Files()[1]; got != `exchange:{resource,<<"/">>,exchange,<<"amq.rabbitmq.log">>}` {
		t.Error(got)
	}
	g.Warn("too early")
	got := make(chan Message)
	stop := l.Exchange(func(m Message) { got <- m })
	g.Info("too little")
	g.Log(t.Context(), slog.Level(Critical), "enough", "n", 1)
	m := <-got
	if m.Level != "critical" || !regexp.MustCompile(`^\S+ \S+ \[critical\] <default> enough n=1\n$`).Match(m.Text) || time.Since(m.Time) > time.Hour {
		t.Errorf("%+v %s", m, m.Text)
	}
	const n = 2*relayMessages + 500
	for range n {
		g.Error("flood")
	}
	taken := 0
	for !strings.Contains(fileOf(t, l), "amq.rabbitmq.log could not keep up") {
		select {
		case m := <-got:
			if taken++; !strings.Contains(string(m.Text), "flood") {
				t.Fatalf("%s", m.Text) // not what there is to say about the exchange
			}
		case <-time.After(time.Millisecond):
		}
	}
	if c := strings.Count(fileOf(t, l), "> flood"); c != n || taken < relayMessages || taken >= n {
		t.Errorf("%d of %d in the file, %d taken", c, n, taken)
	}
	stop()
	g.Warn("too late")
	// And again, as a node does that stops its application and starts it.
	stop = l.Exchange(func(m Message) { got <- m })
	g.Warn("again")
	if m := <-got; !strings.Contains(string(m.Text), "again") {
		t.Errorf("%s", m.Text)
	}
	stop()
}

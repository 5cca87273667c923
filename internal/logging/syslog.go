package logging

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/listen"
)

// Syslog is a receiver of the log by the protocol of that name.
type Syslog struct {
	Transport string // udp (default), tcp, tls
	Protocol  string // rfc3164 (default but for tls), rfc5424
	Host      string // default 127.0.0.1
	Port      int    // default 514
	Identity  string // the program's name
	Facility  string // default daemon
	Hostname  string // of this machine, as the receiver is told
	TLS       listen.ClientTLS
}

// Times of a syslog.
const (
	syslogDial  = 5 * time.Second // to reach the receiver
	syslogWrite = 5 * time.Second // for it to take an entry
	syslogRetry = time.Second     // between attempts
	syslogLast  = time.Second     // for what is left when the log is closed
	// syslogCalm is after how much time without an error a receiver that cannot
	// answer (UDP) is thought to be there again.
	syslogCalm = time.Minute
	// syslogDatagram is what common receivers take in one datagram.
	syslogDatagram = 8192
)

// Facilities are the names that Syslog.Facility may have.
func Facilities() []string {
	return []string{"kern", "kernel", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
		"audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}
}

func facility(name string) int {
	switch {
	case name == "kern" || name == "kernel":
		return 0
	case strings.HasPrefix(name, "local"):
		return 16 + int(name[5]-'0')
	}
	for i, n := range []string{"user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock"} {
		if n == name {
			return i + 1
		}
	}
	return facility("daemon")
}

// severity is that of a level's name.
func severity(level string) int {
	for i, n := range []string{"emergency", "alert", "critical", "error", "warning", "notice", "info"} {
		if n == level {
			return i
		}
	}
	return 7
}

func (s *Syslog) setDefaults() error {
	def := func(p *string, v string) {
		if *p == "" {
			*p = v
		}
	}
	def(&s.Transport, "udp")
	if s.Transport == "tls" {
		def(&s.Protocol, "rfc5424")
		if s.Protocol == "rfc3164" {
			return errors.New("the protocol rfc3164 cannot be used with TLS; use rfc5424")
		}
	}
	def(&s.Protocol, "rfc3164")
	def(&s.Host, "127.0.0.1")
	def(&s.Identity, "rabbitmq-server")
	def(&s.Facility, "daemon")
	if s.Port == 0 {
		s.Port = 514
	}
	if host, err := os.Hostname(); err == nil && (s.Hostname == "" || strings.HasPrefix(s.Hostname, "localhost")) {
		s.Hostname = host
	}
	def(&s.Hostname, "-")
	return nil
}

// append writes a message as the receiver wants it, without a frame.
func (s *Syslog) append(b []byte, m *Message, pid int) []byte {
	b = fmt.Appendf(b, "<%d>", facility(s.Facility)<<3|severity(m.Level))
	if s.Protocol == "rfc5424" {
		b = append(b, "1 "...)
		b = m.Time.AppendFormat(b, "2006-01-02T15:04:05.000000Z07:00")
		b = fmt.Appendf(b, " %s %s %d <%s> - ", token(s.Hostname, 255), token(s.Identity, 48), pid, token(m.Category, 30))
	} else {
		b = m.Time.AppendFormat(b, time.Stamp)
		b = fmt.Appendf(b, " %s %s[%d] <%s> - ", token(s.Hostname, 255), token(s.Identity, 48), pid, token(m.Category, 30))
	}
	return append(b, strings.TrimSuffix(string(m.Text), "\n")...)
}

// token is a field of a header: printable, without blanks.
func token(s string, longest int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, s)
	return s[:min(len(s), longest)]
}

// frame is a message as it goes over the connection: over a stream with its
// length in front (RFC 6587), in a datagram by itself.
func (s *Syslog) frame(m *Message, pid int) []byte {
	b := s.append(nil, m, pid)
	if s.Transport == "udp" {
		return b[:min(len(b), syslogDatagram)]
	}
	return append(strconv.AppendInt(nil, int64(len(b)), 10), append([]byte{' '}, b...)...)
}

// sender brings messages to a syslog. Its fields belong to its goroutine.
type sender struct {
	cfg    Syslog
	relay  *relay
	aside  *slog.Logger // to the other places
	tls    *tls.Config
	conn   net.Conn
	gone   chan struct{} // closed when the receiver has closed conn
	pid    int
	broken time.Time // of the last error; zero: all is well
	lost   int64
}

func (l *Log) openSyslog(cfg Syslog, f Format) (*sink, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	f.Bare = true
	self := &sink{name: "syslog:" + cfg.Host, format: f, level: func(c *Config) Level { return c.SyslogLevel }, relay: newRelay()}
	s := &sender{cfg: cfg, relay: self.relay, pid: os.Getpid(), aside: l.aside(self)}
	if cfg.Transport == "tls" {
		var err error
		if s.tls, err = cfg.TLS.Config(cfg.Host); err != nil {
			return nil, err
		}
	}
	self.relay.start(s.run)
	return self, nil
}

func (s *sender) run() {
	defer s.hangUp()
	for {
		ms, dropped, ok := s.relay.take(nil)
		if !ok {
			return
		}
		s.lost += dropped
		for i := range ms {
			if !s.deliver(s.cfg.frame(&ms[i], s.pid)) {
				s.aside.Warn("syslog is not there, entries were not sent", "entries", s.lost+int64(len(ms)-i))
				return
			}
		}
		if s.lost > 0 {
			s.aside.Warn("syslog could not keep up, entries were not sent", "entries", s.lost)
			s.lost = 0
		}
	}
}

// deliver sends a frame, and again until it is sent. It gives up when the log is
// closed.
func (s *sender) deliver(frame []byte) bool {
	for {
		err := s.send(frame)
		if err == nil {
			s.well()
			return true
		}
		s.hangUp()
		if s.broken.IsZero() {
			s.aside.Warn("syslog cannot be reached, entries wait for it", "receiver", s.address(), "transport", s.cfg.Transport, "reason", err)
		}
		s.broken = time.Now()
		timer := time.NewTimer(syslogRetry)
		select {
		case <-timer.C:
		case <-s.relay.end:
			timer.Stop()
			return false
		}
	}
}

// well notes that a message was sent.
func (s *sender) well() {
	switch {
	case s.broken.IsZero():
		return
	case s.cfg.Transport == "udp" && time.Since(s.broken) < syslogCalm:
		return // that it was sent does not mean that somebody was there
	}
	s.broken = time.Time{}
	s.aside.Info("syslog is reached again", "receiver", s.address(), "transport", s.cfg.Transport)
}

func (s *sender) address() string { return net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.Port)) }

func (s *sender) send(frame []byte) error {
	if s.conn != nil {
		select {
		case <-s.gone:
			s.hangUp()
		default:
		}
	}
	if s.conn == nil {
		if err := s.dial(); err != nil {
			return err
		}
	}
	patience := syslogWrite
	select {
	case <-s.relay.end:
		patience = syslogLast
	default:
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := s.conn.Write(frame)
	return err
}

// dial connects. The end of the log ends the waiting.
func (s *sender) dial() error {
	ctx, cancel := context.WithTimeout(context.Background(), syslogDial)
	defer cancel()
	s.relay.start(func() {
		select {
		case <-s.relay.end:
			cancel()
		case <-ctx.Done():
		}
	})
	network := "tcp"
	if s.cfg.Transport == "udp" {
		network = "udp"
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, s.address())
	if err != nil {
		return err
	}
	if s.tls != nil {
		t := tls.Client(conn, s.tls)
		if err := t.HandshakeContext(ctx); err != nil {
			return errors.Join(fmt.Errorf("TLS: %w", err), conn.Close())
		}
		conn = t
	}
	gone := make(chan struct{})
	s.conn, s.gone = conn, gone
	if network == "tcp" {
		// Receivers say nothing: what comes is the end.
		s.relay.start(func() {
			io.Copy(io.Discard, conn)
			close(gone)
		})
	}
	return nil
}

func (s *sender) hangUp() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

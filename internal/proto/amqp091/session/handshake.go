package session

import (
	"crypto/tls"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// preAuthFrameMax bounds frames before the peer has logged in.
const preAuthFrameMax = 8192

// protocolHeader takes the first eight bytes. A client of another version is
// told ours, except that the old headers that announce 0-8 are taken, as
// RabbitMQ takes them.
func (c *Conn) protocolHeader(rb *readBuffer) bool {
	h := rb.buf[rb.start:][:wire.ProtocolHeaderSize]
	rb.start += len(h)
	switch string(h) {
	case wire.ProtocolHeader, "AMQP\x00\x00\x09\x00":
		c.old = false
		return true
	case "AMQP\x01\x01\x08\x00", "AMQP\x01\x01\x09\x01":
		c.old = true
		return true
	}
	c.out.mu.Lock()
	c.out.add(append(c.out.room(64), wire.ProtocolHeader...))
	c.out.mu.Unlock()
	c.log().Warn("closing connection: bad protocol header", "header", slices.Clone(h))
	return false
}

// starts are the connection.start frames that were sent, encoded. They are few:
// they differ in what the peer may log in with.
type starts struct {
	once       sync.Once
	byPassword string

	mu     sync.Mutex
	frames map[startKey][]byte
}

type startKey struct {
	old        bool
	mechanisms string
}

func (c *Conn) sendStart() {
	c.state, c.frameLimit = wantStartOk, preAuthFrameMax
	s := &c.srv.starts
	c.offered = c.mechanisms()
	k := startKey{c.old, c.offered}
	s.mu.Lock()
	frame := s.frames[k]
	if frame == nil {
		frame = wire.AppendMethodFrame(nil, 0, c.start(k))
		if s.frames == nil {
			s.frames = map[startKey][]byte{}
		}
		s.frames[k] = frame
	}
	s.mu.Unlock()
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if !c.out.closed {
		c.out.add(append(c.out.room(len(frame)), frame...))
		c.unsent = true
	}
}

// start says what this server is and can do.
func (c *Conn) start(k startKey) wire.ConnectionStart {
	cfg := &c.srv.Config
	caps := wire.Table{}
	major, minor := uint8(0), uint8(9)
	if c.old {
		major, minor = 8, 0
	} else {
		for _, k := range []string{"publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify",
			"connection.blocked", "consumer_priorities", "authentication_failure_close", "per_consumer_qos", "direct_reply_to"} {
			caps.Set(k, wire.Bool(true))
		}
	}
	props := wire.Table{
		{Key: "capabilities", Value: caps},
		{Key: "cluster_name", Value: wire.String(cfg.ClusterName)},
		{Key: "copyright", Value: wire.String("Copyright (c) the Warren authors")},
		{Key: "information", Value: wire.String(cfg.Information)},
		{Key: "platform", Value: wire.String(cfg.Platform)},
		{Key: "product", Value: wire.String(cfg.Product)},
		{Key: "version", Value: wire.String(cfg.Version)},
	}
	return wire.ConnectionStart{VersionMajor: major, VersionMinor: minor, ServerProperties: props, Mechanisms: k.mechanisms, Locales: "en_US"}
}

// mechanisms lists what the peer may log in with, with spaces between them:
// EXTERNAL only when TLS has verified who it is.
func (c *Conn) mechanisms() string {
	if c.vouchedFor() != "" {
		return strings.TrimSpace(c.srv.byPassword() + " EXTERNAL")
	}
	if slices.Contains(c.srv.Config.Mechanisms, "EXTERNAL") && c.certificateName() != "" {
		return strings.Join(c.srv.usable(true), " ")
	}
	return c.srv.byPassword()
}

// byPassword lists the mechanisms for those of whom nothing is known yet.
func (s *Server) byPassword() string {
	s.starts.once.Do(func() { s.starts.byPassword = strings.Join(s.usable(false), " ") })
	return s.starts.byPassword
}

// usable is the configured mechanisms but for those that cannot work.
func (s *Server) usable(certificate bool) []string {
	return slices.DeleteFunc(slices.Clone(s.Config.Mechanisms), func(m string) bool {
		return m == "ANONYMOUS" && s.Config.Anonymous.User == "" || m == "EXTERNAL" && !certificate
	})
}

// isOffered reports whether the peer may log in with a mechanism.
func (c *Conn) isOffered(mechanism string) bool {
	for m := range strings.SplitSeq(c.offered, " ") {
		if m == mechanism && m != "" {
			return true
		}
	}
	return false
}

// Vouched is a connection whose maker answers for who is at its other end: the
// node itself opens such ones, for users who have logged in otherwise.
type Vouched struct {
	net.Conn
	User string
}

func (c *Conn) vouchedFor() string {
	if v, ok := c.nc.(Vouched); ok {
		return v.User
	}
	return ""
}

// certificateName is the name of the user whom the peer's verified certificate
// stands for, "" if there is none.
func (c *Conn) certificateName() string {
	t, ok := c.nc.(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return ""
	}
	st := t.ConnectionState()
	if len(st.VerifiedChains) == 0 {
		return ""
	}
	return auth.CertificateName(st.PeerCertificates[0], c.srv.Config.CertLogin)
}

// connectionFrame handles a frame on channel 0.
func (c *Conn) connectionFrame(f *wire.Frame) error {
	if f.Type == wire.FrameHeartbeat {
		return nil
	}
	if f.Type != wire.FrameMethod {
		if c.state != running {
			return errHangUp
		}
		if !f.Type.Known() {
			return unknownFrame(f)
		}
		return &closeError{code: wire.UnexpectedFrame, text: "unexpected frame on channel 0", conn: true}
	}
	m, err := wire.ParseMethod(f.Payload)
	if err != nil {
		if c.state != running {
			return errHangUp
		}
		return methodError(f.Payload, err)
	}
	switch m := m.(type) {
	case *wire.ConnectionStartOk:
		if c.state == wantStartOk {
			return c.startOk(m)
		}
	case *wire.ConnectionTuneOk:
		if c.state == wantTuneOk {
			return c.tuneOk(m)
		}
	case *wire.ConnectionOpen:
		if c.state == wantOpen {
			return c.open(m)
		}
	case *wire.ConnectionClose:
		if c.state == running {
			return c.peerCloses()
		}
	case *wire.ConnectionUpdateSecret:
		if c.state == running {
			c.log().Info("connection secret updated", "user", c.user, "reason", m.Reason)
			c.answer(0, wire.ConnectionUpdateSecretOk{})
			return nil
		}
	}
	if c.state != running {
		return errHangUp
	}
	return &closeError{code: wire.ChannelError, text: "unexpected method in connection state running", method: m.ID(), conn: true}
}

// peerCloses answers connection.close. Channels are given back first: when the
// client has its answer, its exclusive queues are gone.
func (c *Conn) peerCloses() error {
	c.flushAcks()
	c.client.Flush()
	for _, ch := range c.channels {
		ch.release()
	}
	clear(c.channels)
	c.client.Close()
	vhost := c.vhostName()
	c.client = nil
	c.ends(byClient)
	c.logClosed(vhost)
	c.answer(0, wire.ConnectionCloseOk{})
	c.state = done
	return nil
}

func (c *Conn) startOk(m *wire.ConnectionStartOk) error {
	c.props = m.ClientProperties
	if v, ok := m.ClientProperties.Get("capabilities"); ok {
		if t, ok := v.(wire.Table); ok {
			has := func(k string) bool {
				v, _ := t.Get(k)
				b, ok := v.(wire.Bool)
				return ok && bool(b)
			}
			c.caps.authFailureClose = has("authentication_failure_close")
			c.caps.consumerCancelNotify = has("consumer_cancel_notify")
			c.caps.connectionBlocked = has("connection.blocked")
		}
	}
	if !c.isOffered(m.Mechanism) {
		return errHangUp
	}
	user, err := c.authenticate(m.Mechanism, []byte(m.Response))
	c.srv.Broker.CountAuth("amqp091", c.peer.host, user.Name, err == nil)
	if err == errHangUp {
		return err
	}
	if err != nil {
		if !c.caps.authFailureClose {
			return errHangUp
		}
		return &closeError{code: wire.AccessRefused, conn: true,
			text: "Login was refused using authentication mechanism " + m.Mechanism + ". For details see the broker logfile."}
	}
	c.user, c.impersonator = user.Name, user.Has("impersonator")
	c.mechanism = m.Mechanism
	c.show("tuning")
	cfg := &c.srv.Config
	c.answer(0, wire.ConnectionTune{ChannelMax: cfg.ChannelMax, FrameMax: cfg.FrameMax, Heartbeat: uint16(cfg.Heartbeat / time.Second)})
	c.state = wantTuneOk
	return nil
}

// authenticate checks what a mechanism's response says.
func (c *Conn) authenticate(mechanism string, response []byte) (auth.User, error) {
	var user, pass string
	switch mechanism {
	case "EXTERNAL":
		if user := c.vouchedFor(); user != "" {
			return c.srv.Broker.AuthenticateExternal(user, c.nc.RemoteAddr())
		}
		return c.srv.Broker.AuthenticateExternal(c.certificateName(), c.nc.RemoteAddr())
	case "ANONYMOUS": // the response is whatever the client likes to say
		user, pass = c.srv.Config.Anonymous.User, c.srv.Config.Anonymous.Password
	case "PLAIN":
		parts := strings.Split(string(response), "\x00")
		if len(parts) != 3 {
			return auth.User{}, errHangUp
		}
		user, pass = parts[1], parts[2]
	case "AMQPLAIN":
		t, err := wire.ParseTable(response)
		if err != nil {
			return auth.User{}, errHangUp
		}
		u, _ := t.Get("LOGIN")
		p, _ := t.Get("PASSWORD")
		us, ok1 := u.(wire.String)
		ps, ok2 := p.(wire.String)
		if !ok1 || !ok2 {
			return auth.User{}, errHangUp
		}
		user, pass = string(us), string(ps)
	default:
		return auth.User{}, errHangUp
	}
	return c.srv.Broker.Authenticate(user, pass, c.nc.RemoteAddr())
}

func (c *Conn) tuneOk(m *wire.ConnectionTuneOk) error {
	cfg := &c.srv.Config
	if m.FrameMax != 0 && m.FrameMax < wire.FrameMinSize || cfg.FrameMax != 0 && (m.FrameMax == 0 || m.FrameMax > cfg.FrameMax) {
		return errHangUp
	}
	if cfg.ChannelMax != 0 && (m.ChannelMax == 0 || m.ChannelMax > cfg.ChannelMax) {
		return errHangUp
	}
	c.frameMax, c.frameLimit = m.FrameMax, m.FrameMax
	c.channelMax = m.ChannelMax
	if m.Heartbeat > 0 {
		h := time.Duration(m.Heartbeat) * time.Second
		c.lastRead.Store(time.Now().UnixNano())
		c.silence.Store(int64(2 * h))
		c.heartbeat.Store(int64(h))
		c.out.poke()
	}
	c.timeout = int(m.Heartbeat)
	c.state = wantOpen
	c.show("opening")
	return nil
}

func (c *Conn) open(m *wire.ConnectionOpen) error {
	client, err := c.srv.Broker.Connect(broker.ClientInfo{
		ID: c.id, User: c.user, Impersonator: c.impersonator, VHost: m.VirtualHost, Name: c.name,
		Kick: func(kind broker.Kind, text string) { c.Force(codes[kind], text) },
	})
	if err != nil {
		e := toClose(err)
		e.method, e.conn = wire.MethodConnectionOpen, true
		return e
	}
	c.client, c.opened = client, client
	c.state = running
	c.show("running")
	c.srv.isOpen(c)
	c.answer(0, wire.ConnectionOpenOk{})
	c.note(slog.LevelInfo, "connection opened", slog.String("user", c.user), slog.String("vhost", m.VirtualHost), slog.String("mechanism", c.mechanism))
	return nil
}

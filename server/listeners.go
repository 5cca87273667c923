package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/plugins"
	"github.com/warrenmq/warren/internal/tcp"
)

// Protocols of listeners, named as rabbitmqctl names them.
const (
	ProtocolAMQP          = "amqp"
	ProtocolAMQPS         = "amqp/ssl"
	ProtocolHTTP          = "http"
	ProtocolHTTPS         = "https"
	ProtocolPrometheus    = "http/prometheus"
	ProtocolPrometheusTLS = "https/prometheus"
)

// ListenerInfo is an open listener.
type ListenerInfo struct {
	Protocol string // "amqp", "amqp/ssl", "http", "https", "http/prometheus", ...
	Address  string // the interface, as in "::" or "127.0.0.1"
	Port     int
	TLS      bool
}

// ListenError says that a listener cannot be opened.
type ListenError struct {
	Protocol, Addr string
	Err            error
}

func (e *ListenError) Error() string {
	return fmt.Sprintf("cannot listen on %s for %s: %v", e.Addr, e.Protocol, e.Err)
}

func (e *ListenError) Unwrap() error { return e.Err }

// spec is a listener that the configuration wants.
type spec struct {
	protocol string
	plugin   string      // open while it is enabled; "": always
	tls      *listen.TLS // nil: none
	addr     string      // after the first time the one that it was bound to
	limit    int         // of connections at a time; 0: none
	foreign  bool        // somebody else has made it and cannot make it again
}

// listener is an open one.
type listener struct {
	*spec
	ln  net.Listener
	web *webServer // nil for AMQP
}

// specsOf lists the listeners that a configuration wants, and reads their
// certificates.
func specsOf(cfg *Config) ([]*spec, error) {
	var out []*spec
	limits := map[string]int{ProtocolHTTP: cfg.Management.MaxConnections, ProtocolHTTPS: cfg.Management.MaxTLSConnections,
		ProtocolPrometheus: cfg.Prometheus.MaxConnections, ProtocolPrometheusTLS: cfg.Prometheus.MaxTLSConnections}
	add := func(protocol, plugin string, addrs []string, t *listen.TLS) {
		for _, a := range addrs {
			out = append(out, &spec{protocol: protocol, plugin: plugin, addr: a, tls: t, limit: limits[protocol]})
		}
	}
	secure := func(protocol, plugin string, addrs []string, opts TLS) error {
		if len(addrs) == 0 {
			return nil
		}
		t, err := listen.NewTLS(listen.TLSOptions(opts), cfg.Logger)
		if err != nil {
			return &TLSError{Protocol: protocol, Err: err}
		}
		add(protocol, plugin, addrs, t)
		return nil
	}
	m, p := &cfg.Management, &cfg.Prometheus
	add(ProtocolAMQP, "", cfg.Listeners, nil)
	err := secure(ProtocolAMQPS, "", cfg.TLSListeners, cfg.TLS)
	add(ProtocolHTTP, plugins.Management, m.Listeners, nil)
	err = errors.Join(err, secure(ProtocolHTTPS, plugins.Management, m.TLSListeners, m.TLS))
	add(ProtocolPrometheus, plugins.Prometheus, p.Listeners, nil)
	return out, errors.Join(err, secure(ProtocolPrometheusTLS, plugins.Prometheus, p.TLSListeners, p.TLS))
}

// TLSError says what is wrong with the certificate of a listener, or the like.
type TLSError struct {
	Protocol string
	Err      error
}

func (e *TLSError) Error() string { return e.Protocol + ": " + e.Err.Error() }
func (e *TLSError) Unwrap() error { return e.Err }

// wanted reports whether a listener is to be open now. The caller holds mu.
func (s *Server) wanted(sp *spec) bool {
	if s.app == nil || s.closed || sp.plugin == "" && s.suspended {
		return false
	}
	return sp.plugin == "" || slices.Contains(plugins.Closure(s.plugins), sp.plugin)
}

// openWanted opens those listeners that are wanted and not open; after a
// mistake the others are not tried. The caller holds mu: making a socket listen
// does not wait.
func (s *Server) openWanted() error {
	for _, sp := range s.specs {
		if !s.wanted(sp) || slices.ContainsFunc(s.open, func(l *listener) bool { return l.spec == sp }) {
			continue
		}
		ln, err := s.listen(sp)
		if err != nil {
			return &ListenError{Protocol: sp.protocol, Addr: sp.addr, Err: err}
		}
		sp.addr = ln.Addr().String()
		if sp.plugin == "" {
			s.serveAMQP(sp, ln)
			continue
		}
		h := s.managementHandler()
		if sp.plugin == plugins.Prometheus {
			h = s.prometheusHandler()
		}
		h = s.access.wrap(h)
		served := ln
		if sp.limit > 0 {
			served = listen.Limited(served, sp.limit)
		}
		if sp.tls != nil {
			served = tls.NewListener(served, sp.tls.Config())
		}
		s.open = append(s.open, &listener{sp, ln, serveHTTP(served, h, s.logger)})
	}
	return nil
}

// listen makes a socket listen.
func (s *Server) listen(sp *spec) (net.Listener, error) {
	if sp.plugin != "" {
		return net.Listen("tcp", sp.addr)
	}
	return tcp.Listen(sp.addr, tcp.Options(s.cfg.Socket))
}

// serveAMQP accepts AMQP connections. The caller holds mu, and the application
// runs.
func (s *Server) serveAMQP(sp *spec, ln net.Listener) {
	s.open = append(s.open, &listener{sp, ln, nil})
	a := s.app
	a.work.Go(func() {
		w := newWorkers(a.work.Go, func(nc net.Conn) {
			if ready := s.greet(a, sp, nc); ready != nil {
				a.amqp.Serve(ready)
			}
		})
		defer w.end()
		for {
			nc, err := listen.Accept(ln, s.logger)
			if err != nil {
				return
			}
			w.take(nc)
		}
	})
}

// greet does what comes before AMQP on a new connection: the header of the PROXY
// protocol, the TLS handshake. It returns nil if the
// connection is closed.
func (s *Server) greet(a *app, sp *spec, nc net.Conn) net.Conn {
	proxy := s.cfg.ProxyProtocol && !sp.foreign
	if !proxy && sp.tls == nil {
		return nc
	}
	// The end of the application ends the waiting, too.
	done := context.AfterFunc(a.ctx, func() { nc.Close() })
	defer done()
	nc.SetDeadline(time.Now().Add(s.cfg.TLSHandshakeTimeout))
	raw, err := nc, error(nil)
	if proxy {
		nc, err = listen.Proxied(nc)
	}
	if err == nil && sp.tls != nil {
		t := tls.Server(nc, sp.tls.Config())
		err = t.Handshake()
		nc = t
	}
	if err != nil {
		s.logger.Error("connection refused", "category", "connection", "peer", raw.RemoteAddr().String(),
			"listener", raw.LocalAddr().String(), "reason", listen.HandshakeError(err))
		raw.Close()
		return nil
	}
	nc.SetDeadline(time.Time{})
	return nc
}

// takeUnwanted removes those from the list that are open and not wanted. The
// caller holds mu, and closes them when it has dropped it.
func (s *Server) takeUnwanted() []*listener {
	var out []*listener
	s.open = slices.DeleteFunc(s.open, func(l *listener) bool {
		unwanted := !s.wanted(l.spec)
		if unwanted {
			out = append(out, l)
		}
		return unwanted
	})
	return out
}

func closeAll(ctx context.Context, ls []*listener) {
	for _, l := range ls {
		l.ln.Close()
	}
	for _, l := range ls {
		if l.web != nil {
			l.web.close(ctx)
		}
	}
}

// Addrs are the addresses that AMQP connections are accepted on.
func (s *Server) Addrs() []net.Addr { return s.addrs(ProtocolAMQP) }

// TLSAddrs are the addresses that AMQP connections with TLS are accepted on.
func (s *Server) TLSAddrs() []net.Addr { return s.addrs(ProtocolAMQPS) }

// ManagementTLSAddrs are those of the HTTP API and the page with TLS.
func (s *Server) ManagementTLSAddrs() []net.Addr { return s.addrs(ProtocolHTTPS) }

// ManagementAddrs are the addresses of the HTTP API and the page.
func (s *Server) ManagementAddrs() []net.Addr { return s.addrs(ProtocolHTTP) }

// PrometheusAddrs are the addresses that Prometheus is served on.
func (s *Server) PrometheusAddrs() []net.Addr { return s.addrs(ProtocolPrometheus) }

func (s *Server) addrs(protocol string) []net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []net.Addr
	for _, l := range s.open {
		if l.protocol == protocol {
			out = append(out, l.ln.Addr())
		}
	}
	return out
}

// Listeners are those that are open, AMQP first.
func (s *Server) Listeners() []ListenerInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]ListenerInfo, 0, len(s.open))
	for _, l := range s.open {
		out = append(out, l.info())
	}
	return out
}

func (l *listener) info() ListenerInfo {
	host, port, _ := net.SplitHostPort(l.ln.Addr().String())
	n, _ := strconv.Atoi(port)
	return ListenerInfo{Protocol: l.protocol, Address: host, Port: n, TLS: l.tls != nil}
}

// SuspendListeners closes the listeners for AMQP. Connections stay.
func (s *Server) SuspendListeners() error {
	s.ops <- struct{}{}
	defer func() { <-s.ops }()
	s.mu.Lock()
	if s.app == nil {
		s.mu.Unlock()
		return ErrAppStopped
	}
	s.suspended = true
	unwanted := s.takeUnwanted()
	s.mu.Unlock()
	closeAll(context.Background(), unwanted)
	s.logger.Warn("suspended all listeners and will no longer accept client connections")
	return nil
}

// ResumeListeners opens what SuspendListeners has closed.
func (s *Server) ResumeListeners() error {
	s.ops <- struct{}{}
	defer func() { <-s.ops }()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.app == nil {
		return ErrAppStopped
	}
	s.suspended = false
	if err := s.openWanted(); err != nil {
		return err
	}
	s.logger.Info("resumed all listeners and will accept client connections again")
	return nil
}

// Suspended reports whether listeners for AMQP are suspended.
func (s *Server) Suspended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.suspended
}

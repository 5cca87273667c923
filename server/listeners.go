package server

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/plugins"
)

// Protocols of listeners, named as rabbitmqctl names them.
const (
	ProtocolAMQP       = "amqp"
	ProtocolHTTP       = "http"
	ProtocolPrometheus = "http/prometheus"
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
	plugin   string // open while it is enabled; "": always
	addr     string // after the first time the one that it was bound to
	foreign  bool   // somebody else has made it and cannot make it again
}

// listener is an open one.
type listener struct {
	*spec
	ln  net.Listener
	web *webServer // nil for AMQP
}

func specsOf(cfg *Config) []*spec {
	var out []*spec
	add := func(protocol, plugin string, addrs []string) {
		for _, a := range addrs {
			out = append(out, &spec{protocol: protocol, plugin: plugin, addr: a})
		}
	}
	add(ProtocolAMQP, "", cfg.Listeners)
	add(ProtocolHTTP, plugins.Management, cfg.Management.Listeners)
	add(ProtocolPrometheus, plugins.Prometheus, cfg.Prometheus.Listeners)
	return out
}

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
		ln, err := listen.TCP(sp.addr)
		if err != nil {
			return &ListenError{Protocol: sp.protocol, Addr: sp.addr, Err: err}
		}
		sp.addr = ln.Addr().String()
		switch sp.protocol {
		case ProtocolHTTP:
			s.open = append(s.open, &listener{sp, ln, serveHTTP(ln, s.managementHandler(), s.logger)})
		case ProtocolPrometheus:
			s.open = append(s.open, &listener{sp, ln, serveHTTP(ln, s.prometheusHandler(), s.logger)})
		default:
			s.serveAMQP(sp, ln)
		}
	}
	return nil
}

// serveAMQP accepts AMQP connections. The caller holds mu, and the application
// runs.
func (s *Server) serveAMQP(sp *spec, ln net.Listener) {
	s.open = append(s.open, &listener{sp, ln, nil})
	a := s.app
	a.work.Go(func() {
		for {
			nc, err := listen.Accept(ln, s.logger)
			if err != nil {
				return
			}
			a.work.Go(func() { a.amqp.Serve(nc) })
		}
	})
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
		host, port, _ := net.SplitHostPort(l.ln.Addr().String())
		n, _ := strconv.Atoi(port)
		out = append(out, ListenerInfo{Protocol: l.protocol, Address: host, Port: n})
	}
	return out
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

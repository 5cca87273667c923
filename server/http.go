package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/broker/meta"
)

// Bounds on what a peer may take of an HTTP listener.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 5 * time.Minute
	maxHeader     = 64 << 10
)

// webServer serves HTTP on one listener.
type webServer struct {
	srv  *http.Server
	done chan struct{}
}

func serveHTTP(ln net.Listener, h http.Handler, logger *slog.Logger) *webServer {
	w := &webServer{done: make(chan struct{}), srv: &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}}
	go func() {
		defer close(w.done)
		w.srv.Serve(ln) // until close
	}()
	return w
}

// webGrace is how long a request under way may take when its listener closes:
// one of them may be the command that closes it.
const webGrace = time.Second

// close ends the listener, and its connections when they are idle or ctx ends.
func (w *webServer) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, webGrace)
	defer cancel()
	if w.srv.Shutdown(ctx) != nil {
		w.srv.Close()
	}
	<-w.done
}

// controlHandler is what the control socket serves: the same as the management
// listener, to somebody who may do everything.
func (s *Server) controlHandler() http.Handler { return trusted(s.managementHandler()) }

// managementHandler is what the management listener serves.
func (s *Server) managementHandler() http.Handler {
	health := http.NewServeMux()
	s.health(health)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/health/") {
			health.ServeHTTP(w, r)
			return
		}
		s.mgmt.ServeHTTP(w, r)
	})
}

// health adds the two questions that a supervisor asks: is the process there,
// and can clients work?
func (s *Server) health(mux *http.ServeMux) {
	mux.HandleFunc("GET /health/live", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) {
		if why := s.notReady(); why != "" {
			answer(w, http.StatusServiceUnavailable, map[string]string{"status": "failed", "reason": why})
			return
		}
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
}

// notReady says why clients cannot work; "" if they can.
func (s *Server) notReady() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return "the store has failed: " + s.err.Error()
	case s.phase == starting:
		return "the broker is starting"
	case s.phase == stopping || s.closed:
		return "the broker is stopping"
	case s.phase == stopped:
		return "the broker is stopped"
	case s.suspended:
		return "listeners are suspended"
	}
	return ""
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(body)
}

// Ping returns as long as the node is alive: its locks can be had. A supervisor
// that sees it hang kills the node.
func (s *Server) Ping() {
	s.mu.Lock()
	a := s.app
	s.mu.Unlock()
	if a != nil {
		a.broker.View(func(*meta.State) {})
	}
}

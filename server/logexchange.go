package server

import (
	"time"

	"github.com/warrenmq/warren/internal/broker"
)

// logRetry is how long is waited before the exchange of the log is made again.
const logRetry = 5 * time.Second

// publishLog publishes the log from now on, if it is wanted. The virtual host may
// go, and come again: then the exchange does, too.
func (s *Server) publishLog(a *app) {
	if s.cfg.LogExchange == nil {
		return
	}
	vhost := s.cfg.DefaultVHost
	tried := time.Now()
	if err := a.broker.DeclareLogExchange(vhost); err != nil {
		s.logger.Warn("the log is not published", "exchange", broker.LogExchange, "vhost", vhost, "reason", err)
	} else {
		s.logger.Info("the log is published", "exchange", broker.LogExchange, "vhost", vhost)
	}
	a.quiet = s.cfg.LogExchange(func(e LogEntry) {
		m := broker.LogEntry{Level: e.Level, Time: e.Time, ContentType: "text/plain", Body: e.Text}
		if e.JSON {
			m.ContentType = "application/json"
		}
		if a.broker.PublishLog(vhost, m) == nil || time.Since(tried) < logRetry {
			return
		}
		tried = time.Now()
		if a.broker.VHost(vhost) != nil && a.broker.DeclareLogExchange(vhost) == nil {
			a.broker.PublishLog(vhost, m) // else it is gone, as without a queue
		}
	})
}

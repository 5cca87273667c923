package server

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/listen"
)

// CertificateInfo is a certificate and the listener that presents it.
type CertificateInfo struct {
	Listener ListenerInfo
	File     string
	Leaf     *x509.Certificate
}

// Certificates are those that open listeners present now.
func (s *Server) Certificates() []CertificateInfo {
	s.mu.Lock()
	open := slices.Clone(s.open)
	s.mu.Unlock()
	var out []CertificateInfo
	for _, l := range open {
		if l.tls != nil {
			leaf, file := l.tls.Leaf()
			out = append(out, CertificateInfo{l.info(), file, leaf})
		}
	}
	return out
}

// Reload reads certificates and the configuration again. Connections stay. It
// returns the keys of settings that have changed and need a new start. After an
// error what could not be read stays as it was.
func (s *Server) Reload() (pending []string, err error) {
	s.ops <- struct{}{}
	defer func() { <-s.ops }()
	var done []*listen.TLS
	for _, sp := range s.specs {
		if sp.tls == nil || slices.Contains(done, sp.tls) {
			continue
		}
		done = append(done, sp.tls)
		if e := sp.tls.Reload(); e != nil {
			err = errors.Join(err, &TLSError{Protocol: sp.protocol, Err: e})
		}
	}
	if s.cfg.Reread != nil {
		now, e := s.cfg.Reread()
		err = errors.Join(err, e)
		if e == nil {
			pending = changed(s.cfg.Settings, now)
		}
	}
	if err != nil {
		s.logger.Error("reload failed, what was before holds", "reason", err)
	} else {
		s.logger.Info("reloaded", "certificates", len(done), "pending", pending)
	}
	return pending, err
}

// changed lists the keys whose values differ, other than levels of the log,
// which have been changed already.
func changed(old, now []Setting) []string {
	values := map[string]string{}
	for _, s := range old {
		values[s.Key] = s.Value
	}
	out := []string{}
	add := func(key string) {
		if !strings.HasPrefix(key, "log.") || !strings.HasSuffix(key, ".level") {
			out = append(out, key)
		}
	}
	for _, s := range now {
		if v, ok := values[s.Key]; !ok || v != s.Value {
			add(s.Key)
		}
		delete(values, s.Key)
	}
	for key := range values {
		add(key)
	}
	slices.Sort(out)
	return out
}

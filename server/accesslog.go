package server

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/logging"
)

// accessLog is the record of HTTP requests, in the form that web servers have
// in common (combined): who, when, what, with which result.
type accessLog struct {
	file  *logging.File
	queue *logging.Queue
}

// openAccessLog opens access.log in a directory; nil if none is named.
func openAccessLog(dir string, logger *slog.Logger) (*accessLog, error) {
	if dir == "" {
		return nil, nil
	}
	f, err := logging.OpenFile(filepath.Join(dir, "access.log"), logging.Rotation{Date: "$D0"})
	if err != nil {
		return nil, fmt.Errorf("the log of HTTP requests: %w", err)
	}
	lost := func(n int64, err error) {
		logger.Error("requests are missing in the log of HTTP requests", "file", f.Name(), "lines", n, "reason", err)
	}
	return &accessLog{file: f, queue: logging.NewQueue(f, lost)}, nil
}

func (l *accessLog) close() error {
	if l == nil {
		return nil
	}
	l.queue.Close()
	return l.file.Close()
}

func (l *accessLog) reopen() error {
	if l == nil {
		return nil
	}
	l.queue.Flush()
	return l.file.Reopen()
}

// wrap records the requests that a handler answers.
func (l *accessLog) wrap(h http.Handler) http.Handler {
	if l == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		counted := &countedWriter{ResponseWriter: w}
		defer func() { l.queue.Put(accessLine(begin, r, counted)) }()
		h.ServeHTTP(counted, r)
	})
}

func accessLine(at time.Time, r *http.Request, w *countedWriter) []byte {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = "-"
	}
	user, _, _ := r.BasicAuth()
	return fmt.Appendf(nil, "%s - %s [%s] \"%s %s %s\" %d %d \"%s\" \"%s\"\n", host, cmp.Or(strings.ReplaceAll(quoted(user), " ", `\x20`), "-"), at.Format("02/Jan/2006:15:04:05 -0700"),
		quoted(r.Method), quoted(r.URL.EscapedPath()), r.Proto, cmp.Or(w.status, http.StatusOK), w.bytes, quoted(r.Referer()), quoted(r.UserAgent()))
}

// longest is how much of what a peer says is kept in a line.
const longest = 2048

// quoted is a peer's text so that it stays within its quotes, and within the line.
func quoted(s string) string {
	var b strings.Builder
	for _, r := range s[:min(len(s), longest)] {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r >= 0x7f && r < 0xa0:
			fmt.Fprintf(&b, "\\x%02x", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// countedWriter knows what was answered.
type countedWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// Unwrap is for http.ResponseController.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *countedWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countedWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher.
func (w *countedWriter) Flush() {
	if err := http.NewResponseController(w.ResponseWriter).Flush(); errors.Is(err, http.ErrNotSupported) {
		return
	}
}

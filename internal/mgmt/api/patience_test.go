package api

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// oneConn is a listener with one connection.
type oneConn struct {
	net.Conn
	given chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if _, first := <-l.given; first {
		return l.Conn, nil
	}
	return nil, net.ErrClosed
}
func (l *oneConn) Addr() net.Addr { return l.LocalAddr() }
func (l *oneConn) Close() error   { return nil }

// TestSlowBody: whose body does not come is not waited for, with or without a login.
func TestSlowBody(t *testing.T) {
	for _, head := range []string{"POST /api/login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n",
		"PUT /api/vhosts/x HTTP/1.1\r\nAuthorization: Basic Z3Vlc3Q6Z3Vlc3Q=\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t)
			client, srv := net.Pipe()
			ln := &oneConn{srv, make(chan struct{}, 1)}
			ln.given <- struct{}{}
			close(ln.given)
			s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.RemoteAddr = f.source
				f.api.ServeHTTP(w, r)
			})}
			go s.Serve(ln)
			defer s.Close()
			defer client.Close()
			begun := time.Now()
			if _, err := fmt.Fprintf(client, "%sHost: x\r\nContent-Length: 100\r\n\r\n{\"a\":", head); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(client), nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != http.StatusRequestTimeout || time.Since(begun) != bodyPatience {
				t.Errorf("%.10s: %s after %v", head, resp.Status, time.Since(begun))
			}
		})
	}
}

// TestLongLogin: nobody sends much before they have logged in.
func TestLongLogin(t *testing.T) {
	f := newFixture(t)
	r := f.request("POST", "/api/login", "username=guest&password="+strings.Repeat("x", maxLoginForm), "Content-Type", "application/x-www-form-urlencoded")
	if code := f.send(r).StatusCode; code != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", code)
	}
}

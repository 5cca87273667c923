// Package client asks a node's HTTP API: over its socket, as the administrator,
// or over a URL with a user's name and password.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// Client asks one node. It is safe for concurrent use.
type Client struct {
	base           string // without a slash at the end
	user, password string
	http           *http.Client
}

// Error is an answer that is not a success.
type Error struct {
	Status int
	Code   string
	Reason string
}

func (e *Error) Error() string {
	if e.Reason != "" {
		return e.Reason
	}
	return fmt.Sprintf("the node answered %d %s", e.Status, http.StatusText(e.Status))
}

// IsNotFound reports whether err says that something is not there.
func IsNotFound(err error) bool { return hasStatus(err, http.StatusNotFound) }

// IsUnauthorized reports whether err says that the user may not.
func IsUnauthorized(err error) bool { return hasStatus(err, http.StatusUnauthorized) }

func hasStatus(err error, status int) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == status
}

// OverSocket returns a client of the node whose socket dial connects to.
func OverSocket(dial func(context.Context) (net.Conn, error)) *Client {
	return &Client{base: "http://node", http: &http.Client{Transport: &http.Transport{
		DialContext:     func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		IdleConnTimeout: 30 * time.Second,
	}}}
}

// OverURL returns a client of the node at a URL such as
// http://guest:guest@localhost:15672. A user in the URL goes before user.
func OverURL(raw, user, password string, tlsConfig *tls.Config) (*Client, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not the URL of a node: want http://host:15672 or https://host:15671", u.Redacted())
	}
	if u.User != nil {
		user = u.User.Username()
		password, _ = u.User.Password()
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return &Client{base: strings.TrimSuffix(u.String(), "/"), user: user, password: password,
		http: &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: tlsConfig, IdleConnTimeout: 30 * time.Second}}}, nil
}

// Close closes connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Path joins the parts of a path below /api, escaped.
func Path(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

// Do sends a request to a path below /api, which Path made, perhaps with a query
// after it. in goes out as JSON, unless it is nil; the answer is decoded into
// out, unless that is nil. created tells 201 from other successes.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) (created bool, err error) {
	resp, err := c.send(ctx, method, path, in, nil)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if out != nil && resp.StatusCode != http.StatusNoContent {
		if raw, ok := out.(*[]byte); ok {
			*raw, err = io.ReadAll(resp.Body)
			return resp.StatusCode == http.StatusCreated, err
		}
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
			return false, fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusCreated, nil
}

// Get is Do of a GET.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	_, err := c.Do(ctx, http.MethodGet, path, nil, out)
	return err
}

// Put is Do of a PUT.
func (c *Client) Put(ctx context.Context, path string, in any) (created bool, err error) {
	return c.Do(ctx, http.MethodPut, path, in, nil)
}

// Post is Do of a POST.
func (c *Client) Post(ctx context.Context, path string, in, out any) error {
	_, err := c.Do(ctx, http.MethodPost, path, in, out)
	return err
}

// Delete is Do of a DELETE. reason is what clients are told whose connection
// ends by it.
func (c *Client) Delete(ctx context.Context, path, reason string) error {
	h := http.Header{}
	if reason != "" {
		h.Set("X-Reason", oneLine(reason))
	}
	resp, err := c.send(ctx, http.MethodDelete, path, nil, h)
	if err != nil {
		return err
	}
	io.Copy(io.Discard, resp.Body)
	return resp.Body.Close()
}

// oneLine makes spaces of what no header can hold.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// send returns a success, or an error with nothing to be closed.
func (c *Client) send(ctx context.Context, method, path string, in any, header http.Header) (*http.Response, error) {
	var body io.Reader
	switch in := in.(type) {
	case nil:
	case json.RawMessage:
		body = bytes.NewReader(in)
	default:
		raw, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/api"+path, body)
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.user != "" {
		req.SetBasicAuth(c.user, c.password)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, readError(resp)
}

// maxError bounds what is read of an answer that is not a success.
const maxError = 1 << 20

func readError(resp *http.Response) error {
	e := &Error{Status: resp.StatusCode}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxError))
	if err != nil {
		return err
	}
	var b apitype.Error
	if json.Unmarshal(raw, &b) != nil {
		return e
	}
	e.Code = b.Error
	switch r := b.Reason.(type) {
	case string:
		e.Reason = r
	case nil:
		// Health checks have their own form.
		e.Reason = strings.TrimSpace(string(raw))
	default:
		text, _ := json.Marshal(r)
		e.Reason = string(text)
	}
	return e
}

// Package api is the management HTTP API: RabbitMQ's paths, fields, errors and
// rules of who may do what, over the core of package broker.
//
// A request goes through API.ServeHTTP: find the Route, see who asks (auth.go),
// check that they may, run the route's handler. Handlers return an error, which
// becomes the status and body that RabbitMQ would give, or answer with
// Request.Reply, List and the like. Lists of any type go through one pipeline
// (list.go): filter, sort, page, columns.
//
// Requests that come over the node's own socket are marked with OverSocket by
// who serves it: whoever may open the socket is the administrator.
package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/stats"
)

// Deps are what the API is made of.
type Deps struct {
	Broker *broker.Broker // nil: the application is stopped
	Node   Node
	Audit  AuditLog // nil: there is none to read
	// Stats are the rates and samples of Broker. Nil: nothing is sampled.
	Stats  *stats.Sampler
	Logger *slog.Logger // nil: silent
	Config Config
	// Hosts runs commands on hosts; nil: it is not there.
	Hosts Hosts
	// UI serves what is not below /api: the page. Nil: nothing is there.
	UI http.Handler
	// Debug serves what is below /debug/, to administrators. Nil: nothing.
	Debug http.Handler
}

// Config is the part of the configuration that concerns the API. The zero value
// of a field is its default.
type Config struct {
	NodeName    string // rabbit@host
	ClusterName string // of a node that was never given one
	// ProductName, ProductVersion and Level are what overview and definitions
	// say: what this is, and the release of RabbitMQ that it behaves like.
	ProductName, ProductVersion, Level string

	DataDir     string
	ConfigFiles []string        // those that were read
	LogFiles    func() []string // nil: none

	PathPrefix    string // management.path_prefix
	MaxBodySize   int64  // management.http.max_body_size; default 10,000,000
	LoginTimeout  time.Duration
	CORSOrigins   []string
	CORSMaxAge    int // seconds; default 1800
	CSP           string
	HSTS          string
	ContentType   string // management.headers.content_type_options
	XSSProtection string
	FrameOptions  string
	Referrer      string
	NoBasicAuth   bool // management.disable_basic_auth
	ReferenceAuth bool // management.require_auth_for_api_reference
	NoOpPolicies  bool // management.restrictions.operator_policy_changes.disabled
	DisableStats  bool
	QueueTotals   bool   // management.enable_queue_totals
	RatesMode     string // basic, detailed, none
}

// Defaults of Config.
const (
	DefaultMaxBodySize  = 10_000_000
	DefaultLoginTimeout = 8 * time.Hour
	DefaultCSP          = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'self'; form-action 'self'"
)

func (c *Config) setDefaults() {
	if c.MaxBodySize == 0 {
		c.MaxBodySize = DefaultMaxBodySize
	}
	if c.LoginTimeout == 0 {
		c.LoginTimeout = DefaultLoginTimeout
	}
	if c.CORSMaxAge == 0 {
		c.CORSMaxAge = 1800
	}
	if c.CSP == "" {
		c.CSP = DefaultCSP
	}
	if c.RatesMode == "" {
		c.RatesMode = "basic"
	}
	if c.PathPrefix = strings.Trim(c.PathPrefix, "/"); c.PathPrefix != "" {
		c.PathPrefix = "/" + c.PathPrefix
	}
}

// API answers requests. It is safe for concurrent use.
type API struct {
	Deps
	routes   []*Route
	tree     router
	logins   *loginGuard
	sessions *sessions
	types    sync.Map // reflect.Type -> *structInfo
	openapi  func() document
	clients  atomic.Uint64 // that were opened in the core
}

// New makes the API of a node.
func New(d Deps) (*API, error) {
	if d.Node == nil {
		return nil, errors.New("the API needs a node")
	}
	d.Config.setDefaults()
	if d.Stats == nil && d.Broker != nil {
		d.Stats = stats.New(stats.Options{Broker: d.Broker})
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	a := &API{Deps: d, logins: newLoginGuard(), sessions: newSessions(d.Config.LoginTimeout)}
	a.routes = a.table()
	for _, r := range a.routes {
		a.tree.add(r)
	}
	a.openapi = sync.OnceValue(a.describe)
	return a, nil
}

type socketKey struct{}

// OverSocket marks the context of requests that come over the node's own socket.
// The server of the socket sets it (http.Server.ConnContext).
func OverSocket(ctx context.Context) context.Context {
	return context.WithValue(ctx, socketKey{}, true)
}

func overSocket(ctx context.Context) bool { return ctx.Value(socketKey{}) != nil }

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.commonHeaders(w, r)
	path := r.URL.EscapedPath()
	if p := a.Config.PathPrefix; p != "" && !overSocket(r.Context()) {
		rest, ok := strings.CutPrefix(path, p)
		switch {
		case path == "/":
			http.Redirect(w, r, p+"/", http.StatusMovedPermanently)
			return
		case !ok || rest != "" && rest[0] != '/':
			a.fail(w, r, NotFound())
			return
		}
		path = rest
	}
	rest, ok := strings.CutPrefix(path, "/api")
	switch {
	case ok && (rest == "" || rest == "/"), path == "/doc/stats.html", path == "/stats":
		http.Redirect(w, r, a.Config.PathPrefix+"/api/index.html", http.StatusMovedPermanently)
	case ok && rest[0] == '/':
		a.serve(w, r, rest)
	case path == "/cli":
		http.Redirect(w, r, a.Config.PathPrefix+"/cli/index.html", http.StatusMovedPermanently)
	case strings.HasPrefix(path, "/cli/"):
		a.cliPage(w, path)
	case a.Debug != nil && path == "/debug":
		http.Redirect(w, r, a.Config.PathPrefix+"/debug/", http.StatusMovedPermanently)
	case a.Debug != nil && strings.HasPrefix(path, "/debug/"):
		a.Guard(Administrator, http.StripPrefix(a.Config.PathPrefix, a.Debug)).ServeHTTP(w, r)
	case a.UI != nil:
		if a.Config.CSP == DefaultCSP { // nobody has set one, and the page has its own
			w.Header().Del("Content-Security-Policy")
		}
		http.StripPrefix(a.Config.PathPrefix, a.UI).ServeHTTP(w, r)
	default:
		a.fail(w, r, NotFound())
	}
}

// Guard lets those users through to h who have the access, with the API's ways
// to log in and its patience with wrong passwords.
func (a *API) Guard(access Access, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rq := &Request{Request: r, W: w, API: a, Route: &Route{Method: r.Method, Access: access}, vars: map[string]string{}}
		if err := a.authorise(rq); err != nil {
			a.fail(w, r, err)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// serve answers a request below /api.
func (a *API) serve(w http.ResponseWriter, r *http.Request, path string) {
	parts, ok := split(path)
	routes := map[string]*Route(nil)
	if ok {
		routes = a.tree.find(parts)
	}
	if routes == nil {
		a.fail(w, r, NotFound())
		return
	}
	method := r.Method
	switch method {
	case http.MethodOptions:
		a.options(w, r, routes)
		return
	case http.MethodHead:
		method = http.MethodGet
	}
	route := routes[method]
	if route == nil {
		w.Header().Set("Allow", allow(routes))
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if a.foreign(w, r) {
		a.fail(w, r, notAuthorised("pages of other sites may not change anything here; management.cors.allow_origins says which may"))
		return
	}
	rq := &Request{Request: r, W: w, API: a, Route: route, vars: route.vars(parts)}
	limit := a.Config.MaxBodySize
	if overSocket(r.Context()) {
		limit = maxSocketBody // management.http.max_body_size is about the network
	}
	r.Body = http.MaxBytesReader(w, &patient{r.Body, http.NewResponseController(w)}, limit)
	if err := a.run(rq); err != nil {
		a.fail(w, r, err)
	}
}

// maxSocketBody bounds what whoever owns the node may send: a file of definitions
// of any size that there is.
const maxSocketBody = 1 << 30

// bodyPatience is how long one may wait for the next piece of a body.
const bodyPatience = 30 * time.Second

// patient is a body that ends with an error when nothing comes any more, so that
// nobody holds a connection and what was read of its body for ever.
type patient struct {
	io.ReadCloser
	conn *http.ResponseController
}

func (p *patient) Read(b []byte) (int, error) {
	p.conn.SetReadDeadline(time.Now().Add(bodyPatience)) // not supported: no network is there
	n, err := p.ReadCloser.Read(b)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		p.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}

// run authorises and handles; a panic is an internal error.
func (a *API) run(rq *Request) (err error) {
	defer func() {
		p := recover()
		if p == http.ErrAbortHandler {
			panic(p)
		}
		if p != nil {
			a.Logger.Error("request failed", "method", rq.Method, "path", rq.URL.Path, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if a.Broker == nil && !(rq.Route.Stopped && overSocket(rq.Context())) {
		return unavailable("the broker is stopped")
	}
	if err := a.authorise(rq); err != nil {
		return err
	}
	if strings.Contains(rq.URL.RawQuery, "_age=") {
		if err := rq.checkRanges(rq.URL.Query()); err != nil {
			return err
		}
	}
	return rq.Route.Handle(rq)
}

// fail answers with an error.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	var e *Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errChallenge) && r.Header.Get("X-Requested-With") == "warren":
		// The page has a form of its own; a browser would put its window before it.
		e = &Error{http.StatusUnauthorized, "not_authorized", "Not_Authorized"}
	case errors.Is(err, errChallenge):
		w.Header().Set("WWW-Authenticate", realm)
		w.WriteHeader(http.StatusUnauthorized)
		return
	case errors.As(err, &tooLarge):
		e = &Error{http.StatusRequestEntityTooLarge, "payload_too_large", fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit)}
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		e = &Error{http.StatusRequestTimeout, "request_timeout", "the body did not come in time"}
	case !errors.As(err, &e):
		if r.Context().Err() == nil {
			a.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
		}
		e = &Error{http.StatusInternalServerError, "internal_server_error", err.Error()}
	}
	body, err := appendJSON(nil, apitype.Error{Error: e.Code, Reason: e.Reason})
	if err != nil {
		body = []byte(`{"error":"internal_server_error","reason":"no words for it"}`)
	}
	writeJSON(w, e.Status, body)
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	w.Write(body) // an error is the client's, who is gone
}

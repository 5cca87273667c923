package api

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
)

const realm = `Basic realm="RabbitMQ Management"`

// errChallenge asks for credentials: 401 with an empty body.
var errChallenge = errors.New("no credentials")

var errLoginFailed = &Error{http.StatusUnauthorized, "not_authorized", "Login failed"}

// socketUser is who acts on requests over the node's own socket.
const socketUser = "rmq-cli"

// authorise sees who asks and whether they may.
func (a *API) authorise(rq *Request) error {
	if overSocket(rq.Context()) {
		rq.Socket = true
		rq.User = auth.User{Name: socketUser, Tags: []string{"administrator"}}
		return nil
	}
	if rq.Route.Access == Open {
		return nil
	}
	user, err := a.authenticate(rq)
	if err != nil {
		if errors.Is(err, errLoginFailed) {
			rq.W.Header().Set("WWW-Authenticate", realm)
		}
		return err
	}
	rq.User = user
	if !hasAny(user.Tags, "administrator", "monitoring", "policymaker", "management") {
		return a.deny(rq, "Not management user")
	}
	if reason := rq.refused(rq.Route.Access); reason != "" {
		return a.deny(rq, reason)
	}
	a.Broker.CountAuth("http", source(rq.Request), user.Name, true)
	return nil
}

// deny refuses a user who is known, and remembers it.
func (a *API) deny(rq *Request, reason string) error {
	a.Broker.CountAuth("http", source(rq.Request), rq.User.Name, false)
	a.Logger.Warn("HTTP access denied", "user", rq.User.Name, "path", rq.URL.Path, "reason", reason)
	a.record(broker.AuditEntry{Actor: rq.Actor(), Action: "request", Object: rq.Method + " " + rq.URL.EscapedPath(), Result: broker.AuditRefused, Reason: reason})
	return notAuthorised(reason)
}

// authenticate takes what the request carries: a password, a session's token,
// or the cookie of the page.
func (a *API) authenticate(rq *Request) (auth.User, error) {
	header := rq.Header.Get("Authorization")
	if header == "" {
		if auth := rq.definitionsDownload(); auth != "" {
			header = "Basic " + auth
		}
	}
	scheme, value, _ := strings.Cut(header, " ")
	switch {
	case strings.EqualFold(scheme, "bearer"):
		return a.resume(value)
	case header != "":
		if a.Config.NoBasicAuth {
			return auth.User{}, notAuthorised("HTTP access denied: basic auth disabled")
		}
		r := &http.Request{Header: http.Header{"Authorization": {header}}}
		name, password, ok := r.BasicAuth()
		if !ok {
			return auth.User{}, errChallenge
		}
		return a.checkPassword(rq.Request, name, password)
	}
	cookie, err := rq.Cookie(sessionCookie)
	if err != nil || cookie.Value == "" {
		return auth.User{}, errChallenge
	}
	// A form on another site can make a browser send the cookie, but not this header.
	if rq.Method != http.MethodGet && rq.Method != http.MethodHead && rq.Header.Get("X-Requested-With") != "warren" {
		return auth.User{}, notAuthorised("requests that change something with a session cookie need the header X-Requested-With: warren")
	}
	return a.resume(cookie.Value)
}

// definitionsDownload is the parameter auth, which RabbitMQ's page puts into the
// link that downloads the definitions. No other path takes it: addresses end up
// in logs.
func (rq *Request) definitionsDownload() string {
	if rq.Method != http.MethodGet || !strings.HasPrefix(rq.Route.Path, "/definitions") {
		return ""
	}
	return rq.Query("auth")
}

// checkPassword logs a user in, slowly if they have often failed.
func (a *API) checkPassword(r *http.Request, name, password string) (auth.User, error) {
	from := source(r)
	known, user := a.verified(name, password)
	if !known {
		if err := a.logins.wait(r.Context(), from, name); err != nil {
			return auth.User{}, err
		}
	}
	fresh, err := a.Broker.Authenticate(name, password, remote(r))
	var refusal *auth.Error
	switch {
	case errors.As(err, &refusal) && refusal.Reason == auth.NotLoopback:
		a.Broker.CountAuth("http", from, name, false)
		return auth.User{}, notAuthorised("User can only log in via localhost")
	case err != nil:
		a.logins.failed(from, name)
		a.Broker.CountAuth("http", from, name, false)
		a.Logger.Warn("HTTP access denied", "user", name, "from", from, "reason", err)
		return auth.User{}, errLoginFailed
	}
	a.logins.succeeded(from, name, user)
	return fresh, nil
}

// verified reports whether these credentials were right not long ago, and still
// are. Then they need not wait because somebody else is guessing.
func (a *API) verified(name, password string) (bool, [32]byte) {
	var hash string
	a.Broker.View(func(s *meta.State) {
		if u := s.User(name); u != nil {
			hash = u.Algorithm + "\x00" + u.PasswordHash
		}
	})
	mark := a.logins.mark(name, password, hash)
	return a.logins.knows(mark), mark
}

// source is the address that a request comes from, without the port.
func source(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func remote(r *http.Request) net.Addr {
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return net.TCPAddrFromAddrPort(ap)
	}
	return nil
}

func hasAny(tags []string, any ...string) bool {
	return slices.ContainsFunc(any, func(t string) bool { return slices.Contains(tags, t) })
}

// Admin, Monitor and Policymaker are what the user's tags come to.
func (rq *Request) Admin() bool       { return hasAny(rq.User.Tags, "administrator") }
func (rq *Request) Monitor() bool     { return hasAny(rq.User.Tags, "administrator", "monitoring") }
func (rq *Request) Policymaker() bool { return hasAny(rq.User.Tags, "administrator", "policymaker") }

// refused is RabbitMQ's reason why the user may not, empty if they may.
func (rq *Request) refused(c Access) string {
	const vhost, object = "User not authorised to access virtual host", "User not authorised to access object"
	switch c {
	case Administrator:
		if !rq.Admin() {
			return "Not administrator user"
		}
	case Monitoring:
		if !rq.Monitor() {
			return "Not monitor user"
		}
	case OfVHost:
		if !rq.Admin() && !rq.matchesVHost() {
			return vhost
		}
	case SeesVHost:
		if !rq.Monitor() && !rq.matchesVHost() {
			return vhost
		}
	case Policies:
		if !rq.Admin() && !(rq.Policymaker() && rq.matchesVHost()) {
			return object
		}
	case Globals:
		if !rq.Policymaker() {
			return object
		}
	}
	return ""
}

// matchesVHost: the path's virtual host is the user's, or there is none, or it
// does not exist, which is for the handler to say.
func (rq *Request) matchesVHost() bool {
	name, ok := rq.vars["vhost"]
	if !ok {
		return true
	}
	match := false
	rq.API.Broker.View(func(s *meta.State) {
		match = s.VHost(name) == nil || s.Permission(rq.User.Name, name) != nil
	})
	return match
}

// VHost is the path's virtual host; the error is 404 if there is none of the name.
func (rq *Request) VHost() (string, error) {
	name := rq.vars["vhost"]
	found := false
	rq.API.Broker.View(func(s *meta.State) { found = s.VHost(name) != nil })
	if !found {
		return "", NotFound()
	}
	return name, nil
}

// VHosts are the virtual hosts that a list is made of: that of the path, or all
// that the user may see: for administrators all, for others those that they have
// access to.
func (rq *Request) VHosts() ([]string, error) {
	if _, ok := rq.vars["vhost"]; ok {
		v, err := rq.VHost()
		return []string{v}, err
	}
	return rq.vhostsSeen(rq.Admin()), nil
}

// vhostsSeen are all virtual hosts, or those the user has access to.
func (rq *Request) vhostsSeen(all bool) []string {
	var names []string
	rq.API.Broker.View(func(s *meta.State) {
		for v := range s.VHosts() {
			if all || s.Permission(rq.User.Name, v.Name) != nil {
				names = append(names, v.Name)
			}
		}
	})
	return names
}

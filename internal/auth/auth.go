// Package auth says who may come in and what they may do: passwords, the
// loopback rule, access to virtual hosts, permissions on queues and exchanges,
// topic permissions.
//
// Who uses it: a session asks an Authority to Login and then for an Access, a
// frozen view of one user in one virtual host, and asks a Checker of its own
// (one per channel) before each operation. A Checker answers from a small
// cache; it looks whether permissions have changed by comparing one number.
//
// The facts come from View, which the broker implements over its definitions.
package auth

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/warrenmq/warren/internal/auth/pattern"
)

// View is what this package wants to know of the definitions. Its methods may
// be called at any time by any goroutine.
type View interface {
	// AuthVersion changes whenever any of the following may have.
	AuthVersion() uint64
	// Credentials of a user.
	Credentials(user string) (c Credentials, ok bool)
	// HasVHost reports whether a virtual host exists.
	HasVHost(name string) bool
	// Grants of a user in a virtual host; ok is false if it has no access.
	Grants(user, vhost string) (g Grants, ok bool)
}

// Credentials are what a user logs in with.
type Credentials struct {
	PasswordHash string
	Algorithm    string
	Tags         []string
}

// Grants are the regular expressions of a user's permissions.
type Grants struct {
	Configure, Write, Read string
	Topics                 []TopicGrant
}

// TopicGrant limits the routing keys for one exchange.
type TopicGrant struct {
	Exchange    string
	Write, Read string
}

// Permission is one of the three.
type Permission uint8

const (
	Configure Permission = iota
	Write
	Read
)

// String is the word that newer releases of RabbitMQ put before "access".
func (p Permission) String() string { return [...]string{"configure", "write", "read"}[p] }

// Kind is what a permission is asked for.
type Kind uint8

const (
	Queue Kind = iota
	Exchange
)

func (k Kind) String() string { return [...]string{"queue", "exchange"}[k] }

// Reason tells kinds of refusal apart; a protocol maps them to its codes.
type Reason uint8

const (
	// BadCredentials: unknown user, wrong or no password (403 in AMQP 0-9-1).
	BadCredentials Reason = iota + 1
	// NotLoopback: the user may only come from this machine (403).
	NotLoopback
	// NoVHost: there is no such virtual host (530).
	NoVHost
	// VHostRefused: the user has no access to the virtual host (530).
	VHostRefused
	// AccessRefused: the user lacks a permission (403).
	AccessRefused
)

// Error is a refusal with RabbitMQ's text.
type Error struct {
	Reason Reason
	Text   string
}

func (e *Error) Error() string { return e.Text }

func refuse(r Reason, format string, args ...any) *Error {
	return &Error{r, fmt.Sprintf(format, args...)}
}

// User is somebody who has logged in.
type User struct {
	Name string
	Tags []string
}

// Has reports whether the user has a tag, such as "administrator".
func (u User) Has(tag string) bool { return slices.Contains(u.Tags, tag) }

// Authority decides over a View. It may be used by many goroutines.
type Authority struct {
	view     View
	loopback []string

	mu     sync.Mutex
	access map[[2]string]*Access // the newest, by user and virtual host
}

// New returns an Authority. loopbackUsers may only connect from this machine.
func New(v View, loopbackUsers []string) *Authority {
	return &Authority{view: v, loopback: slices.Clone(loopbackUsers), access: map[[2]string]*Access{}}
}

// Login checks a name and a password.
func (a *Authority) Login(name, password string) (User, error) {
	c, ok := a.view.Credentials(name)
	// A user that does not exist costs the same time as a wrong password.
	if !Verify(c.Algorithm, c.PasswordHash, password) || !ok {
		return User{}, refuse(BadCredentials, "user '%s' - invalid credentials", name)
	}
	return User{Name: name, Tags: slices.Clone(c.Tags)}, nil
}

// External returns a user who has proved otherwise who it is (a certificate).
func (a *Authority) External(name string) (User, error) {
	c, ok := a.view.Credentials(name)
	if !ok {
		return User{}, refuse(BadCredentials, "user '%s' - invalid credentials", name)
	}
	return User{Name: name, Tags: slices.Clone(c.Tags)}, nil
}

// CheckLoopback refuses users who may only come from this machine.
func (a *Authority) CheckLoopback(user string, remote net.Addr) error {
	if slices.Contains(a.loopback, user) && !IsLoopback(remote) {
		return refuse(NotLoopback, "user '%s' can only connect via localhost", user)
	}
	return nil
}

// IsLoopback reports whether a peer is on this machine: a loopback address, a
// Unix socket, or a pipe within the process.
func IsLoopback(remote net.Addr) bool {
	switch a := remote.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UDPAddr:
		return a.IP.IsLoopback()
	case *net.IPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	case nil:
		return false
	}
	return remote.Network() == "pipe"
}

// CheckVHost refuses a virtual host that is not there or not for the user.
func (a *Authority) CheckVHost(user, vhost string) error {
	if !a.view.HasVHost(vhost) {
		return refuse(NoVHost, "vhost %s not found", vhost)
	}
	if _, ok := a.view.Grants(user, vhost); !ok {
		return refuse(VHostRefused, "access to vhost '%s' refused for user '%s'", vhost, user)
	}
	return nil
}

// Access returns the user's permissions in a virtual host as they are now. The
// error is that of CheckVHost.
func (a *Authority) Access(user, vhost string) (*Access, error) {
	if now := a.known(user, vhost, a.view.AuthVersion()); now != nil && now.granted {
		return now, nil
	}
	if err := a.CheckVHost(user, vhost); err != nil {
		return nil, err
	}
	return a.current(user, vhost), nil
}

// current is Access for somebody who was let in before: if the user or the
// virtual host is gone, nothing is permitted.
func (a *Authority) current(user, vhost string) *Access {
	version := a.view.AuthVersion()
	if now := a.known(user, vhost, version); now != nil {
		return now
	}
	// Should the definitions change meanwhile, version is older than them and
	// the next look makes it anew.
	g, ok := a.view.Grants(user, vhost)
	n := newAccess(user, vhost, version, g, ok)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.access) >= maxAccess {
		clear(a.access)
	}
	a.access[[2]string{user, vhost}] = n
	return n
}

// known is what current has made before, nil if that is not in force now.
func (a *Authority) known(user, vhost string, version uint64) *Access {
	a.mu.Lock()
	defer a.mu.Unlock()
	if old := a.access[[2]string{user, vhost}]; old != nil && old.version == version {
		return old
	}
	return nil
}

const maxAccess = 4096

// Access is what a user may do in a virtual host, frozen. It may be used by
// many goroutines.
type Access struct {
	User, VHost string
	version     uint64
	granted     bool
	perms       [3]*pattern.Pattern // nil: a broken pattern, which allows nothing
	topics      map[string]*topicAccess
}

type topicAccess struct {
	src [3]string
	re  [3]*pattern.Pattern // nil if the pattern has variables
}

func newAccess(user, vhost string, version uint64, g Grants, ok bool) *Access {
	a := &Access{User: user, VHost: vhost, version: version, granted: ok}
	if !ok {
		return a
	}
	for i, src := range []string{g.Configure, g.Write, g.Read} {
		a.perms[i], _ = pattern.Permission(src)
	}
	for _, t := range g.Topics {
		if a.topics == nil {
			a.topics = map[string]*topicAccess{}
		}
		ta := &topicAccess{src: [3]string{Write: t.Write, Read: t.Read}}
		for _, p := range []Permission{Write, Read} {
			if !strings.Contains(ta.src[p], "{") {
				ta.re[p], _ = pattern.Permission(ta.src[p])
			}
		}
		a.topics[t.Exchange] = ta
	}
	return a
}

// Version is the AuthVersion that a stands for.
func (a *Access) Version() uint64 { return a.version }

// May reports whether a permission is given for a name of a queue or exchange.
func (a *Access) May(p Permission, name string) bool {
	if !a.granted || a.perms[p] == nil {
		return false
	}
	return a.perms[p].Match(name)
}

// resourceName is how permissions and texts name the default exchange.
func resourceName(kind Kind, name string) string {
	if kind == Exchange && name == "" {
		return "amq.default"
	}
	return name
}

// Check refuses what is not permitted. The default exchange is called amq.default.
func (a *Access) Check(kind Kind, name string, p Permission) error {
	name = resourceName(kind, name)
	if a.May(p, name) {
		return nil
	}
	return refuse(AccessRefused, "access to %s '%s' in vhost '%s' refused for user '%s'", kind, name, a.VHost, a.User)
}

// Vars are further variables of topic permissions, such as client_id.
type Vars map[string]string

// LimitsTopics reports whether any routing key of an exchange may be refused.
func (a *Access) LimitsTopics(exchange string) bool { return a.topics[exchange] != nil }

// CheckTopic refuses a routing key of a topic exchange. Ask it for topic
// exchanges only: topic permissions say nothing about others.
func (a *Access) CheckTopic(exchange, key string, p Permission, vars Vars) error {
	t := a.topics[exchange]
	if t == nil || a.topicMatch(t, key, p, vars) {
		return nil
	}
	return refuse(AccessRefused, "access to topic '%s' in exchange '%s' in vhost '%s' refused for user '%s'", key, exchange, a.VHost, a.User)
}

func (a *Access) topicMatch(t *topicAccess, key string, p Permission, vars Vars) bool {
	re := t.re[p]
	if re == nil {
		var err error
		if re, err = pattern.Permission(a.expand(t.src[p], vars)); err != nil {
			return false
		}
	}
	return re.Match(key)
}

// expand puts values for {username}, {vhost} and vars. They are text, not patterns.
func (a *Access) expand(src string, vars Vars) string {
	pairs := []string{"{username}", pattern.Quote(a.User), "{vhost}", pattern.Quote(a.VHost)}
	for k, v := range vars {
		if k != "username" && k != "vhost" {
			pairs = append(pairs, "{"+k+"}", pattern.Quote(v))
		}
	}
	return strings.NewReplacer(pairs...).Replace(src)
}

// Checker asks the newest Access and remembers what it allowed. It is for one
// goroutine, such as that of a channel.
type Checker struct {
	auth    *Authority
	access  *Access
	vars    Vars
	allowed map[checkKey]struct{}
	topics  map[topicKey]struct{}
}

type checkKey struct {
	name string
	kind Kind
	perm Permission
}

type topicKey struct {
	exchange, key string
	perm          Permission
}

// What a Checker remembers at most; then it begins anew.
const maxRemembered = 256

// Checker returns one for a user in a virtual host. The error is that of CheckVHost.
func (a *Authority) Checker(user, vhost string, vars Vars) (*Checker, error) {
	access, err := a.Access(user, vhost)
	if err != nil {
		return nil, err
	}
	return &Checker{auth: a, access: access, vars: vars}, nil
}

// Access returns what is in force now.
func (c *Checker) Access() *Access {
	if c.access.version != c.auth.view.AuthVersion() {
		c.access = c.auth.current(c.access.User, c.access.VHost)
		clear(c.allowed)
		clear(c.topics)
	}
	return c.access
}

// Check is Access.Check.
func (c *Checker) Check(kind Kind, name string, p Permission) error {
	a := c.Access()
	k := checkKey{name, kind, p}
	if _, ok := c.allowed[k]; ok {
		return nil
	}
	if err := a.Check(kind, name, p); err != nil {
		return err
	}
	if len(c.allowed) >= maxRemembered {
		clear(c.allowed)
	}
	// The name may be part of a buffer that the caller reuses.
	k.name = strings.Clone(name)
	if c.allowed == nil {
		c.allowed = map[checkKey]struct{}{}
	}
	c.allowed[k] = struct{}{}
	return nil
}

// CheckTopic is Access.CheckTopic.
func (c *Checker) CheckTopic(exchange, key string, p Permission) error {
	a := c.Access()
	if !a.LimitsTopics(exchange) {
		return nil
	}
	k := topicKey{exchange, key, p}
	if _, ok := c.topics[k]; ok {
		return nil
	}
	if err := a.CheckTopic(exchange, key, p, c.vars); err != nil {
		return err
	}
	if len(c.topics) >= maxRemembered {
		clear(c.topics)
	}
	if c.topics == nil {
		c.topics = map[topicKey]struct{}{}
	}
	c.topics[topicKey{strings.Clone(exchange), strings.Clone(key), p}] = struct{}{}
	return nil
}

package broker

import (
	"cmp"
	"errors"
	"fmt"
	"net"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker/meta"
)

// facts is a Broker as package auth sees it (auth.View).
type facts Broker

// AuthVersion implements auth.View.
func (f *facts) AuthVersion() uint64 { return f.authVersion.Load() }

// Credentials implements auth.View.
func (f *facts) Credentials(user string) (auth.Credentials, bool) {
	f.defs.Lock()
	defer f.defs.Unlock()
	u := f.state.User(user)
	if u == nil {
		return auth.Credentials{}, false
	}
	return auth.Credentials{PasswordHash: u.PasswordHash, Algorithm: u.Algorithm, Tags: u.Tags}, true
}

// HasVHost implements auth.View.
func (f *facts) HasVHost(name string) bool {
	f.defs.Lock()
	defer f.defs.Unlock()
	return f.state.VHost(name) != nil
}

// Grants implements auth.View.
func (f *facts) Grants(user, vhost string) (auth.Grants, bool) {
	f.defs.Lock()
	defer f.defs.Unlock()
	p := f.state.Permission(user, vhost)
	if p == nil || f.state.User(user) == nil {
		return auth.Grants{}, false
	}
	g := auth.Grants{Configure: p.Configure, Write: p.Write, Read: p.Read}
	for _, t := range f.state.TopicPermissions(user, vhost) {
		g.Topics = append(g.Topics, auth.TopicGrant{Exchange: t.Exchange, Write: t.Write, Read: t.Read})
	}
	return g, true
}

// Authenticate checks a name and password, and whether the user may come from
// where the peer is.
func (b *Broker) Authenticate(user, password string, remote net.Addr) (auth.User, error) {
	u, err := b.auth.Login(user, password)
	if err != nil {
		return auth.User{Name: user}, b.noLogin(user, remote, err)
	}
	if err := b.auth.CheckLoopback(user, remote); err != nil {
		return u, b.noLogin(user, remote, err)
	}
	return u, nil
}

// AuthenticateExternal accepts a user who proved otherwise who it is.
func (b *Broker) AuthenticateExternal(user string, remote net.Addr) (auth.User, error) {
	u, err := b.auth.External(user)
	if err != nil {
		return auth.User{Name: user}, b.noLogin(user, remote, err)
	}
	if err := b.auth.CheckLoopback(user, remote); err != nil {
		return u, b.noLogin(user, remote, err)
	}
	return u, nil
}

// noLogin puts a refused login on record and returns why it was refused.
func (b *Broker) noLogin(user string, remote net.Addr, err error) error {
	from := "?"
	if remote != nil {
		from = remote.String()
	}
	e := AuditEntry{Actor: Actor{User: user, Source: from}, Action: "log in", Object: user, Result: AuditRefused, Reason: err.Error()}
	var ae *auth.Error
	if errors.As(err, &ae) && ae.Reason == auth.NotLoopback {
		e.Detail = "make another user (in a container: RABBITMQ_DEFAULT_USER and RABBITMQ_DEFAULT_PASS before the first start, " +
			"or rabbitmqctl add_user), or let this one in with loopback_users = none"
	}
	b.Audit(e)
	return err
}

// allowed checks a permission of the client's user.
func (c *Client) allowed(kind auth.Kind, name string, p auth.Permission) error {
	if c.Operator {
		return nil
	}
	return coreAuthError(c.access.Check(kind, name, p))
}

// mayPublish checks the permission to publish to an exchange.
func (c *Client) mayPublish(label string) error {
	if err := c.allowed(auth.Exchange, label, auth.Write); err != nil {
		return c.refused(AuditEntry{Action: "publish", VHost: c.VHost, Object: label}, err)
	}
	return nil
}

func (c *Client) topicAllowed(exchange, key string, p auth.Permission) error {
	if c.Operator {
		return nil
	}
	return coreAuthError(c.access.CheckTopic(exchange, key, p))
}

// coreAuthError turns a refusal of package auth into one of the core.
func coreAuthError(err error) error {
	var ae *auth.Error
	if !errors.As(err, &ae) {
		return err
	}
	k := AccessRefused
	if ae.Reason == auth.NoVHost || ae.Reason == auth.VHostRefused {
		k = NotAllowed
	}
	return &Error{Kind: k, Text: ae.Text}
}

// bootstrap gives an empty node its first virtual host and user, all at once.
func (b *Broker) bootstrap() error {
	b.defs.Lock()
	for range b.state.VHosts() {
		b.defs.Unlock()
		return nil
	}
	s := b.cfg.Bootstrap
	if s.VHost == "" {
		b.defs.Unlock()
		return nil
	}
	hash, algorithm, err := b.HashPassword(s.Password)
	if err != nil {
		b.defs.Unlock()
		return fmt.Errorf("password of the default user '%s': %w", s.User, err)
	}
	var logged []meta.Command
	var changes []meta.Change
	user := &meta.PutUser{Name: s.User, PasswordHash: hash, Algorithm: algorithm, Tags: s.Tags}
	access := &meta.SetPermissions{User: s.User, VHost: s.VHost,
		Configure: cmp.Or(s.Configure, ".*"), Write: cmp.Or(s.Write, ".*"), Read: cmp.Or(s.Read, ".*")}
	cmds, _, err := b.withDefaults(meta.Bootstrap(user, access))
	if err != nil {
		b.defs.Unlock()
		return err
	}
	for _, c := range cmds {
		res, err := b.state.Apply(c)
		if err != nil {
			b.defs.Unlock()
			return coreError(err)
		}
		logged, changes = append(logged, res.Log...), append(changes, res.Changes...)
	}
	pos, err := b.logCommands(logged)
	b.derive(changes)
	b.defs.Unlock()
	if err != nil {
		return err
	}
	return b.sync(pos)
}

package broker

import (
	"crypto/rand"

	"github.com/warrenmq/warren/internal/auth/pattern"
	"github.com/warrenmq/warren/internal/broker/meta"
)

// VHostDefaults is what new virtual hosts get whose names match Pattern (a
// regular expression): a limit, a user, or an operator policy.
type VHostDefaults struct {
	Pattern string
	Limits  meta.Limits
	User    *VHostUser
	Policy  *meta.SetPolicy // its VHost and Operator are filled in
}

// VHostUser is a user that new virtual hosts get. One of this name that exists
// only gets permissions.
type VHostUser struct {
	Name                   string
	Password               string // "": a random one, so that nobody can log in
	Tags                   []string
	Configure, Write, Read string
}

// withDefaults adds, behind each command that makes a virtual host, those that
// give it what it gets by default. Called with defs held.
func (b *Broker) withDefaults(cmds []meta.Command) (all []meta.Command, added map[int]bool, err error) {
	if len(b.cfg.VHostDefaults) == 0 {
		return cmds, nil, nil
	}
	added = map[int]bool{}
	users := map[string]bool{} // made by this change
	for _, c := range cmds {
		all = append(all, c)
		put, ok := c.(*meta.PutVHost)
		if !ok || b.state.VHost(put.Name) != nil {
			continue
		}
		more, err := b.defaultsOf(put.Name, users)
		if err != nil {
			return nil, nil, err
		}
		for _, m := range more {
			added[len(all)] = true
			all = append(all, m)
		}
	}
	return all, added, nil
}

func (b *Broker) defaultsOf(vhost string, users map[string]bool) (cmds []meta.Command, err error) {
	for _, d := range b.cfg.VHostDefaults {
		re, err := pattern.Compile(d.Pattern)
		if err != nil {
			return nil, errf(InternalError, "what new virtual hosts get: pattern '%s': %v", d.Pattern, err)
		}
		if !re.Match(vhost) {
			continue
		}
		if d.Limits != nil {
			cmds = append(cmds, &meta.SetVHostLimits{VHost: vhost, Limits: d.Limits})
		}
		if u := d.User; u != nil {
			if b.state.User(u.Name) == nil && !users[u.Name] {
				users[u.Name] = true
				password := u.Password
				if password == "" {
					password = rand.Text()
				}
				hash, algorithm, err := b.HashPassword(password)
				if err != nil {
					return nil, err
				}
				cmds = append(cmds, &meta.PutUser{Name: u.Name, PasswordHash: hash, Algorithm: algorithm, Tags: u.Tags})
			}
			cmds = append(cmds, &meta.SetPermissions{User: u.Name, VHost: vhost, Configure: u.Configure, Write: u.Write, Read: u.Read})
		}
		if p := d.Policy; p != nil {
			set := *p
			set.VHost, set.Operator = vhost, true
			cmds = append(cmds, &set)
		}
	}
	return cmds, nil
}

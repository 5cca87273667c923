package meta

import (
	"maps"
	"slices"

	"github.com/warrenmq/warren/internal/auth/pattern"
)

func (s *State) putUser(c *PutUser, r *Result) error {
	if c.Name == "" {
		return errf(Invalid, "user name cannot be empty")
	}
	u := &User{Name: c.Name, PasswordHash: c.PasswordHash, Algorithm: c.Algorithm, Tags: slices.Clone(c.Tags)}
	if old := s.User(c.Name); old != nil {
		r.Existed = true
		u.Limits = old.Limits
	}
	s.users.set(c.Name, &user{u})
	s.authVer++
	r.add(Change{Kind: UserChanged, User: c.Name})
	r.log(c)
	return nil
}

func (s *State) deleteUser(c *DeleteUser, r *Result) error {
	if s.User(c.Name) == nil {
		if s.replaying {
			return nil
		}
		return noUser(c.Name)
	}
	r.Existed = true
	for v := range s.vhosts.all() {
		had := v.perms[c.Name] != nil || v.topics[c.Name] != nil
		delete(v.perms, c.Name)
		delete(v.topics, c.Name)
		if had {
			r.add(Change{Kind: PermissionsChanged, VHost: v.info.Name, User: c.Name})
		}
	}
	s.users.delete(c.Name)
	s.authVer++
	r.add(Change{Kind: UserDeleted, User: c.Name})
	r.log(c)
	return nil
}

func (s *State) setUserLimits(c *SetUserLimits, r *Result) error {
	old := s.User(c.User)
	if old == nil {
		return noUser(c.User)
	}
	if err := checkLimits(c.Limits, "user-limits", "max-connections", "max-channels"); err != nil && !s.replaying {
		return errf(Invalid, "%v", err)
	}
	u := *old
	u.Limits = maps.Clone(c.Limits)
	s.users.set(c.User, &user{&u})
	r.add(Change{Kind: UserChanged, User: c.User})
	r.log(c)
	return nil
}

// known finds the virtual host of a permission; the user must exist as well.
func (s *State) known(user, vhost string) (*vhost, error) {
	v := s.vhost(vhost)
	if v == nil || s.User(user) == nil {
		if v == nil {
			return nil, noVHost(vhost)
		}
		return nil, noUser(user)
	}
	return v, nil
}

func (s *State) checkPatterns(ps ...string) error {
	for _, p := range ps {
		if _, err := pattern.Permission(p); err != nil && !s.replaying {
			return errf(Invalid, "invalid regular expression '%s': %v", p, err)
		}
	}
	return nil
}

func (s *State) setPermissions(c *SetPermissions, r *Result) error {
	if err := s.checkPatterns(c.Configure, c.Write, c.Read); err != nil {
		return err
	}
	v, err := s.known(c.User, c.VHost)
	if err != nil {
		return err
	}
	_, r.Existed = v.perms[c.User]
	v.perms[c.User] = &Permission{c.User, c.VHost, c.Configure, c.Write, c.Read}
	s.permissionsChanged(c.User, c.VHost, c, r)
	return nil
}

func (s *State) permissionsChanged(user, vhost string, c Command, r *Result) {
	s.authVer++
	r.add(Change{Kind: PermissionsChanged, VHost: vhost, User: user})
	r.log(c)
}

func (s *State) clearPermissions(c *ClearPermissions, r *Result) error {
	v, err := s.known(c.User, c.VHost)
	if err != nil {
		if s.replaying {
			return nil
		}
		return err
	}
	if _, r.Existed = v.perms[c.User]; !r.Existed {
		return nil
	}
	delete(v.perms, c.User)
	s.permissionsChanged(c.User, c.VHost, c, r)
	return nil
}

func (s *State) setTopicPermissions(c *SetTopicPermissions, r *Result) error {
	if err := s.checkPatterns(c.Write, c.Read); err != nil {
		return err
	}
	v, err := s.known(c.User, c.VHost)
	if err != nil {
		return err
	}
	t := v.topics[c.User]
	if t == nil {
		t = map[string]*TopicPermission{}
		v.topics[c.User] = t
	}
	_, r.Existed = t[c.Exchange]
	t[c.Exchange] = &TopicPermission{c.User, c.VHost, c.Exchange, c.Write, c.Read}
	s.permissionsChanged(c.User, c.VHost, c, r)
	return nil
}

func (s *State) clearTopicPermissions(c *ClearTopicPermissions, r *Result) error {
	v, err := s.known(c.User, c.VHost)
	if err != nil {
		if s.replaying {
			return nil
		}
		return err
	}
	t := v.topics[c.User]
	if c.All {
		r.Existed = t != nil
		delete(v.topics, c.User)
	} else {
		_, r.Existed = t[c.Exchange]
		if delete(t, c.Exchange); len(t) == 0 {
			delete(v.topics, c.User)
		}
	}
	if r.Existed {
		s.permissionsChanged(c.User, c.VHost, c, r)
	}
	return nil
}

// Bootstrap returns what an empty node starts with: a virtual host and a user
// with access to it.
func Bootstrap(user *PutUser, access *SetPermissions) []Command {
	return []Command{&PutVHost{Name: access.VHost, Description: "Default virtual host"}, user, access}
}

package broker

import (
	"cmp"
	"slices"
	"sync"
)

// AuthAttempts counts logins.
type AuthAttempts struct {
	Protocol          string // amqp091, http …
	Remote, User      string // "" unless attempts are counted by source
	Succeeded, Failed uint64
}

// attempts counts logins by protocol and, if that is switched on, by source.
type attempts struct {
	mu       sync.Mutex
	totals   map[string]*AuthAttempts
	bySource bool
	sources  map[AuthAttempts]*AuthAttempts // by protocol, remote and user
}

// maxSources bounds the sources that are told apart.
const maxSources = 10_000

// CountAuth counts a login.
func (b *Broker) CountAuth(protocol, remote, user string, ok bool) {
	a := &b.attempts
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.totals[protocol]
	if t == nil {
		if a.totals == nil {
			a.totals = map[string]*AuthAttempts{}
		}
		t = &AuthAttempts{Protocol: protocol}
		a.totals[protocol] = t
	}
	t.add(ok)
	if !a.bySource {
		return
	}
	k := AuthAttempts{Protocol: protocol, Remote: remote, User: user}
	s := a.sources[k]
	if s == nil {
		if len(a.sources) >= maxSources {
			return
		}
		if a.sources == nil {
			a.sources = map[AuthAttempts]*AuthAttempts{}
		}
		n := k
		s = &n
		a.sources[k] = s
	}
	s.add(ok)
}

func (a *AuthAttempts) add(ok bool) {
	if ok {
		a.Succeeded++
	} else {
		a.Failed++
	}
}

// AuthAttempts returns the logins since the node started or since the last
// reset, by protocol or by source.
func (b *Broker) AuthAttempts(bySource bool) []AuthAttempts {
	a := &b.attempts
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []AuthAttempts
	if bySource {
		for _, s := range a.sources {
			out = append(out, *s)
		}
	} else {
		for _, t := range a.totals {
			out = append(out, *t)
		}
	}
	slices.SortFunc(out, func(x, y AuthAttempts) int {
		return cmp.Or(cmp.Compare(x.Protocol, y.Protocol), cmp.Compare(x.Remote, y.Remote), cmp.Compare(x.User, y.User))
	})
	return out
}

// ResetAuthAttempts forgets what was counted.
func (b *Broker) ResetAuthAttempts() {
	a := &b.attempts
	a.mu.Lock()
	defer a.mu.Unlock()
	a.totals, a.sources = nil, nil
}

// TrackAuthSources switches counting by source on or off.
func (b *Broker) TrackAuthSources(on bool) {
	a := &b.attempts
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bySource = on; !on {
		a.sources = nil
	}
}

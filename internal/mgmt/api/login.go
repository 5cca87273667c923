package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

// loginGuard slows down those who guess passwords. Who fails often, from one
// place as one user, or from one place as many, has to wait before the next
// attempt is looked at, and only a few may wait at a time.
//
// Credentials that were right before do not wait: otherwise anybody could keep a
// user out by guessing.
type loginGuard struct {
	key [32]byte // of the marks

	mu       sync.Mutex
	culprits map[string]*culprit
	good     map[[32]byte]time.Time
	waiting  int
}

type culprit struct {
	failures int
	last     time.Time
	next     time.Time // when the next attempt may be looked at
}

const (
	freeAttempts       = 5  // of a user from a place, before it is slow
	freeAttemptsSource = 50 // of all users from a place
	maxLoginDelay      = 5 * time.Second
	forgetFailures     = 10 * time.Minute
	maxCulprits        = 8192
	maxGood            = 4096
	maxLoginsWaiting   = 64
)

func newLoginGuard() *loginGuard {
	g := &loginGuard{culprits: map[string]*culprit{}, good: map[[32]byte]time.Time{}}
	rand.Read(g.key[:])
	return g
}

// mark stands for credentials without being them.
func (g *loginGuard) mark(name, password, hash string) (m [32]byte) {
	h := hmac.New(sha256.New, g.key[:])
	h.Write([]byte(name + "\x00" + password + "\x00" + hash))
	h.Sum(m[:0])
	return m
}

func (g *loginGuard) knows(m [32]byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.good[m]
	return ok
}

func culpritKeys(from, name string) [2]string { return [2]string{from, from + "\x00" + name} }

// wait blocks as long as an attempt has to.
func (g *loginGuard) wait(ctx context.Context, from, name string) error {
	delay, err := g.reserve(from, name)
	if err != nil || delay == 0 {
		return err
	}
	defer func() {
		g.mu.Lock()
		g.waiting--
		g.mu.Unlock()
	}()
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *loginGuard) reserve(from, name string) (time.Duration, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	var delay time.Duration
	next := map[*culprit]time.Time{}
	for i, k := range culpritKeys(from, name) {
		c := g.culprits[k]
		if c == nil {
			continue
		}
		if now.Sub(c.last) > forgetFailures {
			delete(g.culprits, k)
			continue
		}
		free := freeAttempts
		if i == 0 {
			free = freeAttemptsSource
		}
		if c.failures < free {
			continue
		}
		after := c.next
		if after.Before(now) {
			after = now
		}
		// Attempts that come at once queue up behind each other.
		next[c] = after.Add(min(250*time.Millisecond<<min(c.failures-free, 8), maxLoginDelay))
		delay = max(delay, next[c].Sub(now))
	}
	if delay == 0 {
		return 0, nil
	}
	if g.waiting >= maxLoginsWaiting || delay > 4*maxLoginDelay {
		return 0, &Error{http.StatusTooManyRequests, "too_many_requests", "too many failed logins; try again later"}
	}
	// Only who waits has a place in the row: those who are turned away must not
	// make it longer.
	for c, t := range next {
		c.next = t
	}
	g.waiting++
	return delay, nil
}

func (g *loginGuard) failed(from, name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for _, k := range culpritKeys(from, name) {
		c := g.culprits[k]
		if c == nil {
			if len(g.culprits) >= maxCulprits {
				g.forget(now)
			}
			c = &culprit{}
			g.culprits[k] = c
		}
		c.failures++
		c.last = now
	}
}

// forget makes room: those whose failures are old go, or, if there are none,
// any half.
func (g *loginGuard) forget(now time.Time) {
	for k, c := range g.culprits {
		if now.Sub(c.last) > forgetFailures {
			delete(g.culprits, k)
		}
	}
	for k := range g.culprits {
		if len(g.culprits) < maxCulprits/2 {
			return
		}
		delete(g.culprits, k)
	}
}

func (g *loginGuard) succeeded(from, name string, mark [32]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.culprits, culpritKeys(from, name)[1])
	if _, ok := g.good[mark]; !ok && len(g.good) >= maxGood {
		clear(g.good)
	}
	g.good[mark] = time.Now()
}

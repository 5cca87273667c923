package api

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// sessionCookie carries the token of a login to the page and back. Scripts on
// the page cannot read it.
const sessionCookie = "warren_session"

// sessions are the logins of the page. They live in memory: after a restart one
// logs in again.
type sessions struct {
	timeout time.Duration
	mu      sync.Mutex
	byToken map[string]*login
}

type login struct {
	user     string
	password string // its stored hash then: another password ends the session
	until    time.Time
}

const maxSessions = 10_000

func newSessions(timeout time.Duration) *sessions {
	return &sessions{timeout: timeout, byToken: map[string]*login{}}
}

func (s *sessions) start(user, passwordHash string) string {
	var raw [32]byte
	rand.Read(raw[:])
	token := base64.RawURLEncoding.EncodeToString(raw[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if len(s.byToken) >= maxSessions {
		s.makeRoom(now)
	}
	s.byToken[token] = &login{user: user, password: passwordHash, until: now.Add(s.timeout)}
	return token
}

// makeRoom drops what has ended, or else the session that ends first.
func (s *sessions) makeRoom(now time.Time) {
	first := ""
	for t, l := range s.byToken {
		if now.After(l.until) {
			delete(s.byToken, t)
		} else if first == "" || l.until.Before(s.byToken[first].until) {
			first = t
		}
	}
	if len(s.byToken) >= maxSessions {
		delete(s.byToken, first)
	}
}

func (s *sessions) get(token string) (login, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.byToken[token]
	if l == nil {
		return login{}, false
	}
	if time.Now().After(l.until) {
		delete(s.byToken, token)
		return login{}, false
	}
	return *l, true
}

func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byToken, token)
}

// resume finds the user of a session. One who is gone, or has another password
// now, has none.
func (a *API) resume(token string) (auth.User, error) {
	l, ok := a.sessions.get(token)
	if !ok {
		return auth.User{}, &Error{http.StatusUnauthorized, "not_authorized", "Not_Authorized"}
	}
	var user *meta.User
	a.Broker.View(func(s *meta.State) { user = s.User(l.user) })
	if user == nil || user.PasswordHash != l.password {
		a.sessions.end(token)
		return auth.User{}, &Error{http.StatusUnauthorized, "not_authorized", "Not_Authorized"}
	}
	return auth.User{Name: user.Name, Tags: user.Tags}, nil
}

// maxLoginForm bounds what somebody may send who has not logged in yet.
const maxLoginForm = 16 << 10

// postLogin takes a form and begins a session.
func (a *API) postLogin(rq *Request) error {
	rq.Request.Body = http.MaxBytesReader(rq.W, rq.Request.Body, maxLoginForm)
	if err := rq.ParseForm(); err != nil {
		return badForm(err)
	}
	name, password := rq.PostForm.Get("username"), rq.PostForm.Get("password")
	user, err := a.checkPassword(rq.Request, name, password)
	if err != nil {
		return err
	}
	if !hasAny(user.Tags, "administrator", "monitoring", "policymaker", "management") {
		a.Broker.CountAuth("http", source(rq.Request), name, false)
		return notAuthorised("Not management user")
	}
	a.Broker.CountAuth("http", source(rq.Request), name, true)
	hash := ""
	a.Broker.View(func(s *meta.State) {
		if u := s.User(name); u != nil {
			hash = u.PasswordHash
		}
	})
	token := a.sessions.start(user.Name, hash)
	http.SetCookie(rq.W, a.cookie(rq, token, int(a.Config.LoginTimeout/time.Second)))
	return rq.Reply(apitype.LoginReply{
		Token: apitype.Token{Type: "bearer", Value: token},
		User: apitype.LoginUser{Name: user.Name, Tags: notNil(user.Tags),
			LoginSessionTimeout: int64(a.Config.LoginTimeout / time.Minute)},
	})
}

// badForm is what went wrong with reading a form: too long, too slow, or no form.
func badForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return BadRequest("not a form")
}

func (a *API) cookie(rq *Request, token string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: sessionCookie, Value: token, Path: a.Config.PathPrefix + "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: rq.TLS != nil}
}

// deleteLogin ends the session that the request carries.
func (a *API) deleteLogin(rq *Request) error {
	if c, err := rq.Cookie(sessionCookie); err == nil {
		a.sessions.end(c.Value)
	}
	if t, ok := strings.CutPrefix(rq.Header.Get("Authorization"), "Bearer "); ok {
		a.sessions.end(t)
	}
	http.SetCookie(rq.W, a.cookie(rq, "", -1))
	return rq.NoContent()
}

// notNil makes an empty list of none, which JSON would call null.
func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
)

// login begins a session and returns its cookie.
func (f *fixture) login(name, password string) (*http.Response, *http.Cookie) {
	f.t.Helper()
	r := f.request("POST", "/api/login", url.Values{"username": {name}, "password": {password}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	r.Header.Del("Authorization")
	resp := f.send(r)
	for _, c := range resp.Cookies() {
		if c.Name == sessionCookie {
			return resp, c
		}
	}
	return resp, nil
}

// withCookie sends a request of the page.
func (f *fixture) withCookie(c *http.Cookie, method, path, body string, header ...string) int {
	f.t.Helper()
	r := f.request(method, path, body, header...)
	r.Header.Del("Authorization")
	r.AddCookie(c)
	return f.send(r).StatusCode
}

func TestLoginSession(t *testing.T) {
	f := newFixture(t)
	resp, cookie := f.login("guest", "guest")
	var reply struct {
		Token struct{ Type, Value string }
		User  struct {
			Name                string
			Tags                []string
			LoginSessionTimeout int `json:"login_session_timeout"`
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		t.Fatal(err)
	}
	if reply.User.Name != "guest" || reply.User.LoginSessionTimeout != 480 || reply.Token.Value == "" {
		t.Errorf("reply %+v", reply)
	}
	if cookie == nil || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode {
		t.Fatalf("cookie %+v", cookie)
	}
	if code := f.withCookie(cookie, "GET", "/api/whoami", ""); code != 200 {
		t.Errorf("whoami with the cookie: %d", code)
	}
	if code := f.withCookie(cookie, "PUT", "/api/vhosts/x", ""); code != 401 {
		t.Errorf("a change without the header: %d", code)
	}
	if code := f.withCookie(cookie, "PUT", "/api/vhosts/x", "", "X-Requested-With", "warren"); code != 201 {
		t.Errorf("a change with the header: %d", code)
	}
	r := f.request("GET", "/api/whoami", "")
	r.Header.Set("Authorization", "Bearer "+reply.Token.Value)
	if code := f.send(r).StatusCode; code != 200 {
		t.Errorf("with the token: %d", code)
	}
	if code := f.withCookie(cookie, "DELETE", "/api/login", ""); code != 204 {
		t.Errorf("logout: %d", code)
	}
	if code := f.withCookie(cookie, "GET", "/api/whoami", ""); code != 401 {
		t.Errorf("after the logout: %d", code)
	}
}

// TestSessionEndsWithPassword: whose password changes has to log in again.
func TestSessionEndsWithPassword(t *testing.T) {
	f := newFixture(t)
	f.addUser("anna", "management")
	_, cookie := f.login("anna", "anna")
	if code := f.withCookie(cookie, "GET", "/api/whoami", ""); code != 200 {
		t.Fatalf("%d", code)
	}
	if _, err := f.broker.Do(broker.Actor{}, &meta.PutUser{Name: "anna", PasswordHash: auth.Hash("other"), Tags: []string{"management"}}); err != nil {
		t.Fatal(err)
	}
	if code := f.withCookie(cookie, "GET", "/api/whoami", ""); code != 401 {
		t.Errorf("with the old session: %d", code)
	}
	for _, c := range []struct{ name, password string }{{"anna", "anna"}, {"nobody", "x"}, {"", ""}} {
		if resp, cookie := f.login(c.name, c.password); resp.StatusCode != 401 || cookie != nil || resp.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %d %v", c.name, resp.StatusCode, cookie)
		}
	}
}

func TestSessionTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSessions(time.Hour)
		token := s.start("guest", "hash")
		time.Sleep(59 * time.Minute)
		if _, ok := s.get(token); !ok {
			t.Error("gone too early")
		}
		time.Sleep(2 * time.Minute)
		if _, ok := s.get(token); ok {
			t.Error("still there")
		}
		for range maxSessions + 10 {
			s.start("guest", "hash")
		}
		if n := len(s.byToken); n > maxSessions {
			t.Errorf("%d sessions", n)
		}
	})
}

// TestGuessing: who guesses passwords becomes slow; whoever has the right one
// and used it before does not.
func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLoginGuard()
		good := g.mark("anna", "right", "hash")
		g.succeeded("192.0.2.1", "anna", good)
		start := time.Now()
		for range 20 {
			if err := g.wait(t.Context(), "192.0.2.1", "anna"); err != nil {
				t.Fatal(err)
			}
			g.failed("192.0.2.1", "anna")
		}
		if d := time.Since(start); d < 30*time.Second {
			t.Errorf("20 guesses took %v", d)
		}
		if !g.knows(good) {
			t.Error("the right password is not known any more")
		}
		if g.knows(g.mark("anna", "right", "another hash")) {
			t.Error("a password that was changed is still known")
		}
		start = time.Now()
		if err := g.wait(t.Context(), "192.0.2.2", "anna"); err != nil || time.Since(start) != 0 {
			t.Errorf("from another place: %v after %v", err, time.Since(start))
		}
		// Many at once do not get more attempts: most are turned away.
		refused := 0
		done := make(chan error)
		for range 100 {
			go func() { done <- g.wait(t.Context(), "192.0.2.1", "anna") }()
		}
		for range 100 {
			if err := <-done; err != nil {
				refused++
			}
		}
		if refused < 90 {
			t.Errorf("%d of 100 attempts at once were refused", refused)
		}
		for i := range 3 * maxCulprits {
			g.failed(fmt.Sprint(i), "anna")
		}
		if n := len(g.culprits); n > maxCulprits+2 {
			t.Errorf("%d culprits are remembered", n)
		}
	})
}

// TestGuessesAreSlow: the same over HTTP.
func TestGuessesAreSlow(t *testing.T) {
	f := newFixture(t)
	f.want("GET", "/whoami", "", `200 {"name":"guest","tags":["administrator"]}`)
	f.password = "wrong"
	for range freeAttempts {
		f.want("GET", "/whoami", "", `401 {"error":"not_authorized","reason":"Login failed"}`)
	}
	start := time.Now()
	f.want("GET", "/whoami", "", `401 {"error":"not_authorized","reason":"Login failed"}`)
	if d := time.Since(start); d < 200*time.Millisecond {
		t.Errorf("the guess after %d wrong ones took %v", freeAttempts, d)
	}
	f.password = "guest"
	start = time.Now()
	f.want("GET", "/whoami", "", `200 {"name":"guest","tags":["administrator"]}`)
	if d := time.Since(start); d > 200*time.Millisecond {
		t.Errorf("the right password took %v", d)
	}
}

// TestRefusedGuessesAddNoDelay: who is turned away does not make the others wait
// any longer.
func TestRefusedGuessesAddNoDelay(t *testing.T) {
	g := newLoginGuard()
	for range freeAttempts + 8 {
		g.failed("192.0.2.1", "guest")
	}
	refused := 0
	for range 100 {
		if _, err := g.reserve("192.0.2.1", "guest"); err != nil {
			refused++
		}
	}
	c := g.culprits[culpritKeys("192.0.2.1", "guest")[1]]
	if wait := time.Until(c.next); refused < 90 || wait > 4*maxLoginDelay {
		t.Errorf("%d of 100 were refused, and the next is looked at in %v", refused, wait)
	}
}

func TestHeaders(t *testing.T) {
	f := newFixture(t, func(d *Deps) {
		d.Config.CORSOrigins = []string{"https://ops.example"}
		d.Config.PathPrefix = "rabbit/"
		d.Config.HSTS = "max-age=1"
		d.Config.MaxBodySize = 100
		d.UI = http.NotFoundHandler()
	})
	get := func(method, path string, header ...string) *http.Response {
		resp := f.send(f.request(method, path, "", header...))
		io.Copy(io.Discard, resp.Body)
		return resp
	}
	resp := get("GET", "/rabbit/api/whoami", "Origin", "https://ops.example")
	h := resp.Header
	for name, want := range map[string]string{"Access-Control-Allow-Origin": "https://ops.example", "Access-Control-Allow-Credentials": "true",
		"Strict-Transport-Security": "max-age=1", "Cache-Control": "no-cache", "Content-Type": "application/json",
		"Vary": "accept, accept-encoding, origin", "Content-Security-Policy": DefaultCSP} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := get("GET", "/rabbit/api/whoami", "Origin", "https://evil.example").Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("another origin: %q", got)
	}
	resp = get("OPTIONS", "/rabbit/api/vhosts/x", "Origin", "https://ops.example", "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "authorization")
	if resp.StatusCode != 200 || resp.Header.Get("Access-Control-Max-Age") != "1800" || resp.Header.Get("Access-Control-Allow-Headers") != "authorization" ||
		!strings.Contains(resp.Header.Get("Access-Control-Allow-Methods"), "PUT") {
		t.Errorf("preflight: %d %v", resp.StatusCode, resp.Header)
	}
	for site, want := range map[string]int{"cross-site": 401, "same-site": 401, "same-origin": 201, "none": 201} {
		if code := get("PUT", "/rabbit/api/vhosts/"+site, "Sec-Fetch-Site", site).StatusCode; code != want {
			t.Errorf("for a page that is %s: %d", site, code)
		}
	}
	if code := get("PUT", "/rabbit/api/vhosts/allowed", "Origin", "https://ops.example", "Sec-Fetch-Site", "cross-site").StatusCode; code != 201 {
		t.Errorf("for a page that may: %d", code)
	}
	if got := get("GET", "/rabbit/").Header.Get("Content-Security-Policy"); got != "" {
		t.Errorf("the page's own policy would be hidden by %q", got)
	}
	if resp := get("GET", "/api/whoami"); resp.StatusCode != 404 {
		t.Errorf("without the prefix: %d", resp.StatusCode)
	}
	if resp := get("GET", "/"); resp.StatusCode != 301 || resp.Header.Get("Location") != "/rabbit/" {
		t.Errorf("/: %d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	resp = f.send(f.request("PUT", "/rabbit/api/users/x", `{"tags":"`+strings.Repeat("x", 200)+`"}`))
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d", resp.StatusCode)
	}
}

// Passwords that come over HTTP are hashed as the node is told to, and refused if
// it does not want them.
func TestPasswordRules(t *testing.T) {
	f := newFixtureOn(t, broker.Config{PasswordHashing: auth.SHA512,
		Credentials: broker.CredentialValidator{Backend: "rabbit_credential_validator_min_password_length", MinLength: 5}})
	const short = `400 {"error":"bad_request","reason":"minimum required password length: 5"}`
	f.want("PUT", "/users/ann", `{"password":"1234","tags":""}`, short)
	f.want("POST", "/definitions", `{"users":[{"name":"ann","password":"1234","tags":""}]}`, short)
	f.want("GET", "/auth/hash_password/1234", "", short)
	f.want("PUT", "/users/ann", `{"password":"12345","tags":"monitoring"}`, "201")
	_, answer := f.do("GET", "/auth/hash_password/67890", "")
	var hashed struct{ OK string }
	if err := json.Unmarshal([]byte(answer), &hashed); err != nil {
		t.Fatal(answer, err)
	}
	f.want("PUT", "/users/bob", `{"password_hash":"`+hashed.OK+`","tags":"monitoring"}`, "201")
	for user, password := range map[string]string{"ann": "12345", "bob": "67890"} {
		f.broker.View(func(s *meta.State) {
			if u := s.User(user); u.Algorithm != auth.SHA512 {
				t.Errorf("%s: %s", user, u.Algorithm)
			}
		})
		f.user, f.password = user, password
		f.want("GET", "/whoami", "", `200 {"name":"`+user+`","tags":["monitoring"]}`)
	}
}

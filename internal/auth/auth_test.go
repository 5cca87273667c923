package auth

import (
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// facts is a View that a test can change.
type facts struct {
	version atomic.Uint64
	mu      sync.Mutex
	users   map[string]Credentials
	vhosts  map[string]bool
	grants  map[[2]string]Grants
}

func (f *facts) AuthVersion() uint64 { return f.version.Load() }

func (f *facts) Credentials(u string) (Credentials, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.users[u]
	return c, ok
}

func (f *facts) HasVHost(v string) bool { return f.vhosts[v] }

func (f *facts) Grants(u, v string) (Grants, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	g, ok := f.grants[[2]string{u, v}]
	return g, ok
}

func (f *facts) grant(u, v string, g Grants) {
	f.mu.Lock()
	f.grants[[2]string{u, v}] = g
	f.mu.Unlock()
	f.version.Add(1)
}

func newFacts() *facts {
	return &facts{
		users: map[string]Credentials{
			"u":     {PasswordHash: HashWith(SHA256, [4]byte{1, 2, 3, 4}, "p"), Algorithm: SHA256, Tags: []string{"administrator"}},
			"none":  {Algorithm: SHA256},
			"guest": {PasswordHash: Hash("guest")},
		},
		vhosts: map[string]bool{"/": true},
		grants: map[[2]string]Grants{},
	}
}

func reason(err error) (Reason, string) {
	var e *Error
	if !errors.As(err, &e) {
		return 0, ""
	}
	return e.Reason, e.Text
}

func wants(t *testing.T, err error, r Reason, text string) {
	t.Helper()
	if gr, gt := reason(err); gr != r || gt != text {
		t.Errorf("got %d %q, want %d %q", gr, gt, r, text)
	}
}

func TestPasswords(t *testing.T) {
	// What RabbitMQ makes of the salt 908dc60a and the password "test12".
	const known = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
	if got := HashWith(SHA256, [4]byte{0x90, 0x8d, 0xc6, 0x0a}, "test12"); got != known {
		t.Errorf("%s", got)
	}
	for _, alg := range []string{SHA256, SHA512, MD5, ""} {
		h := HashWith(alg, [4]byte{9, 8, 7, 6}, "secret")
		if !Verify(alg, h, "secret") || Verify(alg, h, "Secret") || Verify(alg, h, "") || Verify(alg, "", "") || Verify(alg, "", "x") {
			t.Errorf("%q does not tell passwords apart", alg)
		}
		if err := CheckHash(alg, h); err != nil {
			t.Error(err)
		}
		// As base64 may have line ends, anywhere and any number of them.
		for _, lines := range []string{h[:5] + "\r\n" + h[5:] + "\n", strings.Join(strings.Split(h, ""), "\r\n\r\n")} {
			if err := CheckHash(alg, lines); err != nil || !Verify(alg, lines, "secret") || Verify(alg, lines, "Secret") {
				t.Errorf("%q: a hash in lines: %v", alg, err)
			}
		}
		for _, odd := range []string{h[:8], h + h, h[:len(h)-1], h + "=", "!", strings.Repeat("A", 4096), strings.Repeat("\n", 500)} {
			if CheckHash(alg, odd) == nil || Verify(alg, odd, "secret") || Verify(alg, odd, "") {
				t.Errorf("%q takes %.20q for a hash", alg, odd)
			}
		}
		for _, long := range []int{123, 124, 125, 5000} { // around the room that there is for salt and password
			p := strings.Repeat("p", long)
			if h := HashWith(alg, [4]byte{1, 2, 3, 4}, p); !Verify(alg, h, p) || Verify(alg, h, p+"p") || Verify(alg, h, p[1:]) {
				t.Errorf("%q: a password of %d bytes", alg, long)
			}
		}
		if n := testing.AllocsPerRun(10, func() { Verify(alg, h, "secret") }); n > 0 {
			t.Errorf("%q: %v allocations", alg, n)
		}
		if CheckHash(alg, h[:8]) == nil || CheckHash(alg, "!") == nil || CheckHash(alg, "") != nil {
			t.Errorf("%q: CheckHash", alg)
		}
	}
	if Verify("nosuch", known, "test12") || !errors.Is(CheckHash("nosuch", known), ErrAlgorithm) {
		t.Error("an unknown algorithm")
	}
	if a, b := Hash("x"), Hash("x"); a == b || !Verify("", a, "x") || Hash("") != "" {
		t.Error("Hash")
	}
}

func TestLogin(t *testing.T) {
	a := New(newFacts(), []string{"guest"})
	u, err := a.Login("u", "p")
	if err != nil || u.Name != "u" || !u.Has("administrator") || u.Has("monitoring") {
		t.Error(u, err)
	}
	for _, c := range [][2]string{{"u", "q"}, {"u", ""}, {"none", ""}, {"none", "x"}, {"nobody", "x"}, {"nobody", ""}} {
		_, err := a.Login(c[0], c[1])
		wants(t, err, BadCredentials, "user '"+c[0]+"' - invalid credentials")
	}
	if _, err := a.External("none"); err != nil {
		t.Error(err)
	}
	_, err = a.External("nobody")
	wants(t, err, BadCredentials, "user 'nobody' - invalid credentials")
}

func TestLoopback(t *testing.T) {
	a := New(newFacts(), []string{"guest"})
	p, _ := net.Pipe()
	for _, addr := range []net.Addr{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}, &net.TCPAddr{IP: net.IPv6loopback},
		&net.TCPAddr{IP: net.ParseIP("::ffff:127.0.0.1")}, &net.UnixAddr{}, p.RemoteAddr()} {
		if err := a.CheckLoopback("guest", addr); err != nil {
			t.Error(addr, err)
		}
	}
	for _, addr := range []net.Addr{&net.TCPAddr{IP: net.IPv4(10, 0, 0, 9)}, nil} {
		wants(t, a.CheckLoopback("guest", addr), NotLoopback, "user 'guest' can only connect via localhost")
		if err := a.CheckLoopback("u", addr); err != nil {
			t.Error(err)
		}
	}
}

// The texts are RabbitMQ's (area "perms" of the recorded traces).
func TestPermissions(t *testing.T) {
	f := newFacts()
	a := New(f, nil)
	_, err := a.Access("u", "nosuch")
	wants(t, err, NoVHost, "vhost nosuch not found")
	_, err = a.Access("u", "/")
	wants(t, err, VHostRefused, "access to vhost '/' refused for user 'u'")
	f.grant("u", "/", Grants{Configure: "^ok", Write: "", Read: "^(?!no)"})
	c, err := a.Checker("u", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, good := range []error{c.Check(Queue, "ok-1", Configure), c.Check(Exchange, "x", Read), c.Check(Exchange, "", Read)} {
			if good != nil {
				t.Error(good)
			}
		}
		wants(t, c.Check(Queue, "q", Configure), AccessRefused, "access to queue 'q' in vhost '/' refused for user 'u'")
		wants(t, c.Check(Exchange, "x", Write), AccessRefused, "access to exchange 'x' in vhost '/' refused for user 'u'")
		wants(t, c.Check(Exchange, "", Write), AccessRefused, "access to exchange 'amq.default' in vhost '/' refused for user 'u'")
		wants(t, c.Check(Queue, "no", Read), AccessRefused, "access to queue 'no' in vhost '/' refused for user 'u'")
	}
	f.grant("u", "/", Grants{Configure: "^$", Write: ".*", Read: "("})
	if err := c.Check(Exchange, "x", Write); err != nil {
		t.Error(err)
	}
	wants(t, c.Check(Queue, "ok-1", Configure), AccessRefused, "access to queue 'ok-1' in vhost '/' refused for user 'u'")
	wants(t, c.Check(Queue, "x", Read), AccessRefused, "access to queue 'x' in vhost '/' refused for user 'u'")
	delete(f.grants, [2]string{"u", "/"})
	f.version.Add(1)
	wants(t, c.Check(Exchange, "x", Write), AccessRefused, "access to exchange 'x' in vhost '/' refused for user 'u'")
}

func TestTopics(t *testing.T) {
	f := newFacts()
	f.grant("a.b", "/", Grants{Write: ".*", Read: ".*", Topics: []TopicGrant{
		{"x", `^{username}\.`, ""}, {"y", `^{vhost}-{client_id}$`, ".*"}, {"z", "(", "^[{]$"}}})
	a := New(f, nil)
	c, err := a.Checker("a.b", "/", Vars{"client_id": "c+1", "username": "evil"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, good := range []error{c.CheckTopic("x", "a.b.k", Write), c.CheckTopic("y", "/-c+1", Write), c.CheckTopic("y", "k", Read),
			c.CheckTopic("other", "k", Write), c.CheckTopic("z", "{", Read), c.CheckTopic("x", "", Read)} {
			if good != nil {
				t.Error(good)
			}
		}
		wants(t, c.CheckTopic("x", "nobody.b", Write), AccessRefused, "access to topic 'nobody.b' in exchange 'x' in vhost '/' refused for user 'a.b'")
		// A name is text, not a pattern.
		wants(t, c.CheckTopic("x", "axb.k", Write), AccessRefused, "access to topic 'axb.k' in exchange 'x' in vhost '/' refused for user 'a.b'")
		wants(t, c.CheckTopic("y", "/-cc1", Write), AccessRefused, "access to topic '/-cc1' in exchange 'y' in vhost '/' refused for user 'a.b'")
		wants(t, c.CheckTopic("x", "k", Read), AccessRefused, "access to topic 'k' in exchange 'x' in vhost '/' refused for user 'a.b'")
		wants(t, c.CheckTopic("z", "k", Write), AccessRefused, "access to topic 'k' in exchange 'z' in vhost '/' refused for user 'a.b'")
	}
}

func TestConcurrent(t *testing.T) {
	f := newFacts()
	f.grant("u", "/", Grants{Write: "a"})
	a := New(f, nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			c, err := a.Checker("u", "/", nil)
			if err != nil {
				t.Error(err)
				return
			}
			for range 2000 {
				c.Check(Exchange, "a", Write)
				c.Check(Exchange, "b", Write)
			}
		})
	}
	wg.Go(func() {
		for range 200 {
			f.grant("u", "/", Grants{Write: "b"})
			f.grant("u", "/", Grants{Write: "a"})
		}
	})
	wg.Wait()
	c, _ := a.Checker("u", "/", nil)
	if c.Check(Exchange, "a", Write) != nil || c.Check(Exchange, "b", Write) == nil {
		t.Error("the last permissions are not in force")
	}
}

func BenchmarkCheck(b *testing.B) {
	f := newFacts()
	f.grant("u", "/", Grants{Write: "^(orders|events)-.*$"})
	c, _ := New(f, nil).Checker("u", "/", nil)
	for b.Loop() {
		if c.Check(Exchange, "orders-eu", Write) != nil {
			b.Fatal("refused")
		}
	}
}

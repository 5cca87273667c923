package broker

import (
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/vfs"
)

func openWith(t *testing.T, cfg Config) *Broker {
	t.Helper()
	cfg.FS, cfg.Dir, cfg.Sync = vfs.NewMem(), "data", store.Memory
	cfg.Bootstrap = Bootstrap{User: "guest", Password: "guest", VHost: "/"}
	b, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestHashPassword(t *testing.T) {
	for _, c := range []struct {
		v              CredentialValidator
		password, want string
	}{
		{CredentialValidator{}, "x", ""},
		{CredentialValidator{Backend: "rabbit_credential_validator_accept_everything"}, "", ""},
		{CredentialValidator{Backend: "rabbit_credential_validator_min_password_length", MinLength: 4}, "äöü", "minimum required password length: 4"},
		{CredentialValidator{Backend: "rabbit_credential_validator_min_password_length", MinLength: 4}, "äöüß", ""},
		{CredentialValidator{Backend: "rabbit_credential_validator_password_regexp", Regexp: "^[a-z]+$"}, "abc1", "provided password does not match the validator regular expression"},
		{CredentialValidator{Backend: "rabbit_credential_validator_password_regexp", Regexp: "^[a-z]+$"}, "abc", ""},
	} {
		b := openWith(t, Config{Credentials: c.v, PasswordHashing: auth.SHA512})
		hash, alg, err := b.HashPassword(c.password)
		if got := errText(err); got != c.want {
			t.Errorf("%+v %q: %q, want %q", c.v, c.password, got, c.want)
		}
		if err == nil && c.password != "" && (alg != auth.SHA512 || !auth.Verify(alg, hash, c.password)) {
			t.Errorf("%q does not fit %s %q", c.password, alg, hash)
		}
	}
}

// The default user of an empty node is hashed, and refused, like everybody.
func TestHashBootstrap(t *testing.T) {
	b := openWith(t, Config{PasswordHashing: auth.SHA512})
	b.View(func(s *meta.State) {
		if u := s.User("guest"); u.Algorithm != auth.SHA512 || !auth.Verify(u.Algorithm, u.PasswordHash, "guest") {
			t.Errorf("%+v", u)
		}
	})
	_, err := Open(Config{FS: vfs.NewMem(), Dir: "data", Sync: store.Memory, Bootstrap: Bootstrap{User: "guest", Password: "guest", VHost: "/"},
		Credentials: CredentialValidator{Backend: "rabbit_credential_validator_min_password_length", MinLength: 8}})
	if got, want := errText(err), "password of the default user 'guest': minimum required password length: 8"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A new virtual host gets what the configuration gives; what comes with it in the
// same change wins, and one that is there gets nothing.
func TestVHostDefaults(t *testing.T) {
	b := openWith(t, Config{VHostDefaults: []VHostDefaults{
		{Pattern: "^team-", Limits: meta.Limits{"max-queues": 10}},
		{Pattern: ".*", User: &VHostUser{Name: "monitor", Tags: []string{"monitoring"}, Read: ".*"}},
		{Pattern: "^team-", Policy: &meta.SetPolicy{Name: "cap", Pattern: ".*", ApplyTo: "queues", Definition: []byte(`{"max-length":5}`)}},
	}})
	op := Actor{User: "test"}
	results, err := b.Do(op, &meta.PutVHost{Name: "team-a"}, &meta.PutVHost{Name: "other"}, &meta.PutVHost{Name: "team-b"},
		&meta.SetVHostLimits{VHost: "team-b", Limits: meta.Limits{"max-queues": 3}})
	if err != nil || len(results) != 4 {
		t.Fatal(len(results), err)
	}
	b.View(func(s *meta.State) {
		for vhost, want := range map[string]int64{"team-a": 10, "team-b": 3} {
			if got := s.VHost(vhost).Limits["max-queues"]; got != want {
				t.Errorf("%s: max-queues is %d, want %d", vhost, got, want)
			}
			if s.Policy(vhost, "cap", true) == nil {
				t.Errorf("%s has no operator policy", vhost)
			}
		}
		if len(s.VHost("other").Limits) > 0 || s.Policy("other", "cap", true) != nil {
			t.Error("other got what was for teams")
		}
		for _, vhost := range []string{"team-a", "other", "team-b"} {
			if p := s.Permission("monitor", vhost); p == nil || p.Read != ".*" || p.Write != "" {
				t.Errorf("monitor in %s: %+v", vhost, p)
			}
		}
		if u := s.User("monitor"); u == nil || u.PasswordHash == "" || strings.Join(u.Tags, "") != "monitoring" {
			t.Errorf("%+v", u)
		}
	})
	if _, err := b.Do(op, &meta.SetVHostLimits{VHost: "team-a"}, &meta.PutVHost{Name: "team-a", Description: "again"}); err != nil {
		t.Fatal(err)
	}
	b.View(func(s *meta.State) {
		if l := s.VHost("team-a").Limits; len(l) > 0 {
			t.Errorf("limits were given again: %v", l)
		}
	})
}

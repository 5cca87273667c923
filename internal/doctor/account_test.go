package doctor

import (
	"strings"
	"testing"
)

func TestLogin(t *testing.T) {
	with := func(change func(*Account)) Account {
		a := Account{User: "ann", Known: true, Password: true, VHosts: []string{"/", "shop"}, AllVHosts: []string{"/", "shop", "other"},
			LoopbackUsers: []string{"guest"}, Mechanisms: []string{"PLAIN"}}
		if change != nil {
			change(&a)
		}
		return a
	}
	guest := func(a *Account) { a.User, a.Tags = "guest", []string{"administrator"} }
	for _, c := range []struct {
		a           Account
		from, vhost string
		want        string
	}{
		{with(nil), "", "", "+user 'ann' can log in with its password, from everywhere, to vhosts '/', 'shop'; it may not use the management page"},
		{with(nil), "10.0.0.7", "shop", "+user 'ann' can log in with its password, from 10.0.0.7, to vhost 'shop'"},
		{with(guest), "", "", "+user 'guest' can log in with its password, from the node's own machine only (loopback_users), to vhosts '/', 'shop'; and may use the management page as administrator"},
		{with(guest), "::ffff:127.0.0.1", "", "+from ::ffff:127.0.0.1"},
		{with(guest), "10.0.0.7", "", "user 'guest' cannot log in from 10.0.0.7, only from the node's own machine"},
		{with(func(a *Account) { a.Known = false }), "", "", "there is no user 'ann'"},
		{with(func(a *Account) { a.Password = false }), "", "", "has no password, and certificates do not log in"},
		{with(func(a *Account) { a.Password, a.Mechanisms = false, []string{"EXTERNAL"} }), "", "", "+with a certificate only"},
		{with(func(a *Account) { a.VHosts = nil }), "", "", "is refused by every vhost"},
		{with(nil), "", "other", "has no permissions in vhost 'other', only in: /, shop"},
		{with(nil), "", "nope", "there is no vhost 'nope' (there are: /, shop, other)"},
		{with(func(a *Account) { a.Limits = map[string]int64{"max-connections": 0} }), "", "", "its limit max-connections is 0"},
		{with(nil), "here", "", "here is not an IP address"},
	} {
		f := c.a.Login(c.from, c.vhost)
		want, ok := strings.CutPrefix(c.want, "+")
		if f.OK != ok || !strings.Contains(f.Text, want) {
			t.Errorf("%v %s, want %s", f.OK, f.Text, c.want)
		}
	}
}

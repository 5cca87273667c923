package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Account is what a node knows of a user, and how it lets users in.
type Account struct {
	User      string
	Known     bool // there is such a user
	Password  bool // it has one
	Tags      []string
	VHosts    []string // that the user has a permission in
	AllVHosts []string
	Limits    map[string]int64 // of the user: max-connections, max-channels
	// LoopbackUsers may come from the node's own machine only.
	LoopbackUsers []string
	Mechanisms    []string
}

// Login says whether and why a user can log in: from an address, and to a virtual
// host, if they are given.
func (a Account) Login(from, vhost string) Finding {
	if f := a.identity(); !f.OK {
		return f
	}
	local := slices.Contains(a.LoopbackUsers, a.User)
	if from != "" {
		ip, err := netip.ParseAddr(strings.Trim(from, "[]"))
		if err != nil {
			return bad("%s is not an IP address", from)
		}
		if local && !ip.Unmap().IsLoopback() {
			return bad("user '%s' cannot log in from %s, only from the node's own machine, as it is among loopback_users: make a user of your own (rabbitmqctl add_user), or set loopback_users = none", a.User, from)
		}
	}
	if f := a.access(vhost); !f.OK {
		return f
	}
	where := "from everywhere"
	switch {
	case from != "":
		where = "from " + from
	case local:
		where = "from the node's own machine only (loopback_users)"
	}
	to := "vhosts '" + strings.Join(a.VHosts, "', '") + "'"
	if vhost != "" {
		to = "vhost '" + vhost + "'"
	} else if len(a.VHosts) == 1 {
		to = "vhost '" + a.VHosts[0] + "'"
	}
	return good("user '%s' can log in %s, %s, to %s; %s", a.User, a.how(), where, to, a.management())
}

// identity: is there somebody who could prove to be the user?
func (a Account) identity() Finding {
	switch {
	case !a.Known:
		return bad("there is no user '%s': make it with rabbitmqctl add_user", a.User)
	case !a.Password && !slices.Contains(a.Mechanisms, "EXTERNAL"):
		return bad("user '%s' has no password, and certificates do not log in, as EXTERNAL is not among auth_mechanisms: rabbitmqctl change_password gives it one", a.User)
	}
	if n, ok := a.Limits["max-connections"]; ok && n == 0 {
		return bad("user '%s' may have no connections: its limit max-connections is 0 (rabbitmqctl clear_user_limits %s max-connections)", a.User, a.User)
	}
	return good("")
}

// access: is there a virtual host for the user?
func (a Account) access(vhost string) Finding {
	switch {
	case vhost != "" && !slices.Contains(a.AllVHosts, vhost):
		return bad("there is no vhost '%s' (there are: %s)", vhost, strings.Join(a.AllVHosts, ", "))
	case len(a.VHosts) == 0:
		return bad("user '%s' proves who it is and is refused by every vhost, as it has no permissions: rabbitmqctl set_permissions -p VHOST %s \".*\" \".*\" \".*\"", a.User, a.User)
	case vhost != "" && !slices.Contains(a.VHosts, vhost):
		return bad("user '%s' has no permissions in vhost '%s', only in: %s (rabbitmqctl set_permissions -p %s %s \".*\" \".*\" \".*\")", a.User, vhost, strings.Join(a.VHosts, ", "), vhost, a.User)
	}
	return good("")
}

func (a Account) how() string {
	switch {
	case !a.Password:
		return "with a certificate only, as it has no password"
	case slices.Contains(a.Mechanisms, "EXTERNAL"):
		return "with its password or a certificate of its name"
	}
	return "with its password"
}

func (a Account) management() string {
	for _, tag := range []string{"administrator", "monitoring", "policymaker", "management"} {
		if slices.Contains(a.Tags, tag) {
			return fmt.Sprintf("and may use the management page as %s", tag)
		}
	}
	return "it may not use the management page, as it has none of its tags"
}

package ctl

import (
	"net/http"
	"strings"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/mgmt/client"
)

type permission struct {
	User      string `json:"user"`
	VHost     string `json:"vhost"`
	Exchange  string `json:"exchange,omitempty"`
	Configure string `json:"configure"`
	Write     string `json:"write"`
	Read      string `json:"read"`
}

func accessCommands() []*Command {
	both := []Tool{Ctl, Diagnostics}
	user := [2]string{"<username>", "Name of the user"}
	conf := [2]string{"<conf>", "Regular expression for the names of what the user may declare and delete"}
	write := [2]string{"<write>", "Regular expression for the names of what the user may publish to"}
	read := [2]string{"<read>", "Regular expression for the names of what the user may consume from"}
	exchange := [2]string{"<exchange>", "Name of a topic exchange; the expressions are for routing keys"}
	return []*Command{
		{Name: "set_permissions", Group: groupAccess, Usage: "set_permissions [--vhost <vhost>] <username> <conf> <write> <read>", Min: 4, Max: 4,
			Short: "Sets what a user may do in a virtual host", Explain: [][2]string{user, conf, write, read},
			Banner: bannerf("Setting permissions for user \"%s\" in vhost \"%s\" ...", arg(0), inVHost), Run: (*call).setPermissions},
		{Name: "set_permissions_globally", Group: groupAccess, Usage: "set_permissions_globally <username> <conf> <write> <read>", Min: 4, Max: 4,
			Short: "Sets what a user may do in all virtual hosts", Explain: [][2]string{user, conf, write, read},
			Banner: bannerf("Setting permissions for user \"%s\" in all virtual hosts ...", arg(0)), Run: (*call).setPermissionsGlobally},
		{Name: "clear_permissions", Group: groupAccess, Usage: "clear_permissions [--vhost <vhost>] <username>", Min: 1, Max: 1,
			Short: "Takes a virtual host away from a user", Explain: [][2]string{user},
			Banner: bannerf("Clearing permissions for user \"%s\" in vhost \"%s\" ...", arg(0), inVHost), Run: (*call).clearPermissions},
		{Name: "set_topic_permissions", Group: groupAccess, Usage: "set_topic_permissions [--vhost <vhost>] <username> <exchange> <write> <read>", Min: 4, Max: 4,
			Short: "Limits the routing keys of a user with a topic exchange", Explain: [][2]string{user, exchange, write, read},
			Banner: bannerf("Setting topic permissions on \"%s\" for user \"%s\" in vhost \"%s\" ...", arg(1), arg(0), inVHost), Run: (*call).setTopicPermissions},
		{Name: "clear_topic_permissions", Group: groupAccess, Usage: "clear_topic_permissions [--vhost <vhost>] <username> [<exchange>]", Min: 1, Max: 2,
			Short: "Lifts the limits of a user's routing keys, with one exchange or all", Explain: [][2]string{user, exchange},
			Banner: func(c *call) string {
				if len(c.args) > 1 {
					return bannerf("Clearing topic permissions on \"%s\" for user \"%s\" in vhost \"%s\" ...", arg(1), arg(0), inVHost)(c)
				}
				return bannerf("Clearing topic permissions for user \"%s\" in vhost \"%s\" ...", arg(0), inVHost)(c)
			}, Run: (*call).clearTopicPermissions},
		{Name: "list_permissions", Tools: both, Group: groupAccess, Usage: "list_permissions [--vhost <vhost>] [--no-table-headers]", Timed: true,
			Short: "Lists who may do what in a virtual host", Formatter: "table",
			Banner: bannerf("Listing permissions for vhost \"%s\" ...", inVHost), Run: (*call).listPermissions},
		{Name: "list_user_permissions", Tools: both, Group: groupAccess, Usage: "list_user_permissions [--no-table-headers] <username>", Timed: true, Min: 1, Max: 1,
			Short: "Lists what a user may do in which virtual hosts", Formatter: "table", Explain: [][2]string{user},
			Banner: bannerf("Listing permissions for user \"%s\" ...", arg(0)), Run: (*call).listUserPermissions},
		{Name: "list_topic_permissions", Tools: both, Group: groupAccess, Usage: "list_topic_permissions [--vhost <vhost>] [--no-table-headers]", Timed: true,
			Short: "Lists the topic permissions in a virtual host", Formatter: "table",
			Banner: bannerf("Listing topic permissions for vhost \"%s\" ...", inVHost), Run: (*call).listTopicPermissions},
		{Name: "list_user_topic_permissions", Tools: both, Group: groupAccess, Usage: "list_user_topic_permissions [--no-table-headers] <username>", Timed: true, Min: 1, Max: 1,
			Short: "Lists the topic permissions of a user", Formatter: "table", Explain: [][2]string{user},
			Banner: bannerf("Listing topic permissions for user \"%s\" ...", arg(0)), Run: (*call).listUserTopicPermissions},
	}
}

// grantError finds out what a change of permissions failed for: the user, the
// virtual host, or an expression.
func (c *call) grantError(err error, name, vhost string) error {
	if err == nil {
		return nil
	}
	if !client.IsNotFound(err) && !isStatus(err, http.StatusBadRequest) {
		return err
	}
	if missing := c.missing(vhost, name); missing != nil {
		return missing
	}
	return failed(exitUnavailable, reason(err))
}

func (c *call) setPermissions() (any, error) {
	a := c.args
	err := c.put(path("permissions", c.vhost(), a[0]), permission{Configure: a[1], Write: a[2], Read: a[3]})
	return nil, c.grantError(err, a[0], c.vhost())
}

// setPermissionsGlobally checks the expressions with the first virtual host; so
// the others do not fail for them.
func (c *call) setPermissionsGlobally() (any, error) {
	vhosts, err := c.objects("/vhosts?columns=name")
	if err != nil {
		return nil, err
	}
	a := c.args
	for _, v := range vhosts {
		name, _ := v["name"].(string)
		err := c.put(path("permissions", name, a[0]), permission{Configure: a[1], Write: a[2], Read: a[3]})
		if err := c.grantError(err, a[0], name); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (c *call) clearPermissions() (any, error) {
	err := c.delete(path("permissions", c.vhost(), c.args[0]))
	if !client.IsNotFound(err) {
		return nil, err
	}
	return nil, c.missing(c.vhost(), c.args[0])
}

// missing says which of a virtual host and a user does not exist, if any.
func (c *call) missing(vhost, user string) error {
	ok, err := c.there(path("vhosts", vhost))
	if err == nil && !ok {
		return noVHost2(vhost)
	}
	if err == nil {
		ok, err = c.there(path("users", user))
	}
	if err == nil && !ok {
		return noUser3(user)
	}
	return err
}

func (c *call) setTopicPermissions() (any, error) {
	a := c.args
	err := c.put(path("topic-permissions", c.vhost(), a[0]), apitype.PutTopicPermission{Exchange: a[1], Write: a[2], Read: a[3]})
	return nil, c.grantError(err, a[0], c.vhost())
}

func (c *call) clearTopicPermissions() (any, error) {
	parts := append([]string{"topic-permissions", c.vhost()}, c.args...)
	if len(c.args) > 1 { // without a name the path would be that of all exchanges
		parts[3] = exchangePath(c.args[1])
	}
	err := c.delete(path(parts...))
	if !client.IsNotFound(err) {
		return nil, err
	}
	return nil, c.missing(c.vhost(), c.args[0])
}

// needVHost refuses a virtual host that does not exist.
func (c *call) needVHost() error {
	ok, err := c.there(path("vhosts", c.vhost()))
	if err == nil && !ok {
		err = noVHost(c.vhost())
	}
	return err
}

func (c *call) permissions(p string) ([]permission, error) {
	var out []permission
	return out, c.get(p, &out)
}

func (c *call) listPermissions() (any, error) {
	if err := c.needVHost(); err != nil {
		return nil, err
	}
	ps, err := c.permissions(path("vhosts", c.vhost(), "permissions"))
	out := rows{columns: []string{"user", "configure", "write", "read"}, whole: true}
	for _, p := range ps {
		out.list = append(out.list, []any{p.User, p.Configure, p.Write, p.Read})
	}
	return out, err
}

func (c *call) userPermissions(kind string) ([]permission, error) {
	ps, err := c.permissions(path("users", c.args[0], kind))
	if client.IsNotFound(err) {
		return nil, noUser2(c.args[0])
	}
	return ps, err
}

func (c *call) listUserPermissions() (any, error) {
	ps, err := c.userPermissions("permissions")
	out := rows{columns: []string{"vhost", "configure", "write", "read"}, whole: true}
	for _, p := range ps {
		out.list = append(out.list, []any{p.VHost, p.Configure, p.Write, p.Read})
	}
	return out, err
}

func (c *call) listTopicPermissions() (any, error) {
	if err := c.needVHost(); err != nil {
		return nil, err
	}
	ps, err := c.permissions(path("vhosts", c.vhost(), "topic-permissions"))
	out := rows{columns: []string{"user", "exchange", "write", "read"}, whole: true}
	for _, p := range ps {
		out.list = append(out.list, []any{p.User, p.Exchange, p.Write, p.Read})
	}
	return out, err
}

func (c *call) listUserTopicPermissions() (any, error) {
	ps, err := c.userPermissions("topic-permissions")
	out := rows{columns: []string{"vhost", "exchange", "write", "read"}, whole: true, headless: true}
	for _, p := range ps {
		out.list = append(out.list, []any{p.VHost, p.Exchange, p.Write, p.Read})
	}
	return out, err
}

// listTags joins tags for a banner.
func listTags(tags []string) string { return "[" + strings.Join(tags, ", ") + "]" }

package ctl

import (
	"encoding/json"
	"fmt"

	"github.com/warrenmq/warren/internal/mgmt/client"
)

func parameterCommands() []*Command {
	both := []Tool{Ctl, Diagnostics}
	component := [2]string{"<component_name>", "What the parameter belongs to, such as federation-upstream or shovel"}
	name := [2]string{"<name>", "Name of the parameter"}
	value := [2]string{"<value>", "Its value, in JSON"}
	limits := [2]string{"<definition>", `JSON object of limits, such as {"max-connections": 100}; a negative one is none`}
	return append([]*Command{
		{Name: "set_parameter", Group: groupParameters, Usage: "set_parameter [--vhost <vhost>] <component_name> <name> <value>", Min: 3, Max: 3,
			Short: "Sets a runtime parameter", Explain: [][2]string{component, name, value},
			Banner: bannerf("Setting runtime parameter \"%s\" for component \"%s\" to \"%s\" in vhost \"%s\" ...", arg(1), arg(0), arg(2), inVHost),
			Run:    (*call).setParameter},
		{Name: "clear_parameter", Group: groupParameters, Usage: "clear_parameter [--vhost <vhost>] <component_name> <name>", Min: 2, Max: 2,
			Short: "Deletes a runtime parameter", Explain: [][2]string{component, name},
			Banner: bannerf("Clearing runtime parameter \"%s\" for component \"%s\" on vhost \"%s\" ...", arg(1), arg(0), inVHost),
			Run:    func(c *call) (any, error) { return nil, c.clear(path("parameters", c.args[0], c.vhost(), c.args[1])) }},
		{Name: "list_parameters", Tools: both, Group: groupParameters, Usage: "list_parameters [--vhost <vhost>] [--no-table-headers]", Timed: true,
			Short: "Lists the runtime parameters of a virtual host", Formatter: "table",
			Banner: bannerf("Listing runtime parameters for vhost \"%s\" ...", inVHost), Run: (*call).listParameters},
		{Name: "set_global_parameter", Group: groupParameters, Usage: "set_global_parameter <name> <value>", Min: 2, Max: 2,
			Short: "Sets a parameter of the whole cluster", Explain: [][2]string{name, value},
			Banner: bannerf("Setting global runtime parameter \"%s\" to \"%s\" ...", arg(0), arg(1)), Run: (*call).setGlobalParameter},
		{Name: "clear_global_parameter", Group: groupParameters, Usage: "clear_global_parameter <name>", Min: 1, Max: 1,
			Short: "Deletes a parameter of the whole cluster", Explain: [][2]string{name},
			Banner: bannerf("Clearing global runtime parameter \"%s\" ...", arg(0)),
			Run:    func(c *call) (any, error) { return nil, c.clear(path("global-parameters", c.args[0])) }},
		{Name: "list_global_parameters", Tools: both, Group: groupParameters, Usage: "list_global_parameters [--no-table-headers]", Timed: true,
			Short: "Lists the parameters of the whole cluster", Formatter: "table",
			Banner: bannerf("Listing global runtime parameters ..."), Run: (*call).listGlobalParameters},
	}, limitCommands(both, limits)...)
}

func limitCommands(both []Tool, limits [2]string) []*Command {
	global := flag{"global", boolean, ""}
	return []*Command{
		{Name: "set_vhost_limits", Group: groupVHosts, Usage: "set_vhost_limits [--vhost <vhost>] <definition>", Min: 1, Max: 1,
			Short: "Limits connections and queues of a virtual host", Explain: [][2]string{limits},
			Banner: bannerf("Setting vhost limits to \"%s\" for vhost \"%s\" ...", arg(0), inVHost), Run: (*call).setVHostLimits},
		{Name: "clear_vhost_limits", Group: groupVHosts, Usage: "clear_vhost_limits [--vhost <vhost>]",
			Short: "Lifts the limits of a virtual host", Banner: bannerf("Clearing vhost \"%s\" limits ...", inVHost), Run: (*call).clearVHostLimits},
		{Name: "list_vhost_limits", Tools: both, Group: groupVHosts, Usage: "list_vhost_limits [--vhost <vhost>] [--global] [--no-table-headers]",
			Short: "Shows the limits of a virtual host, or of all", Flags: []flag{global}, Formatter: "table",
			Banner: func(c *call) string {
				if c.flag("global") {
					return "Listing limits for all vhosts ..."
				}
				return fmt.Sprintf("Listing limits for vhost \"%s\" ...", c.vhost())
			}, Run: (*call).listVHostLimits},
		{Name: "set_user_limits", Group: groupUsers, Usage: "set_user_limits <username> <definition>", Min: 2, Max: 2,
			Short: "Limits connections and channels of a user", Explain: [][2]string{limits},
			Banner: bannerf("Setting user limits to \"%s\" for user \"%s\" ...", arg(1), arg(0)), Run: (*call).setUserLimits},
		{Name: "clear_user_limits", Group: groupUsers, Usage: "clear_user_limits <username> <limit_type> | all", Min: 2, Max: 2,
			Short: "Lifts one limit of a user, or all",
			Banner: func(c *call) string {
				if c.args[1] == "all" {
					return fmt.Sprintf("Clearing all limits for user \"%s\" ...", c.args[0])
				}
				return fmt.Sprintf("Clearing \"%s\" limit for user \"%s\" ...", c.args[1], c.args[0])
			}, Run: (*call).clearUserLimits},
		{Name: "list_user_limits", Tools: both, Group: groupUsers, Usage: "list_user_limits [--user <username>] [--global]",
			Short: "Shows the limits of a user, or of all", Flags: []flag{global, {"user", text, ""}}, Formatter: "table",
			Banner: func(c *call) string {
				if c.flag("global") {
					return "Listing limits for all users ..."
				}
				return fmt.Sprintf("Listing limits for user \"%s\" ...", c.userOption())
			}, Run: (*call).listUserLimits},
	}
}

func (c *call) setParameter() (any, error) {
	var value json.RawMessage
	if !parseJSON(c.args[2], &value) {
		return nil, badJSON()
	}
	if err := c.needVHost(); err != nil {
		return nil, err
	}
	return nil, refused(c.put(path("parameters", c.args[0], c.vhost(), c.args[1]), map[string]any{"value": value}))
}

func (c *call) listParameters() (any, error) {
	if err := c.needVHost(); err != nil {
		return nil, err
	}
	ps, err := c.objects("/parameters")
	out := rows{columns: []string{"component", "name", "value"}, whole: true}
	for _, p := range ps {
		if p["vhost"] == c.vhost() {
			out.list = append(out.list, []any{p["component"], p["name"], jsonText(p["value"])})
		}
	}
	return out, err
}

func (c *call) setGlobalParameter() (any, error) {
	var value json.RawMessage
	if !parseJSON(c.args[1], &value) {
		return nil, badJSON()
	}
	return nil, refused(c.put(path("global-parameters", c.args[0]), map[string]any{"value": value}))
}

func (c *call) listGlobalParameters() (any, error) {
	ps, err := c.objects("/global-parameters")
	out := rows{columns: []string{"name", "value"}, whole: true}
	for _, p := range ps {
		out.list = append(out.list, []any{p["name"], jsonText(p["value"])})
	}
	return out, err
}

// limitsArgument reads a JSON object of limits and says what is wrong with it.
func limitsArgument(s, where, before, after string, known ...string) (map[string]int64, error) {
	var raw map[string]json.RawMessage
	if !parseJSON(s, &raw) {
		return nil, badJSON()
	}
	out := map[string]int64{}
	var unknown list
	for _, k := range sortedKeys(raw) {
		var n json.Number
		i, err := int64(0), json.Unmarshal(raw[k], &n)
		if err == nil && raw[k][0] != '"' {
			i, err = n.Int64()
		}
		var v any
		json.Unmarshal(raw[k], &v)
		switch {
		case !contains(known, k):
			unknown = append(unknown, tuple{k, numberOr(i, err, v)})
		case err != nil || raw[k][0] == '"':
			return nil, failedf(exitUnavailable, "%s%s should be a number, actually was %s%s", before, k, flat(plainValue(v)), after)
		}
		out[k] = i
	}
	if len(unknown) > 0 {
		return nil, failedf(exitUnavailable, "%sUnrecognised terms %s in %s%s", before, flat(unknown), where, after)
	}
	return out, nil
}

func numberOr(n int64, err error, v any) any {
	if err == nil {
		return n
	}
	return plainValue(v)
}

func (c *call) setVHostLimits() (any, error) {
	limits, err := limitsArgument(c.args[0], "limits", "Validation failed\n\n", "\n", "max-connections", "max-queues")
	if err != nil {
		return nil, err
	}
	if err := c.needVHost(); err != nil {
		return nil, err
	}
	return nil, refused(c.put(path("parameters", "vhost-limits", c.vhost(), "limits"), map[string]any{"value": limits}))
}

func (c *call) clearVHostLimits() (any, error) {
	return nil, c.clear(path("parameters", "vhost-limits", c.vhost(), "limits"))
}

type limits struct {
	User  string
	VHost string
	Value map[string]int64
}

func (c *call) listVHostLimits() (any, error) {
	if !c.flag("global") {
		if err := c.needVHost(); err != nil {
			return nil, err
		}
	}
	var all []limits
	if err := c.get("/vhost-limits", &all); err != nil {
		return nil, err
	}
	out := rows{columns: []string{"vhost", "limits"}, whole: true}
	for _, l := range all {
		if c.flag("global") {
			out.list = append(out.list, []any{l.VHost, jsonText(l.Value)})
		} else if l.VHost == c.vhost() {
			return jsonText(l.Value), nil
		}
	}
	return out, nil
}

func (c *call) setUserLimits() (any, error) {
	limits, err := limitsArgument(c.args[1], "user-limits", "", "", "max-connections", "max-channels")
	if err != nil {
		return nil, err
	}
	return nil, c.changeUser(c.args[0], noUser2, func(u user) map[string]any {
		return map[string]any{"tags": u.Tags, "password_hash": u.PasswordHash, "hashing_algorithm": u.HashingAlgorithm, "limits": limits}
	})
}

// clearUserLimits accepts names of limits that do not exist, as RabbitMQ does.
func (c *call) clearUserLimits() (any, error) {
	if _, err := c.user(c.args[0]); err != nil {
		if client.IsNotFound(err) {
			return nil, noUser2(c.args[0])
		}
		return nil, err
	}
	for _, name := range []string{"max-connections", "max-channels"} {
		if c.args[1] != "all" && c.args[1] != name {
			continue
		}
		err := c.delete(path("user-limits", c.args[0], name))
		if err != nil && !client.IsNotFound(err) {
			return nil, err
		}
	}
	return nil, nil
}

func (c *call) userOption() string {
	if u, ok := c.opts["user"]; ok {
		return u
	}
	return "guest"
}

func (c *call) listUserLimits() (any, error) {
	var all []limits
	if err := c.get("/user-limits", &all); err != nil {
		return nil, err
	}
	if c.flag("global") {
		out := rows{columns: []string{"user", "limits"}, whole: true}
		for _, l := range all {
			out.list = append(out.list, []any{l.User, jsonText(l.Value)})
		}
		return out, nil
	}
	name := c.userOption()
	if _, err := c.user(name); err != nil {
		if client.IsNotFound(err) {
			return nil, noUser2(name)
		}
		return nil, err
	}
	for _, l := range all {
		if l.User == name {
			return jsonText(l.Value), nil
		}
	}
	return "{}", nil
}

package ctl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/mgmt/client"
)

func vhostCommands() []*Command {
	both := []Tool{Ctl, Diagnostics}
	name := [2]string{"<vhost>", "Name of the virtual host"}
	about := []flag{{"description", text, "d"}, {"tags", text, ""}, {"default-queue-type", text, ""}}
	explain := [][2]string{name, {"--description <description>", "What it is for"}, {"--tags <tags>", "Tags, with commas between them"},
		{"--default-queue-type <quorum|classic|stream>", "Type of queues whose client does not say one"}}
	columns := []string{"name", "description", "tags", "default_queue_type", "tracing", "cluster_state", "metadata", "protected_from_deletion"}
	return []*Command{
		{Name: "add_vhost", Group: groupVHosts, Min: 1, Max: 1, Flags: about, Explain: explain,
			Usage: `add_vhost <vhost> [--description <description> --tags "<tag1>,<tag2>,<...>" --default-queue-type <quorum|classic|stream>]`,
			Short: "Makes a virtual host", Check: (*call).checkVHostName, Banner: bannerf("Adding vhost \"%s\" ...", arg(0)), Run: (*call).addVHost},
		{Name: "delete_vhost", Group: groupVHosts, Usage: "delete_vhost <vhost>", Min: 1, Max: 1,
			Short: "Deletes a virtual host and everything in it", Explain: [][2]string{name},
			Banner: bannerf("Deleting vhost \"%s\" ...", arg(0)), Run: (*call).deleteVHost},
		{Name: "update_vhost_metadata", Group: groupVHosts, Min: 1, Max: 1,
			Usage: `update_vhost_metadata <vhost> [--description <description>] [--tags "<tag1>,<tag2>,<...>"] [--default-queue-type <quorum|classic|stream>] [--protected-from-deletion <true|false>]`,
			Short: "Changes what is said about a virtual host", Flags: slices.Concat(about, []flag{{"protected-from-deletion", text, ""}}), Explain: explain,
			Banner: bannerf("Updating metadata of vhost \"%s\" ...", arg(0)), Run: (*call).updateVHost},
		{Name: "set_vhost_tags", Group: groupVHosts, Usage: "set_vhost_tags <vhost> <tag> [...]", Min: 1, Max: -1,
			Short: "Replaces a virtual host's tags", Explain: [][2]string{name},
			Banner: func(c *call) string {
				return fmt.Sprintf("Setting tags for virtual host \"%s\" to %s ...", c.args[0], listTags(c.args[1:]))
			}, Run: (*call).setVHostTags},
		{Name: "enable_vhost_deletion_protection", Group: groupVHosts, Usage: "enable_vhost_deletion_protection <vhost>", Min: 1, Max: 1,
			Short: "Protects a virtual host from deletion", Explain: [][2]string{name},
			Banner: bannerf("Protecting virtual host \"%s\" from removal ...", arg(0)), Run: func(c *call) (any, error) { return c.protect("true") }},
		{Name: "disable_vhost_deletion_protection", Group: groupVHosts, Usage: "disable_vhost_deletion_protection <vhost>", Min: 1, Max: 1,
			Short: "Lifts the protection of a virtual host", Explain: [][2]string{name},
			Banner: bannerf("Removing deletion protection of virtual host \"%s\" ...", arg(0)), Run: func(c *call) (any, error) { return c.protect("false") }},
		{Name: "restart_vhost", Group: groupVHosts, Usage: "restart_vhost [--vhost <vhost>]", Timed: true,
			Short:  "Starts a virtual host again that has failed",
			Banner: bannerf("Trying to restart vhost '%s' on node '%s' ...", inVHost, onNode), Run: (*call).restartVHost},
		{Name: "reconcile_vhosts", Group: groupVHosts, Usage: "reconcile_vhosts", Short: "Makes sure that all virtual hosts run on all nodes",
			Banner: bannerf("Will try to initiate virtual host reconciliation on all up and running cluster nodes..."), Run: nothing},
		{Name: "trace_on", Group: groupVHosts, Usage: "trace_on [--vhost <vhost>]", Short: "Copies every message of a virtual host to amq.rabbitmq.trace",
			Banner: bannerf("Starting tracing for vhost \"%s\" ...", inVHost), Run: func(c *call) (any, error) { return c.trace(true, "enabled") }},
		{Name: "trace_off", Group: groupVHosts, Usage: "trace_off [--vhost <vhost>]", Short: "Ends what trace_on began",
			Banner: bannerf("Stopping tracing for vhost \"%s\" ...", inVHost), Run: func(c *call) (any, error) { return c.trace(false, "disabled") }},
		{Name: "list_vhosts", Tools: both, Group: groupAccess, Usage: "list_vhosts [--no-table-headers] [<column> ...]", Timed: true, Max: -1,
			Short: "Lists virtual hosts", Formatter: "table", Columns: columns, Defaults: []string{"name"}, Check: (*call).checkColumns,
			Banner: bannerf("Listing vhosts ..."), Run: (*call).listVHosts},
	}
}

func nothing(*call) (any, error) { return nil, nil }

func (c *call) checkVHostName() error {
	if c.args[0] == "" {
		return c.badArgument("virtual host name cannot be an empty string")
	}
	return nil
}

// vhostBody is what the options say about a virtual host.
func (c *call) vhostBody() (map[string]any, error) {
	body := map[string]any{}
	if c.has("description") {
		body["description"] = c.option("description")
	}
	if c.has("tags") {
		body["tags"] = splitComma(c.option("tags"))
	}
	if t := c.option("default-queue-type"); t != "" {
		if !slices.Contains([]string{"classic", "quorum", "stream"}, t) {
			return nil, failed(exitUnavailable, "invalid_queue_type")
		}
		body["default_queue_type"] = t
	}
	if c.has("protected-from-deletion") {
		switch v := c.option("protected-from-deletion"); v {
		case "true", "false":
			body["protected_from_deletion"] = v == "true"
		default:
			return nil, c.badArgument("--protected-from-deletion is true or false")
		}
	}
	return body, nil
}

func splitComma(s string) []string {
	out := []string{}
	for _, p := range strings.Split(s, ",") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

func (c *call) addVHost() (any, error) {
	body, err := c.vhostBody()
	if err != nil {
		return nil, err
	}
	return nil, c.put(path("vhosts", c.args[0]), body)
}

// changeVHost changes a virtual host that must be there.
func (c *call) changeVHost(name string, body map[string]any) error {
	ok, err := c.there(path("vhosts", name))
	switch {
	case err != nil:
		return err
	case !ok:
		return failedf(exitData, "Virtual host %q does not exist", name)
	}
	return c.put(path("vhosts", name), body)
}

func (c *call) updateVHost() (any, error) {
	body, err := c.vhostBody()
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return nil, c.wrong(exitUsage, "not enough arguments.")
	}
	return nil, c.changeVHost(c.args[0], body)
}

func (c *call) setVHostTags() (any, error) {
	return nil, c.changeVHost(c.args[0], map[string]any{"tags": c.args[1:]})
}

func (c *call) protect(on string) (any, error) {
	return nil, c.changeVHost(c.args[0], map[string]any{"protected_from_deletion": on == "true"})
}

func (c *call) deleteVHost() (any, error) {
	err := c.delete(path("vhosts", c.args[0]))
	if client.IsNotFound(err) {
		return nil, noVHost(c.args[0])
	}
	return nil, err
}

func (c *call) restartVHost() (any, error) {
	ok, err := c.there(path("vhosts", c.vhost()))
	if err == nil && !ok {
		err = failedf(exitSoftware, "Failed to start vhost '%s' on node '%s'Reason: {:no_such_vhost, %q}", c.vhost(), c.name(), c.vhost())
	}
	if err != nil {
		return nil, err
	}
	return fmt.Sprintf("Vhost '%s' is already running on node '%s'", c.vhost(), c.name()), nil
}

func (c *call) trace(on bool, word string) (any, error) {
	if err := c.needVHost(); err != nil {
		return nil, err
	}
	if err := c.put(path("vhosts", c.vhost()), map[string]any{"tracing": on}); err != nil {
		return nil, err
	}
	return fmt.Sprintf("Trace %s for vhost %s", word, c.vhost()), nil
}

func (c *call) listVHosts() (any, error) {
	vhosts, err := c.objects("/vhosts?disable_stats=true")
	if err != nil {
		return nil, err
	}
	return c.columns(vhosts, func(v map[string]any, column string) any {
		switch column {
		case "tags":
			return atomsOf(v["tags"])
		case "default_queue_type":
			if s, _ := v[column].(string); s != "" {
				return s
			}
			return atom("undefined")
		case "cluster_state":
			state, _ := v[column].(map[string]any)
			out := pairs{}
			for _, node := range sortedKeys(state) {
				out = append(out, pair{node, atom(fmt.Sprint(state[node]))})
			}
			return out
		}
		return plainValue(v[column])
	}), nil
}

// atomsOf reads a list of names.
func atomsOf(v any) any {
	in, _ := v.([]any)
	out := list{}
	for _, e := range in {
		out = append(out, atom(fmt.Sprint(e)))
	}
	return out
}

// parseJSON reads a JSON argument; what follows it is an error.
func parseJSON(s string, v any) bool {
	return json.Unmarshal([]byte(s), v) == nil
}

package ctl

import (
	"fmt"
	"slices"

	"github.com/warrenmq/warren/internal/mgmt/client"
)

// A node of this version is a cluster of one. What is about other nodes answers
// as RabbitMQ does for a node that has none.
func clusterCommands() []*Command {
	peer := [2]string{"<node>", "Name of another node"}
	stopped := func(c *call) error {
		return c.unfit("this command requires the target node to be stopped.")
	}
	return []*Command{
		{Name: "join_cluster", Group: groupCluster, Usage: "join_cluster [--disc|--ram] <existing_cluster_member>", Min: 1, Max: 1, Needs: appStopped,
			Short: "Joins the cluster of another node (refused: a node is a cluster of its own)", Flags: []flag{{"disc", boolean, ""}, {"ram", boolean, ""}}, Explain: [][2]string{peer},
			Banner: bannerf("Clustering node %s with %s", onNode, arg(0)),
			Run: func(c *call) (any, error) {
				return nil, failedf(exitUnavailable, "node %s cannot join a cluster: this version of Warren runs as one node", c.name())
			}},
		{Name: "forget_cluster_node", Group: groupCluster, Usage: "forget_cluster_node [--offline] <existing_cluster_member_node>", Min: 1, Max: 1,
			Short: "Takes a node out of the cluster", Flags: []flag{{"offline", boolean, ""}}, Explain: [][2]string{peer},
			Banner: bannerf("Removing node %s from the cluster", arg(0)),
			Run: func(c *call) (any, error) {
				if c.flag("offline") {
					return nil, stopped(c)
				}
				return nil, failed(exitUnavailable, "{:not_a_cluster_node, 'The node selected is not in the cluster.'}")
			}},
		{Name: "change_cluster_node_type", Group: groupCluster, Usage: "change_cluster_node_type <disc | ram>", Min: 1, Max: 1, Needs: appStopped,
			Short: "Changes the type of a cluster's node", Check: func(c *call) error {
				if !slices.Contains([]string{"disc", "disk", "ram"}, c.args[0]) {
					return c.badArgument("The node type must be either disc or ram.")
				}
				return nil
			},
			Banner: bannerf("Turning %s into a %s node", onNode, arg(0)),
			Run: func(*call) (any, error) {
				return nil, failed(exitUnavailable, "{:not_clustered, 'Non-clustered nodes can only be disc nodes.'}")
			}},
		{Name: "update_cluster_nodes", Group: groupCluster, Usage: "update_cluster_nodes <seed_node>", Min: 1, Max: 1, Needs: appStopped,
			Short: "Asks another node for the nodes of the cluster", Explain: [][2]string{peer},
			Banner: bannerf("Will seed %s from %s on next start", onNode, arg(0)),
			Run: func(c *call) (any, error) {
				return nil, failedf(exitUnavailable, "node %s is in no cluster: this version of Warren runs as one node", c.name())
			}},
		{Name: "rename_cluster_node", Group: groupCluster, Usage: "rename_cluster_node <oldnode1> <newnode1> [oldnode2] [newnode2] ...", Min: 2, Max: -1, Needs: anyState,
			Short: "Renames nodes of the cluster", Run: func(c *call) (any, error) { return nil, stopped(c) }},
		{Name: "force_boot", Group: groupCluster, Usage: "force_boot", Needs: appStopped, Short: "Lets a node start without its peers (nothing to do for one node)",
			Banner: bannerf("Forcing boot for node %s ...", onNode), Run: nothing},
		{Name: "force_standalone_khepri_boot", Group: groupCluster, Usage: "force_standalone_khepri_boot", Needs: anyState,
			Short: "Makes a node of a cluster one of its own (nothing to do for one node)", Run: nothing},
		{Name: "sync_queue", Group: groupReplication, Usage: "sync_queue [--vhost <vhost>] <queue>", Min: 1, Max: 1, Short: "Brings mirrors of a classic queue up to date (there are none)",
			Banner: bannerf("Synchronising queue '%s' in vhost '%s' ...", arg(0), inVHost), Run: (*call).syncQueue},
		{Name: "cancel_sync_queue", Group: groupReplication, Usage: "cancel_sync_queue [--vhost <vhost>] <queue>", Min: 1, Max: 1, Short: "Ends what sync_queue began",
			Banner: bannerf("Stopping synchronising queue '%s' in vhost '%s' ...", arg(0), inVHost), Run: func(c *call) (any, error) {
				if err := c.needQueue(); err != nil {
					return nil, err
				}
				return "not_syncing", nil
			}},
		{Name: "remove_classic_queue_mirroring_from_policies", Group: groupReplication, Usage: "remove_classic_queue_mirroring_from_policies",
			Short: "Takes the keys of mirroring out of policies", Banner: bannerf("Will remove mirroring keys from all policies..."), Run: (*call).unmirror},
	}
}

// needQueue refuses the name of a queue that does not exist.
func (c *call) needQueue() error {
	ok, err := c.there(path("queues", c.vhost(), c.args[0]))
	if err == nil && !ok {
		err = failed(exitUnavailable, "not_found")
	}
	return err
}

func (c *call) syncQueue() (any, error) {
	if err := c.needQueue(); err != nil {
		return nil, err
	}
	return nil, failed(exitUnavailable, "not_mirrored")
}

// unmirror takes ha-* out of all policies; one that had nothing else goes.
func (c *call) unmirror() (any, error) {
	ps, err := c.objects("/policies")
	if err != nil {
		return nil, err
	}
	changed := 0
	for _, p := range ps {
		definition, _ := p["definition"].(map[string]any)
		before := len(definition)
		for _, k := range []string{"ha-mode", "ha-params", "ha-sync-mode", "ha-sync-batch-size", "ha-promote-on-shutdown", "ha-promote-on-failure"} {
			delete(definition, k)
		}
		if len(definition) == before {
			continue
		}
		at := path("policies", text1(p["vhost"]), text1(p["name"]))
		if len(definition) == 0 {
			err = c.delete(at)
		} else {
			err = c.put(at, p)
		}
		if err != nil && !client.IsNotFound(err) {
			return nil, err
		}
		changed++
	}
	return fmt.Sprintf("Removed mirroring from %d policies", changed), nil
}

func flagCommands() []*Command {
	both := []Tool{Ctl, Diagnostics}
	columns := words("name state stability provided_by desc doc_url")
	return []*Command{
		{Name: "list_feature_flags", Tools: both, Group: groupFlags, Usage: "list_feature_flags [<column> ...]", Timed: true, Max: -1, Formatter: "table",
			Short: "Lists feature flags", Columns: columns, Defaults: words("name state"), Check: (*call).checkColumns,
			Banner: bannerf("Listing feature flags ..."), Run: func(c *call) (any, error) { return c.listFlags("/feature-flags") }},
		{Name: "list_deprecated_features", Tools: both, Group: groupFlags, Usage: "list_deprecated_features [--used] [<column> ...]", Timed: true, Max: -1, Formatter: "table",
			Short: "Lists features that will go", Flags: []flag{{"used", boolean, ""}}, Columns: words("name deprecation_phase provided_by desc doc_url state"),
			Defaults: words("name deprecation_phase"), Check: (*call).checkColumns,
			Banner: func(c *call) string {
				if c.flag("used") {
					return "Listing deprecated features in use ..."
				}
				return "Listing deprecated features ..."
			}, Run: func(c *call) (any, error) {
				if c.flag("used") {
					return c.listFlags("/deprecated-features/used")
				}
				return c.listFlags("/deprecated-features")
			}},
		{Name: "enable_feature_flag", Group: groupFlags, Usage: "enable_feature_flag <all | feature_flag>", Min: 1, Max: 1,
			Short: "Enables a feature flag, or all", Flags: []flag{{"opt-in", boolean, ""}, {"experimental", boolean, ""}},
			Banner: func(c *call) string {
				if c.args[0] == "all" {
					return "Enabling all feature flags ..."
				}
				return fmt.Sprintf("Enabling feature flag \"%s\" ...", c.args[0])
			}, Run: (*call).enableFlag},
	}
}

func (c *call) listFlags(p string) (any, error) {
	flags, err := c.objects(p)
	return c.columns(flags, func(f map[string]any, column string) any {
		switch column {
		case "desc", "doc_url":
			return f[column]
		}
		return atom(text1(f[column]))
	}), err
}

func (c *call) enableFlag() (any, error) {
	flags, err := c.objects("/feature-flags")
	if err != nil {
		return nil, err
	}
	found := false
	for _, f := range flags {
		name := text1(f["name"])
		if c.args[0] != "all" && c.args[0] != name {
			continue
		}
		found = true
		if text1(f["state"]) == "enabled" {
			continue
		}
		if err := refused(c.put(path("feature-flags", name, "enable"), map[string]string{"name": name})); err != nil {
			return nil, err
		}
	}
	if !found && c.args[0] != "all" {
		return nil, failedf(exitUsage, "This feature flag is not supported by node %s", c.name())
	}
	return nil, nil
}

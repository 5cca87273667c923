package ctl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/mgmt/client"
)

// replicaCommands are about members of replicated queues: each queue has one
// here, on the only node.
func replicaCommands() []*Command {
	tool := []Tool{Queues}
	both := []Tool{Diagnostics, Queues}
	queue := [2]string{"<queue>", "Name of a quorum queue"}
	node := [2]string{"<node>", "Name of a node"}
	patterns := []flag{{"vhost-pattern", text, ""}, {"queue-pattern", text, ""}, {"errors-only", boolean, ""}, {"membership", text, ""}}
	return []*Command{
		{Name: "quorum_status", Tools: both, Group: groupMonitoring, Usage: "quorum_status [--vhost <vhost>] <queue>", Min: 1, Max: 1, Formatter: "pretty_table",
			Short: "Shows the members of a quorum queue", Explain: [][2]string{queue},
			Banner: bannerf("Status of quorum queue %s on node %s ...", arg(0), onNode), Run: (*call).quorumStatus},
		{Name: "add_member", Tools: tool, Group: groupReplication, Usage: "add_member [--vhost <vhost>] <queue> <node>", Timed: true, Min: 2, Max: 2, Flags: []flag{{"membership", text, ""}},
			Short: "Adds a member of a quorum queue on another node", Explain: [][2]string{queue, node},
			Banner: bannerf("Adding a replica for queue %s on node %s...", arg(0), arg(1)), Run: (*call).addMember},
		{Name: "delete_member", Tools: tool, Group: groupReplication, Usage: "delete_member [--vhost <vhost>] <queue> <node>", Min: 2, Max: 2,
			Short: "Takes a member away from a quorum queue", Explain: [][2]string{queue, node},
			Banner: bannerf("Removing a replica of queue %s on node %s...", arg(0), arg(1)), Run: (*call).deleteMember},
		{Name: "grow", Tools: tool, Group: groupCluster, Usage: "grow <node> <all | even> [--vhost-pattern <pattern>] [--queue-pattern <pattern>]", Min: 2, Max: 2, Formatter: "table", Flags: patterns,
			Short: "Adds a member on a node to quorum queues", Check: (*call).checkStrategy,
			Banner: bannerf("Growing %s quorum queues on %s...", arg(1), arg(0)), Run: noRows},
		{Name: "grow_to_count", Tools: tool, Group: groupCluster, Usage: "grow_to_count <count> <all | even> [--vhost-pattern <pattern>] [--queue-pattern <pattern>]", Min: 2, Max: 2, Formatter: "table", Flags: patterns,
			Short: "Adds members to quorum queues up to a number", Check: (*call).checkCount,
			Banner: bannerf("Growing %s quorum queues to %s members...", arg(1), arg(0)), Run: noRows},
		{Name: "shrink", Tools: tool, Group: groupCluster, Usage: "shrink <node> [--errors-only]", Min: 1, Max: 1, Formatter: "table", Flags: patterns,
			Short: "Takes the members on a node away from quorum queues", Banner: bannerf("Shrinking quorum queues on %s...", arg(0)),
			Run: func(c *call) (any, error) { return c.shrinkAll("quorum", "error: last_node") }},
		{Name: "rebalance", Tools: tool, Group: groupCluster, Usage: "rebalance < all | classic | quorum | stream > [--vhost-pattern <pattern>] [--queue-pattern <pattern>]", Min: 1, Max: 1,
			Formatter: "pretty_table", Flags: patterns, Short: "Spreads leaders over the nodes",
			Check: func(c *call) error {
				if !slices.Contains([]string{"all", "classic", "quorum", "stream"}, c.args[0]) {
					return failedf(exitUnavailable, "type %s is not supported. Try one of all, classic, quorum, stream.", c.args[0])
				}
				return nil
			},
			Banner: func(c *call) string {
				if c.args[0] == "all" {
					return "Re-balancing leaders of all queues..."
				}
				return fmt.Sprintf("Re-balancing leaders of %s queues...", c.args[0])
			}, Run: (*call).rebalance},
		{Name: "transfer_leadership", Tools: tool, Group: groupReplication, Usage: "transfer_leadership [--vhost <vhost>] <queue> <node>", Min: 2, Max: 2,
			Short: "Makes another member of a quorum queue its leader", Explain: [][2]string{queue, node},
			Banner: bannerf("Transferring leadership of queue %s to node %s...", arg(0), arg(1)), Run: (*call).addMember},
		{Name: "peek", Tools: tool, Group: groupMonitoring, Usage: "peek [--vhost <vhost>] <queue> <position>", Timed: true, Min: 2, Max: 2, Formatter: "pretty_table",
			Short: "Shows a message of a quorum queue by its position", Explain: [][2]string{queue, {"<position>", "from 1, the head of the queue"}},
			Check: func(c *call) error {
				if n, err := parseInt(c.args[1]); err != nil || n < 1 {
					return c.wrong(exitUsage, `"position value must be a positive integer"`)
				}
				return nil
			},
			Banner: bannerf("Peeking at quorum queue %s at position %s on node %s ...", arg(0), arg(1), onNode), Run: (*call).peek},
		{Name: "reclaim_quorum_memory", Tools: both, Group: groupOperations, Usage: "reclaim_quorum_memory  [--vhost <vhost>] <quorum queue>", Min: 1, Max: 1,
			Short: "Flushes the log of a quorum queue (nothing to do: the node does so by itself)", Explain: [][2]string{queue},
			Banner: bannerf("Will flush Raft WAL of quorum queue %s ...", arg(0)), Run: (*call).reclaim},
		{Name: "force_checkpoint", Tools: tool, Group: groupOperations, Usage: "force_checkpoint [--vhost-pattern <pattern>] [--queue-pattern <pattern>] [--errors-only]", Formatter: "table", Flags: patterns,
			Short: "Makes quorum queues write a checkpoint (nothing to do: the node does so by itself)", Banner: bannerf("Forcing checkpoint for all matching quorum queues..."), Run: noRows},
	}
}

func noRows(*call) (any, error) { return rows{whole: true}, nil }

// replicated finds a queue of a type, or says in RabbitMQ's words that it is
// none, or another.
func (c *call) replicated(kind, missing, otherType string) (map[string]any, error) {
	var q map[string]any
	err := c.get(path("queues", c.vhost(), c.args[0]), &q)
	switch {
	case client.IsNotFound(err):
		return nil, failed(exitUnavailable, missing)
	case err != nil:
		return nil, err
	case text1(q["type"]) != kind:
		return nil, failedf(exitUnavailable, otherType, text1(q["type"]))
	}
	return q, nil
}

func (c *call) quorumStatus() (any, error) {
	q, err := c.replicated("quorum", "not_found", "Cannot get quorum status of a %s queue")
	if err != nil {
		return nil, err
	}
	return rows{columns: []string{"Node Name", "Raft State", "Log Index", "Commit Index", "Snapshot Index", "Term", "Machine Version"},
		list: [][]any{{atom(text1(q["leader"])), atom("leader"), nil, nil, nil, nil, nil}}}, nil
}

func (c *call) addMember() (any, error) {
	if _, err := c.replicated("quorum", "not_found", "Cannot add members to a %s queue"); err != nil {
		return nil, err
	}
	if c.args[1] == c.name() {
		return nil, nil
	}
	return nil, failed(exitUnavailable, "node_not_running")
}

func (c *call) deleteMember() (any, error) {
	_, err := c.replicated("quorum", "not_found", "Cannot delete members from a %s queue")
	if err == nil && c.args[1] == c.name() {
		err = failed(exitUnavailable, "last_node")
	}
	return nil, err
}

func (c *call) checkStrategy() error {
	if !slices.Contains([]string{"all", "even"}, c.args[1]) {
		return c.wrong(exitUsage, fmt.Sprintf(`"strategy '%s' is not recognised."`, c.args[1]))
	}
	return nil
}

// shrinkAll takes nothing away from this node: it has the only members.
func (c *call) shrinkAll(kind, why string) (any, error) {
	out := rows{columns: []string{"vhost", "name", "size", "result"}, whole: true}
	if c.args[0] != c.name() {
		return out, nil
	}
	queues, err := c.objects("/queues?columns=vhost,name,type")
	for _, q := range queues {
		if q["type"] == kind {
			out.list = append(out.list, []any{q["vhost"], q["name"], int64(1), why})
		}
	}
	return out, err
}

func (c *call) rebalance() (any, error) {
	queues, err := c.objects("/queues?columns=type")
	n := int64(0)
	for _, q := range queues {
		if q["type"] == "quorum" {
			n++
		}
	}
	return rows{columns: []string{"Node name", "Number of quorum queues", "Number of replicated classic queues"},
		list: [][]any{{atom(c.name()), n, int64(0)}}}, err
}

// peek looks at a message without taking it from its place: it is got and
// requeued together with those before it.
func (c *call) peek() (any, error) {
	missing := "Target queue was not found in virtual host '" + c.vhost() + "'"
	if _, err := c.replicated("quorum", missing, "Cannot peek into a %s queue"); err != nil {
		return nil, err
	}
	n, _ := parseInt(c.args[1])
	messages, err := c.browse(c.args[0], n)
	if err != nil {
		return nil, err
	}
	if messages == nil {
		return nil, failed(exitUnavailable, "Target queue does not have a message at that position")
	}
	return *messages, nil
}

func (c *call) reclaim() (any, error) {
	_, err := c.replicated("quorum", "Target queue was not found in virtual host '"+c.vhost()+"'", "Cannot reclaim memory of a %s queue")
	return nil, err
}

func streamCommands() []*Command {
	tool := []Tool{Streams}
	both := []Tool{Diagnostics, Queues, Streams}
	stream := [2]string{"<stream>", "Name of a stream"}
	const none = "streams of Warren are on one node and have no protocol of their own: there is nothing to do or to show"
	refuse := func(name, usage, short string, min, max int) *Command {
		return &Command{Name: name, Tools: tool, Group: groupForeign, Usage: usage, Min: min, Max: max, Short: short, Run: notHere(none)}
	}
	also := func(cmd *Command, tools ...Tool) *Command {
		cmd.Tools = append([]Tool{Streams}, tools...)
		return cmd
	}
	group := []flag{{"stream", text, ""}, {"reference", text, ""}, {"verbose", boolean, ""}}
	grouped := func(cmd *Command, tools ...Tool) *Command {
		cmd.Flags = group
		return also(cmd, tools...)
	}
	return []*Command{
		{Name: "grow", Tools: tool, Group: groupCluster, Usage: "grow <node> <all | even> [--vhost-pattern <pattern>] [--queue-pattern <pattern>] [--errors-only]", Min: 2, Max: 2, Formatter: "table",
			Flags: []flag{{"vhost-pattern", text, ""}, {"queue-pattern", text, ""}, {"errors-only", boolean, ""}},
			Short: "Adds a replica on a node to streams", Check: (*call).checkStrategy,
			Banner: bannerf("Growing %s streams on %s...", arg(1), arg(0)), Run: (*call).growStreams},
		{Name: "shrink", Tools: tool, Group: groupCluster, Usage: "shrink <node> [--errors-only]", Min: 1, Max: 1, Formatter: "table", Flags: []flag{{"errors-only", boolean, ""}},
			Short: "Takes the replicas on a node away from streams", Banner: bannerf("Shrinking streams on %s...", arg(0)),
			Run: func(c *call) (any, error) {
				return c.shrinkAll("stream", "error: the last replica cannot be removed")
			}},
		{Name: "transfer_leadership", Tools: tool, Group: groupReplication, Usage: "transfer_leadership [--vhost <vhost>] <stream> <node>", Min: 2, Max: 2,
			Short: "Makes another replica of a stream its leader", Explain: [][2]string{stream, {"<node>", "Name of a node"}},
			Banner: bannerf("Transferring leadership of stream %s to node %s...", arg(0), arg(1)), Run: (*call).transferStream},
		{Name: "stream_status", Tools: both, Group: groupMonitoring, Usage: "stream_status [--vhost <vhost>] [--tracking] <stream>", Min: 1, Max: 1, Formatter: "pretty_table",
			Flags: []flag{{"tracking", boolean, ""}}, Short: "Shows how a stream is", Explain: [][2]string{stream},
			Banner: bannerf("Status of stream %s on node %s ...", arg(0), onNode), Run: (*call).streamStatus},
		{Name: "add_replica", Tools: tool, Group: groupReplication, Usage: "add_replica [--vhost <vhost>] <queue> <node>", Timed: true, Min: 2, Max: 2,
			Short: "Adds a replica of a stream on another node", Explain: [][2]string{stream},
			Banner: bannerf("Adding a replica for queue %s on node %s...", arg(0), arg(1)), Run: (*call).addReplica},
		{Name: "delete_replica", Tools: tool, Group: groupReplication, Usage: "delete_replica [--vhost <vhost>] <queue> <node>", Min: 2, Max: 2,
			Short: "Takes a replica away from a stream", Explain: [][2]string{stream},
			Banner: bannerf("Removing a replica of queue %s on node %s...", arg(0), arg(1)), Run: (*call).deleteReplica},
		refuse("restart_stream", "restart_stream [--vhost <vhost>] <stream> [--preferred-leader-node <node>]", "Elects a stream's leader anew", 1, 1),
		also(refuse("coordinator_status", "coordinator_status", "Shows how the coordinator of streams is", 0, 0), Diagnostics),
		also(refuse("add_super_stream", "add_super_stream <name> [--partitions <n>] [--binding-keys <keys>]", "Makes a super stream", 1, 1), Ctl),
		also(refuse("delete_super_stream", "delete_super_stream <name> [--vhost <vhost>]", "Deletes a super stream", 1, 1), Ctl),
		{Name: "set_stream_retention_policy", Tools: tool, Group: groupForeign, Usage: "set_stream_retention_policy [--vhost <vhost>] <name> <policy>", Min: 2, Max: 2,
			Short: "Sets how long a stream keeps messages", Run: notHere("how long a stream keeps messages is a policy's to say: rabbitmqctl set_policy NAME PATTERN '{\"max-age\":\"7D\"}' --apply-to streams")},
		also(refuse("list_stream_connections", "list_stream_connections [<column> ...]", "Lists connections of the stream protocol", 0, -1), Ctl, Diagnostics),
		also(refuse("list_stream_publishers", "list_stream_publishers [<column> ...]", "Lists publishers of streams", 0, -1), Ctl, Diagnostics),
		also(refuse("list_stream_consumers", "list_stream_consumers [<column> ...]", "Lists consumers of streams", 0, -1), Ctl, Diagnostics),
		grouped(refuse("list_stream_consumer_groups", "list_stream_consumer_groups [--vhost <vhost>] [<column> ...]", "Lists groups of consumers of streams", 0, -1), Ctl, Diagnostics),
		grouped(refuse("list_stream_group_consumers", "list_stream_group_consumers --stream <stream> --reference <reference> [--vhost <vhost>] [<column> ...]", "Lists the consumers of a group", 0, -1), Ctl, Diagnostics),
		grouped(refuse("activate_stream_consumer", "activate_stream_consumer --stream <stream> --reference <reference> [--vhost <vhost>]", "Makes a consumer of a group the active one", 0, 0), Ctl),
		also(refuse("list_stream_tracking", "list_stream_tracking <stream>", "Lists the offsets that a stream keeps", 1, 1), Ctl, Diagnostics),
		also(refuse("reset_offset", "reset_offset --stream <stream> --reference <reference>", "Resets an offset that a stream keeps", 0, 0), Ctl),
	}
}

func (c *call) streamStatus() (any, error) {
	q, err := c.replicated("stream", "not_found", "Cannot get stream status of a %s queue")
	if err != nil {
		return nil, err
	}
	if c.flag("tracking") {
		return rows{}, nil // offsets are kept for clients of the stream protocol
	}
	next, _ := plainValue(q["next_offset"]).(int64)
	return rows{columns: []string{"role", "node", "offset", "committed_offset", "first_offset", "readers", "segments"},
		list: [][]any{{atom("writer"), atom(text1(q["leader"])), next - 1, plainValue(q["committed_offset"]), plainValue(q["first_offset"]),
			plainValue(member(q, "readers", text1(q["leader"]))), plainValue(q["segments"])}}}, nil
}

func (c *call) addReplica() (any, error) {
	_, err := c.replicated("stream", "not_found", "Cannot add replicas to a %s queue")
	if err == nil {
		err = failed(exitUnavailable, "node_not_running")
	}
	return nil, err
}

func (c *call) deleteReplica() (any, error) {
	_, err := c.replicated("stream", "not_found", "Cannot delete replicas from a %s queue")
	return nil, err
}

// growStreams adds nothing: on this node each stream is, and there is no other.
func (c *call) growStreams() (any, error) {
	if c.args[0] != c.name() {
		return nil, c.unfit("node " + c.args[0] + " is not a member of the cluster")
	}
	return rows{whole: true}, nil
}

// transferStream answers with the leader, which is this node whatever was asked
// for, as that of a stream without another replica in RabbitMQ.
func (c *call) transferStream() (any, error) {
	var q map[string]any
	err := c.get(path("queues", c.vhost(), c.args[0]), &q)
	switch {
	case client.IsNotFound(err):
		return nil, plain(exitData, "queue '%s' was not found in virtual host '%s'", c.args[0], c.vhost())
	case err != nil:
		return nil, err
	case text1(q["type"]) != "stream":
		return nil, failedf(exitUnavailable, "Cannot transfer leadership of a %s queue", text1(q["type"]))
	}
	return c.name(), nil
}

func upgradeCommands() []*Command {
	tool := []Tool{Upgrade}
	const alone = "Target node seems to be the only one in a single node cluster, the command does not apply"
	await := func(name, banner, short string) *Command {
		return &Command{Name: name, Tools: tool, Group: groupUpgrade, Usage: name, Short: short, Banner: bannerf("%s", func(*call) string { return banner }),
			Run: func(*call) (any, error) { return alone, nil }}
	}
	return []*Command{
		{Name: "drain", Tools: tool, Group: groupUpgrade, Usage: "drain", Short: "Closes the connections of clients and accepts no more",
			Banner: bannerf("Will put node %s into maintenance mode. The node will no longer serve any client traffic!", onNode), Run: (*call).drain},
		{Name: "revive", Tools: tool, Group: groupUpgrade, Usage: "revive", Short: "Ends what drain began",
			Banner: bannerf("Will put node %s back into regular operating mode. The node will again serve client traffic and host primary queue replicas.", onNode),
			Run:    func(c *call) (any, error) { return nil, c.command("resume-listeners", nil) }},
		await("await_online_quorum_plus_one", "Will wait for a quorum + 1 of nodes to be online for all quorum queues for 120 seconds...", "Waits until this node can be stopped without a queue losing its quorum"),
		await("await_online_synchronized_mirror", "Will wait for a synchronised mirror be online for all classic mirrored queues for 120 seconds...", "Waits until this node can be stopped without a mirrored queue losing data"),
		{Name: "post_upgrade", Tools: tool, Group: groupUpgrade, Usage: "post_upgrade", Short: "Spreads leaders over the nodes after an upgrade",
			Banner: bannerf("Executing post upgrade tasks...\nRebalancing queue masters..."), Formatter: "string", Run: (*call).rebalanceAll},
	}
}

func (c *call) drain() (any, error) {
	if err := c.command("suspend-listeners", nil); err != nil {
		return nil, err
	}
	return nil, c.command("close-connections", map[string]string{"reason": "Node is being put into maintenance mode"})
}

func (c *call) rebalanceAll() (any, error) {
	c.args = []string{"all"}
	return c.rebalance()
}

// notHere refuses a command that has no meaning for this program.
func notHere(why string) func(*call) (any, error) {
	return func(*call) (any, error) { return nil, failed(exitUnavailable, why) }
}

// foreignCommands are about the Erlang runtime or about plugins that there are
// not. They are known, so that who types them learns why.
func foreignCommands() []*Command {
	const erlang = "this command is about the Erlang runtime, and Warren does not run on it"
	refuse := func(tool Tool, usage, short, why string, max int) *Command {
		name, _, _ := strings.Cut(usage, " ")
		return &Command{Name: name, Tools: []Tool{tool}, Group: groupForeign, Usage: usage, Max: max, Local: true, Short: short, Run: notHere(why)}
	}
	out := []*Command{
		refuse(Ctl, "eval <expression>", "Evaluates Erlang", "Erlang expressions cannot be evaluated: "+erlang, -1),
		refuse(Ctl, "eval_file <file path>", "Evaluates Erlang in a file", "Erlang expressions cannot be evaluated: "+erlang, -1),
		refuse(Ctl, "exec <expression> [--offline]", "Evaluates Elixir", "Elixir expressions cannot be evaluated: "+erlang, -1),
		refuse(Diagnostics, "erlang_version [--details]", "Tells the version of Erlang", erlang+", but on Go", 0),
		refuse(Diagnostics, "maybe_stuck", "Looks for stuck Erlang processes", erlang, 0),
		refuse(Diagnostics, "observer [--interval <seconds>]", "Looks into the Erlang runtime", erlang, 0),
		refuse(Diagnostics, "remote_shell", "Opens an Erlang shell", erlang, 0),
		refuse(Diagnostics, "runtime_thread_stats [--sample-interval <interval>]", "Measures Erlang's threads", erlang, 0),
		refuse(Diagnostics, "resolver_info", "Shows Erlang's settings for looking up hosts", erlang, 0),
		refuse(Diagnostics, "erlang_cookie_hash", "Shows the hash of the Erlang cookie", "there is no Erlang cookie: the tools reach the node over the socket in its data directory", 0),
		refuse(Diagnostics, "erlang_cookie_sources", "Shows where the Erlang cookie comes from", "there is no Erlang cookie: the tools reach the node over the socket in its data directory", 0),
		refuse(Diagnostics, "enable_auth_attempt_source_tracking", "Counts logins by where they come from", "logins are not counted by source in this version of Warren; the audit log names the source of each refused one", 0),
		refuse(Diagnostics, "disable_auth_attempt_source_tracking", "Ends the counting of logins by source", "logins are not counted by source in this version of Warren", 0),
		refuse(Diagnostics, "consume_event_stream [--duration|-d <seconds>] [--pattern <pattern>]", "Prints internal events", "the stream of internal events is not part of this version of Warren; the audit log has every change", 0),
		refuse(Ctl, "schema_info [--no-table-headers] [<column> ...]", "Lists the tables of the definitions", "there are no Mnesia tables: definitions are kept in the node's own log", -1),
		refuse(Diagnostics, "schema_info [--no-table-headers] [<column> ...]", "Lists the tables of the definitions", "there are no Mnesia tables: definitions are kept in the node's own log", -1),
		refuse(Diagnostics, "consistent_hash_exchange_ring_state <exchange>", "Shows the ring of a consistent hash exchange", "the consistent hash exchange is not part of this version of Warren", 1),
		refuse(Diagnostics, "metadata_store_status", "Shows the replicas of the definitions", "definitions are not replicated in this version of Warren", 0),
	}
	for _, p := range [][3]string{
		{"shovel_status", "Shows shovels", "shovels are"}, {"restart_shovel <name>", "Starts a shovel again", "shovels are"}, {"delete_shovel <name>", "Deletes a shovel", "shovels are"},
		{"federation_status [--only-down]", "Shows links of the federation", "the federation is"}, {"restart_federation_link <link>", "Starts a link again", "the federation is"},
		{"list_mqtt_connections [<column> ...]", "Lists connections of MQTT", "MQTT is"}, {"list_web_mqtt_connections [<column> ...]", "Lists connections of MQTT over WebSockets", "MQTT is"},
		{"list_stomp_connections [<column> ...]", "Lists connections of STOMP", "STOMP is"}, {"list_amqp10_connections [<column> ...]", "Lists connections of AMQP 1.0", "AMQP 1.0 is"},
		{"clear_auth_backend_cache", "Empties the cache of permissions", "the cache of an authentication backend is"},
		{"add_signing_key <name>", "Adds a key of OAuth 2", "OAuth 2 is"}, {"add_uaa_key <name>", "Adds a key of OAuth 2", "OAuth 2 is"},
		{"list_trust_store_certificates", "Lists the certificates of the trust store", "the trust store is"}, {"refresh_trust_store", "Reads the trust store again", "the trust store is"},
	} {
		c := refuse(Ctl, p[0], p[1], p[2]+" not part of this version of Warren", -1)
		if strings.HasPrefix(c.Name, "list_") || strings.HasSuffix(c.Name, "_status") {
			c.Tools = append(c.Tools, Diagnostics)
		}
		out = append(out, c)
	}
	out = append(out, interceptorCommands()...)
	gc := &Command{Name: "force_gc", Group: groupOperations, Usage: "force_gc", Timed: true, Short: "Accepted for scripts: Go collects garbage by itself",
		Banner: bannerf("Will ask all processes on node %s to schedule a full sweep GC", onNode), Run: nothing}
	reset := &Command{Name: "reset_stats_db", Group: groupOperations, Usage: "reset_stats_db [--all]", Flags: []flag{{"all", boolean, ""}}, Short: "Drops the statistics and begins anew",
		Banner: bannerf("Resetting statistics database on node %s ...", onNode), Run: func(c *call) (any, error) { return nil, c.delete("/reset") }}
	return append(out, gc, reset)
}

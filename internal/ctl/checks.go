package ctl

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

func checkCommands() []*Command {
	diag := []Tool{Diagnostics}
	both := []Tool{Ctl, Diagnostics}
	queues := []Tool{Diagnostics, Queues}
	check := func(cmd Command) *Command {
		cmd.Group, cmd.Timed = groupMonitoring, true
		if cmd.Tools == nil {
			cmd.Tools = diag
		}
		return &cmd
	}
	return []*Command{
		check(Command{Name: "check_running", Usage: "check_running", Needs: anyState, Short: "Fails unless the broker runs",
			Banner: bannerf("Checking if RabbitMQ is running on node %s ...", onNode), Run: (*call).checkRunning}),
		check(Command{Name: "is_running", Usage: "is_running", Needs: anyState, Short: "Says whether the broker runs",
			Banner: bannerf("Asking node %s for its status ...", onNode), Run: func(c *call) (any, error) { return c.runningText(), nil }}),
		check(Command{Name: "is_booting", Usage: "is_booting", Needs: anyState, Short: "Says whether the broker is on its way",
			Banner: bannerf("Asking node %s for its boot status ...", onNode), Run: func(c *call) (any, error) {
				return fmt.Sprintf("RabbitMQ on node %s is fully booted (check with is_running), stopped or has not started booting yet", c.name()), nil
			}}),
		check(Command{Name: "alarms", Usage: "alarms", Short: "Shows the alarms in force",
			Banner: bannerf("Asking node %s to report any known resource alarms ...", onNode), Run: (*call).alarms}),
		check(Command{Name: "check_alarms", Usage: "check_alarms", Short: "Fails if there are alarms",
			Banner: bannerf("Asking node %s to report any local resource alarms ...", onNode), Run: func(c *call) (any, error) { return c.checkAlarms("no alarms, local or clusterwide") }}),
		check(Command{Name: "check_local_alarms", Usage: "check_local_alarms", Short: "Fails if there are alarms of this node",
			Banner: bannerf("Asking node %s to report any local resource alarms ...", onNode), Run: func(c *call) (any, error) { return c.checkAlarms("no local alarms") }}),
		check(Command{Name: "listeners", Usage: "listeners", Short: "Lists what the node listens on",
			Banner: bannerf("Asking node %s to report its protocol listeners ...", onNode), Run: (*call).listListeners}),
		check(Command{Name: "check_port_connectivity", Usage: "check_port_connectivity [--address <ip_address>]", Short: "Fails unless all listeners can be connected to",
			Flags:  []flag{{"address", text, "a"}},
			Banner: bannerf("Testing TCP connections to all active listeners on node %s ...", onNode), Run: (*call).checkConnectivity}),
		check(Command{Name: "check_port_listener", Usage: "check_port_listener <port>", Min: 1, Max: 1, Short: "Fails unless there is a listener on a port", Check: (*call).checkCount,
			Banner: bannerf("Asking node %s if there's an active listener on port %s ...", onNode, arg(0)), Run: (*call).checkPort}),
		check(Command{Name: "check_protocol_listener", Usage: "check_protocol_listener <protocol>", Min: 1, Max: 1, Short: "Fails unless there is a listener for a protocol",
			Banner: bannerf("Asking node %s if there's an active listener for protocol %s ...", onNode, arg(0)), Run: (*call).checkProtocol}),
		check(Command{Name: "check_virtual_hosts", Usage: "check_virtual_hosts", Short: "Fails unless all virtual hosts run",
			Banner: bannerf("Checking if all vhosts are running on node %s ...", onNode), Run: (*call).checkVHosts}),
		check(Command{Name: "check_certificate_expiration", Usage: "check_certificate_expiration [--within <period>] [--unit <unit>]",
			Short: "Fails if a certificate expires soon", Flags: []flag{{"within", integer, ""}, {"unit", text, ""}}, Check: (*call).checkPeriod,
			Banner: bannerf("Checking certificate expiration on node %s ...", onNode), Run: (*call).checkExpiration}),
		check(Command{Name: "check_if_node_is_quorum_critical", Tools: queues, Usage: "check_if_node_is_quorum_critical", Short: "Fails if queues would lose their quorum without this node",
			Banner: bannerf("Checking if node %s is critical for quorum of any quorum queues ...", onNode), Run: (*call).singleNode}),
		check(Command{Name: "check_if_node_is_mirror_sync_critical", Tools: queues, Usage: "check_if_node_is_mirror_sync_critical", Short: "Fails if mirrored queues would lose data without this node",
			Banner: bannerf("Checking if node %s is critical for data safety of any classic mirrored queues ...", onNode), Run: (*call).singleNode}),
		check(Command{Name: "check_if_new_quorum_queue_replicas_have_finished_initial_sync", Tools: queues, Usage: "check_if_new_quorum_queue_replicas_have_finished_initial_sync",
			Short: "Fails if new members of quorum queues are not up to date", Banner: bannerf("Checking if node %s runs promotable replicas of any queues ...", onNode), Run: (*call).singleNode}),
		check(Command{Name: "check_for_quorum_queues_without_an_elected_leader", Tools: queues, Usage: "check_for_quorum_queues_without_an_elected_leader [--vhost <vhost>] [--across-all-vhosts] <pattern>",
			Short: "Fails if a quorum queue has no leader", Max: 1, Flags: []flag{{"across-all-vhosts", boolean, ""}},
			Banner: bannerf("Checking for leader-less quorum queues ..."), Run: func(*call) (any, error) {
				return "Node reported all quorum queues as having responsive leader replicas", nil
			}}),
		check(Command{Name: "check_if_cluster_has_classic_queue_mirroring_policy", Tools: queues, Usage: "check_if_cluster_has_classic_queue_mirroring_policy", Short: "Fails if a policy has keys of mirroring",
			Banner: bannerf("Checking if cluster has any classic queue mirroring policy ..."), Run: (*call).checkMirroring}),
		check(Command{Name: "has_reached_target_cluster_size", Tools: []Tool{Ctl, Diagnostics, Upgrade}, Usage: "has_reached_target_cluster_size", Short: "Fails unless all nodes of the cluster are there (there is one)",
			Banner: bannerf("Checking if target cluster size has been reached on node %s ...", onNode), Run: func(c *call) (any, error) {
				return report{text: "Target cluster size has been reached on node " + c.name(), value: c.verdict("ok")}, nil
			}}),
		check(Command{Name: "check_if_any_deprecated_features_are_used", Tools: both, Usage: "check_if_any_deprecated_features_are_used", Short: "Fails if features are in use that will go",
			Banner: bannerf("Checking if any deprecated features are used ..."), Run: (*call).checkDeprecated}),
		check(Command{Name: "check_if_metadata_store_is_initialized", Usage: "check_if_metadata_store_is_initialized", Short: "Fails unless the definitions have been read",
			Banner: bannerf("Checking if the metadata store of node %s is initialized ...", onNode), Run: func(c *call) (any, error) { return "Metadata store on node " + c.name() + " is initialized", nil }}),
		check(Command{Name: "check_if_metadata_store_is_initialized_with_data", Usage: "check_if_metadata_store_is_initialized_with_data", Short: "Fails unless there are definitions",
			Banner: bannerf("Checking if the metadata store of node %s has data ...", onNode), Run: (*call).checkHasData}),
		{Name: "node_health_check", Tools: both, Group: groupDeprecated, Usage: "node_health_check", Timed: true, Timeout: 70 * time.Second,
			Short: "Checks that the node is well; the checks of rabbitmq-diagnostics say more",
			Banner: func(c *call) string {
				return fmt.Sprintf("This command is DEPRECATED and will be removed in a future version.\n"+
					"It performs intrusive, opinionated health checks and requires a fully booted node.\n"+
					"Use one of the options covered in https://www.rabbitmq.com/monitoring.html#health-checks instead.\n"+
					"Timeout: %d seconds ...\nChecking health of node %s ...", int(c.timeout().Seconds()), c.name())
			}, Run: (*call).nodeHealth},
		{Name: "hipe_compile", Group: groupDeprecated, Usage: "hipe_compile <directory>", Max: 1, Local: true, Short: "Does nothing",
			Run: func(*call) (any, error) {
				return "This command is a no-op. HiPE is no longer supported by modern Erlang versions", nil
			}},
	}
}

func (c *call) runningText() string {
	if c.node.info.AppRunning {
		return fmt.Sprintf("RabbitMQ on node %s is fully booted and running", c.name())
	}
	return fmt.Sprintf("RabbitMQ on node %s is not running or has not fully booted yet (check with is_booting)", c.name())
}

func (c *call) checkRunning() (any, error) {
	if !c.node.info.AppRunning {
		return nil, &sickness{report: report{text: c.runningText()}, code: exitUnavailable}
	}
	return c.runningText(), nil
}

// verdict is the value of a check for machines.
func (c *call) verdict(result string, more ...pair) erlMap {
	return append(erlMap{{"node", c.name()}, {"result", result}}, more...)
}

func (c *call) alarmValues() list {
	out := list{}
	for _, a := range c.node.info.Alarms {
		out = append(out, erlMap{{"node", c.name()}, {"resource", a}})
	}
	return out
}

func (c *call) alarms() (any, error) {
	if len(c.node.info.Alarms) == 0 {
		return report{text: fmt.Sprintf("Node %s reported no alarms, local or clusterwide", c.name()), value: c.verdict("ok", pair{"alarms", list{}})}, nil
	}
	return report{text: c.alarmText(), value: c.verdict("ok", pair{"alarms", c.alarmValues()})}, nil
}

func (c *call) alarmText() string {
	return fmt.Sprintf("Node %s reported alarms:\n\n%s", c.name(), strings.Join(c.alarmLines(), "\n"))
}

func (c *call) checkAlarms(none string) (any, error) {
	if len(c.node.info.Alarms) > 0 {
		return nil, &sickness{report: report{text: c.alarmText(), value: c.verdict("error", pair{"alarms", c.alarmValues()})}, code: exitUnavailable}
	}
	return report{text: fmt.Sprintf("Node %s reported %s", c.name(), none), value: c.verdict("ok")}, nil
}

func (c *call) listListeners() (any, error) {
	var out []string
	for _, l := range c.listeners() {
		out = append(out, "I"+listenerLine(l))
	}
	return report{text: strings.Join(out, "\n"), value: c.verdict("ok", pair{"listeners", c.listenerValues()})}, nil
}

// ports are those of the listeners, in order.
func (c *call) ports() []int {
	var out []int
	for _, l := range c.listeners() {
		out = append(out, l.Port)
	}
	sort.Ints(out)
	return slices.Compact(out)
}

func commas[T any](items []T) string {
	out := make([]string, len(items))
	for i, v := range items {
		out[i] = fmt.Sprint(v)
	}
	return strings.Join(out, ", ")
}

func (c *call) checkConnectivity() (any, error) {
	var bad []string
	for _, l := range c.listeners() {
		host := reachable(l.IPAddress)
		if a := c.option("address"); a != "" {
			host = a
		}
		d := net.Dialer{Timeout: 10 * time.Second}
		nc, err := d.DialContext(c.ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(l.Port)))
		if err != nil {
			bad = append(bad, listenerLine(l))
			continue
		}
		nc.Close()
	}
	if len(bad) > 0 {
		return nil, &sickness{report: report{text: fmt.Sprintf("Connection to ports of the following listeners on node %s failed:\n\nI%s", c.name(), strings.Join(bad, "\nI")),
			value: c.verdict("error", pair{"failures", strs(bad)})}, code: exitUnavailable}
	}
	return report{text: fmt.Sprintf("Successfully connected to ports %s on node %s.", commas(c.ports()), c.name()), value: c.verdict("ok")}, nil
}

func (c *call) checkPort() (any, error) {
	port, _ := strconv.Atoi(c.args[0])
	if slices.Contains(c.ports(), port) {
		return report{text: fmt.Sprintf("A listener for port %d is running on node %s.", port, c.name()), value: c.verdict("ok", pair{"port", int64(port)})}, nil
	}
	ports := list{}
	for _, p := range c.ports() {
		ports = append(ports, int64(p))
	}
	return nil, &sickness{bare: true, code: exitUnavailable, report: report{
		text:  fmt.Sprintf("No listener for port %d is active on node %s. Found listeners that use the following ports: %s", port, c.name(), commas(c.ports())),
		value: c.verdict("error", pair{"missing", c.args[0]}, pair{"ports", ports}, pair{"listeners", c.listenerValues()})}}
}

// protocolName is how the node calls a protocol that people call differently.
func protocolName(s string) string {
	s = strings.ToLower(s)
	if name, ok := map[string]string{"amqp091": "amqp", "amqp0.9.1": "amqp", "amqp-0-9-1": "amqp", "amqps": "amqp/ssl", "amqp/tls": "amqp/ssl",
		"mqtts": "mqtt/ssl", "mqtt/tls": "mqtt/ssl", "stomps": "stomp/ssl", "web-mqtt": "http/web-mqtt", "web-stomp": "http/web-stomp", "prometheus": "http/prometheus"}[s]; ok {
		return name
	}
	return s
}

func (c *call) checkProtocol() (any, error) {
	var have []string
	for _, l := range c.listeners() {
		have = append(have, l.Protocol)
	}
	sort.Strings(have)
	have = slices.Compact(have)
	if slices.Contains(have, protocolName(c.args[0])) {
		return report{text: fmt.Sprintf("A listener for protocol %s is running on node %s.", c.args[0], c.name()), value: c.verdict("ok", pair{"protocol", c.args[0]})}, nil
	}
	return nil, &sickness{code: exitUnavailable, report: report{
		text:  fmt.Sprintf("No listener for protocol %s is active on node %s. Found listeners for the following protocols: %s", c.args[0], c.name(), commas(have)),
		value: c.verdict("error", pair{"missing", c.args[0]}, pair{"protocols", strs(have)}, pair{"listeners", c.listenerValues()})}}
}

// health asks for one of the API's checks.
func (c *call) health(p string) (failure string, err error) {
	err = c.get("/health/checks"+p, nil)
	if isStatus(err, http.StatusServiceUnavailable) {
		return reason(err), nil
	}
	return "", err
}

func (c *call) checkVHosts() (any, error) {
	why, err := c.health("/virtual-hosts")
	if err != nil {
		return nil, err
	}
	if why != "" {
		return nil, &sickness{report: report{text: fmt.Sprintf("Some virtual hosts on node %s are down: %s", c.name(), why), value: c.verdict("error")}, code: exitUnavailable}
	}
	return report{text: fmt.Sprintf("Node %s reported all vhosts as running", c.name()), value: c.verdict("ok")}, nil
}

func (c *call) period() (int64, string) {
	unit := "weeks"
	if u := c.option("unit"); u != "" {
		unit = strings.ToLower(u)
	}
	return c.number("within", 4), unit
}

func (c *call) checkPeriod() error {
	_, unit := c.period()
	if !slices.Contains([]string{"days", "weeks", "months", "years"}, unit) {
		return c.wrong(exitUsage, fmt.Sprintf(`"unit '%s' is not supported. Please use one of: days, weeks, months, years"`, c.option("unit")))
	}
	return nil
}

func (c *call) checkExpiration() (any, error) {
	n, unit := c.period()
	why, err := c.health(fmt.Sprintf("/certificate-expiration/%d/%s", n, unit))
	if err != nil {
		return nil, err
	}
	if why != "" {
		return nil, &sickness{report: report{text: fmt.Sprintf("Some certificates are expiring within %d %s: %s", n, unit, why), value: c.verdict("error")}, code: exitUnavailable}
	}
	return report{text: fmt.Sprintf("No certificates are expiring within %d %s.", n, unit), value: c.verdict("ok")}, nil
}

func (c *call) singleNode() (any, error) {
	return fmt.Sprintf("Node %s seems to be the only one in a single node cluster, the check does not apply", c.name()), nil
}

func (c *call) checkMirroring() (any, error) {
	ps, err := c.objects("/policies")
	if err != nil {
		return nil, err
	}
	for _, p := range ps {
		if mirrors(p) {
			return nil, &sickness{code: exitUnavailable, report: report{text: "Policies that enable classic queue mirroring: " + text1(p["name"]), value: c.verdict("error")}}
		}
	}
	return report{text: "Cluster reported no policies that enable classic queue mirroring", value: c.verdict("ok")}, nil
}

func (c *call) checkDeprecated() (any, error) {
	features, err := c.objects("/deprecated-features/used")
	if err != nil {
		return nil, err
	}
	if len(features) == 0 {
		return report{text: "Cluster reported no deprecated features in use", value: c.verdict("ok")}, nil
	}
	var names []string
	for _, f := range features {
		names = append(names, text1(f["name"]))
	}
	return nil, &sickness{code: exitUnavailable, report: report{text: "Deprecated features used: " + commas(names), value: c.verdict("error", pair{"deprecated_features", strs(names)})}}
}

func (c *call) checkHasData() (any, error) {
	vhosts, err := c.objects("/vhosts?columns=name&disable_stats=true")
	if err == nil && len(vhosts) == 0 {
		err = &sickness{code: exitUnavailable, report: report{text: "Metadata store on node " + c.name() + " is not initialized with data", value: c.verdict("error")}}
	}
	return "Metadata store on node " + c.name() + " is initialized and has data", err
}

func (c *call) nodeHealth() (any, error) {
	if len(c.node.info.Alarms) > 0 {
		return nil, failedf(exitSoftware, "Error: health check failed. Message: resource alarm(s) in effect:%s", jsonText(c.node.info.Alarms))
	}
	if why, err := c.health("/virtual-hosts"); err != nil || why != "" {
		if err == nil {
			err = failedf(exitSoftware, "Error: health check failed. Message: %s", why)
		}
		return nil, err
	}
	return "Health check passed", nil
}

package ctl

import (
	"fmt"
	"math"
	"net"
	"runtime"
	"slices"
	"sort"
	"strings"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/mgmt/client"
)

func statusCommands() []*Command {
	both := []Tool{Ctl, Diagnostics}
	return []*Command{
		{Name: "status", Tools: both, Group: groupMonitoring, Usage: "status [--unit <unit>]", Timed: true, Flags: []flag{{"unit", text, ""}},
			Short: "Shows how the node is", Explain: [][2]string{{"--unit <bytes | mb | gb>", "of memory and disk; gb by default"}},
			Check: (*call).checkUnit, Banner: bannerf("Status of node %s ...", onNode), Run: (*call).status},
		{Name: "cluster_status", Tools: both, Group: groupCluster, Usage: "cluster_status", Timed: true,
			Short:  "Shows the nodes of the cluster and how they are",
			Banner: bannerf("Cluster status of node %s ...", onNode), Run: (*call).clusterStatus},
		{Name: "report", Tools: both, Group: groupMonitoring, Usage: "report", Short: "Prints everything that lists and status show, for support",
			Banner: bannerf("Reporting server status of node %s ...\n", onNode), Run: (*call).report},
		{Name: "memory_breakdown", Tools: []Tool{Diagnostics}, Group: groupMonitoring, Usage: "memory_breakdown [--unit <unit>]", Timed: true,
			Short: "Shows what the node's memory is used for", Flags: []flag{{"unit", text, ""}}, Check: (*call).checkUnit,
			Banner: bannerf("Reporting memory breakdown on node %s...", onNode), Run: (*call).memoryBreakdown},
	}
}

func (c *call) unit() string {
	if u := c.option("unit"); u != "" {
		return strings.ToLower(u)
	}
	return "gb"
}

func (c *call) checkUnit() error {
	if !slices.Contains([]string{"bytes", "mb", "gb"}, c.unit()) {
		return c.wrong(exitUsage, fmt.Sprintf(`"unit '%s' is not supported. Please use one of: bytes, mb, gb"`, c.option("unit")))
	}
	return nil
}

// amount is a number of bytes in a unit, with its name.
func amount(bytes int64, unit string) string {
	switch unit {
	case "mb":
		return floatText(round(float64(bytes)/1e6, 4)) + " mb"
	case "gb":
		return floatText(round(float64(bytes)/1e9, 4)) + " gb"
	}
	return fmt.Sprintf("%d bytes", bytes)
}

func round(f float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(f*p) / p
}

// stats are what the node says about itself: a map, as much of it may be missing.
type stats map[string]any

func (c *call) stats() (stats, error) {
	s := stats{}
	err := c.get(path("nodes", c.name())+"?memory=true", &s)
	if client.IsNotFound(err) {
		err = nil
	}
	return s, err
}

func (s stats) int(keys ...string) int64 {
	n, _ := plainValue(member(s, keys...)).(int64)
	return n
}

func (s stats) text(keys ...string) string { return text1(member(s, keys...)) }

func (s stats) texts(key string) []string {
	var out []string
	l, _ := s[key].([]any)
	for _, e := range l {
		out = append(out, fmt.Sprint(e))
	}
	return out
}

// part is one part of the memory.
type part struct {
	name    string
	bytes   int64
	percent float64
}

// parts are those of the memory, the largest first, with their share of all.
func (s stats) parts() (out []part, total int64) {
	memory, _ := s["memory"].(map[string]any)
	total = s.memoryTotal()
	for _, k := range sortedKeys(memory) {
		if n, ok := plainValue(memory[k]).(int64); ok {
			share := 0.0
			if total > 0 {
				share = round(float64(n)/float64(total)*100, 2)
			}
			out = append(out, part{k, n, share})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].bytes > out[j].bytes })
	return out, total
}

func (s stats) memoryTotal() int64 {
	strategy := s.text("memory", "strategy")
	if n := s.int("memory", "total", strategy); n > 0 {
		return n
	}
	return s.int("mem_used")
}

func (c *call) memoryBreakdown() (any, error) {
	s, err := c.stats()
	if err != nil {
		return nil, err
	}
	parts, _ := s.parts()
	var lines []string
	value := pairs{}
	for _, p := range parts {
		lines = append(lines, fmt.Sprintf("%s: %s (%s%%)", p.name, amount(p.bytes, c.unit()), floatText(p.percent)))
		value = append(value, pair{p.name, pairs{{"bytes", p.bytes}, {"percentage", p.percent}}})
	}
	return report{text: strings.Join(lines, "\n"), value: value}, nil
}

// purpose is what a listener is for.
func purpose(protocol string) string {
	switch protocol {
	case "amqp":
		return "AMQP 0-9-1"
	case "amqp/ssl":
		return "AMQP 0-9-1 over TLS"
	case "http":
		return "HTTP API"
	case "https":
		return "HTTP API over TLS (HTTPS)"
	case "http/prometheus":
		return "Prometheus exporter API over HTTP"
	case "https/prometheus":
		return "Prometheus exporter API over TLS (HTTPS)"
	case "mqtt":
		return "MQTT"
	case "mqtt/ssl":
		return "MQTT over TLS"
	case "clustering":
		return "inter-node and CLI tool communication"
	}
	return "not known"
}

// interfaceOf is an address as a listener's line shows it.
func interfaceOf(l apitype.Listener) string {
	if ip := net.ParseIP(l.IPAddress); ip == nil || ip.To4() == nil {
		return "[" + l.IPAddress + "]"
	}
	return l.IPAddress
}

func listenerLine(l apitype.Listener) string {
	return fmt.Sprintf("nterface: %s, port: %d, protocol: %s, purpose: %s", interfaceOf(l), l.Port, l.Protocol, purpose(l.Protocol))
}

func (c *call) listenerValues() list {
	out := list{}
	for _, l := range c.listeners() {
		out = append(out, erlMap{{"interface", interfaceOf(l)}, {"node", atom(c.name())}, {"port", int64(l.Port)}, {"protocol", atom(l.Protocol)}, {"purpose", purpose(l.Protocol)}})
	}
	return out
}

// text is a text in sections.
type sections struct{ strings.Builder }

func (b *sections) section(title string, lines ...string) {
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	b.WriteString(bold(title) + "\n\n")
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
}

func (b *sections) done() string { return strings.TrimSuffix(b.String(), "\n") }

func starred(items []string) []string {
	if len(items) == 0 {
		return []string{"(none)"}
	}
	out := make([]string, len(items))
	for i, s := range items {
		out[i] = " * " + s
	}
	return out
}

// overview is the part of /overview that status shows.
type overview struct {
	ObjectTotals struct{ Connections, Queues int64 } `json:"object_totals"`
}

func (c *call) totals() (connections, queues, vhosts int64, err error) {
	var o overview
	if err = c.get("/overview?columns=object_totals", &o); err != nil {
		return
	}
	names, err := c.objects("/vhosts?columns=name&disable_stats=true")
	return o.ObjectTotals.Connections, o.ObjectTotals.Queues, int64(len(names)), err
}

func (c *call) status() (any, error) {
	s, err := c.stats()
	if err != nil {
		return nil, err
	}
	connections, queues, vhosts, err := c.totals()
	if err != nil {
		return nil, err
	}
	i, u := c.node.info, c.unit()
	b := &sections{}
	lines := []string{fmt.Sprintf("OS PID: %d", i.OSPid), "OS: " + c.os(), fmt.Sprintf("Uptime (seconds): %d", i.Uptime/1000),
		fmt.Sprintf("Is under maintenance?: %t", i.Suspended)}
	if i.Product != "" {
		lines = append(lines, "Product name: "+i.Product, "Product version: "+i.ProductVersion)
	}
	b.section("Runtime", append(lines, "RabbitMQ version: "+i.RabbitMQVersion, "RabbitMQ release series support status: supported",
		"Node name: "+i.Name, "Erlang configuration: none, Go "+i.GoVersion, "Crypto library: Go "+i.GoVersion,
		fmt.Sprintf("Erlang processes: %d used, %d limit", s.int("proc_used"), s.int("proc_total")),
		fmt.Sprintf("Scheduler run queue: %d", s.int("run_queue")), fmt.Sprintf("Cluster heartbeat timeout (net_ticktime): %d", s.int("net_ticktime")))...)
	plugins, err := c.activePlugins()
	if err != nil {
		return nil, err
	}
	b.section("Plugins", append([]string{"Enabled plugin file: " + c.pluginsFile(), "Enabled plugins:", ""}, starred(plugins)...)...)
	b.section("Data directory", "Node data directory: "+s.text("db_dir"), "Raft data directory: "+s.text("db_dir"))
	b.section("Config files", starred(s.texts("config_files"))...)
	b.section("Log file(s)", starred(s.texts("log_files"))...)
	b.section("Alarms", c.alarmLines()...)
	c.memorySection(b, s)
	b.section("File Descriptors", fmt.Sprintf("Total: %d, limit: %d", s.int("fd_used"), s.int("fd_total")),
		fmt.Sprintf("Sockets: %d, limit: %d", s.int("sockets_used"), s.int("sockets_total")))
	b.section("Free Disk Space", "Low free disk space watermark: "+amount(s.int("disk_free_limit"), u), "Free disk space: "+amount(s.int("disk_free"), u))
	b.section("Totals", fmt.Sprintf("Connection count: %d", connections), fmt.Sprintf("Queue count: %d", queues), fmt.Sprintf("Virtual host count: %d", vhosts))
	var listeners []string
	for _, l := range c.listeners() {
		listeners = append(listeners, "I"+listenerLine(l))
	}
	b.section("Listeners", listeners...)
	return report{text: b.done(), value: c.statusValue(s, plugins, connections, queues, vhosts)}, nil
}

// os is that of a node on this machine.
func (c *call) os() string {
	if !c.local() {
		return "not known"
	}
	return strings.ToUpper(runtime.GOOS[:1]) + runtime.GOOS[1:]
}

// pluginsFile is that of a node on this machine.
func (c *call) pluginsFile() string {
	if w, err := c.Where(c.option("data-dir")); err == nil && c.local() {
		return c.enabledPluginsFile(w)
	}
	return ""
}

func (c *call) memorySection(b *sections, s stats) {
	u := c.unit()
	parts, total := s.parts()
	lines := []string{"Total memory used: " + amount(total, u), "Calculation strategy: " + s.text("mem_calculation_strategy"),
		fmt.Sprintf("Memory high watermark setting: %s, computed to: %s", c.watermark(), amount(s.int("mem_limit"), u)), ""}
	for _, p := range parts {
		lines = append(lines, fmt.Sprintf("%s: %s (%s %%)", p.name, amount(p.bytes, u), floatText(p.percent)))
	}
	b.section("Memory", lines...)
}

// watermark is the setting in force: a fraction, or bytes.
func (c *call) watermark() string {
	w := c.node.info.MemoryWatermark
	if bytes, err := parseInt(w); err == nil && bytes > 1 {
		return amount(bytes, c.unit())
	}
	return w + " of available memory"
}

func (c *call) alarmLines() []string {
	if len(c.node.info.Alarms) == 0 {
		return []string{"(none)"}
	}
	var out []string
	for _, a := range c.node.info.Alarms {
		out = append(out, alarmText(a, c.name()))
	}
	return out
}

func alarmText(alarm, node string) string {
	switch alarm {
	case "memory":
		return "Memory alarm on node " + node
	case "disk":
		return "Free disk space alarm on node " + node
	case "file_descriptor_limit":
		return "File descriptor limit alarm set on node " + node
	}
	return alarm + " alarm on node " + node
}

func (c *call) activePlugins() ([]string, error) {
	var plugins []apitype.Plugin
	var out []string
	err := c.get("/plugins", &plugins)
	for _, p := range plugins {
		if p.Running {
			out = append(out, p.Name)
		}
	}
	return out, err
}

func strs(in []string) list {
	out := list{}
	for _, s := range in {
		out = append(out, s)
	}
	return out
}

func (c *call) statusValue(s stats, plugins []string, connections, queues, vhosts int64) erlMap {
	i := c.node.info
	memory, _ := plainValue(s["memory"]).(erlMap)
	return erlMap{
		{"active_plugins", atoms(plugins)}, {"alarms", strs(i.Alarms)}, {"config_files", strs(s.texts("config_files"))},
		{"crypto_lib_version", i.GoVersion}, {"data_directory", s.text("db_dir")}, {"disk_free", s.int("disk_free")},
		{"disk_free_limit", s.int("disk_free_limit")}, {"enabled_plugin_file", c.pluginsFile()}, {"erlang_version", "none, Go " + i.GoVersion},
		{"file_descriptors", erlMap{{"sockets_limit", s.int("sockets_total")}, {"sockets_used", s.int("sockets_used")},
			{"total_limit", s.int("fd_total")}, {"total_used", s.int("fd_used")}}},
		{"is_under_maintenance", i.Suspended}, {"listeners", c.listenerValues()}, {"log_files", strs(s.texts("log_files"))},
		{"memory", memory}, {"net_ticktime", s.int("net_ticktime")}, {"os", c.os()}, {"pid", int64(i.OSPid)},
		{"processes", erlMap{{"limit", s.int("proc_total")}, {"used", s.int("proc_used")}}}, {"product_name", i.Product},
		{"product_version", i.ProductVersion}, {"rabbitmq_version", i.RabbitMQVersion}, {"raft_data_directory", s.text("db_dir")},
		{"release_series_support_status", "supported"}, {"run_queue", s.int("run_queue")},
		{"totals", erlMap{{"connection_count", connections}, {"queue_count", queues}, {"virtual_host_count", vhosts}}},
		{"uptime", i.Uptime / 1000}, {"vm_memory_calculation_strategy", atom(s.text("mem_calculation_strategy"))},
		{"vm_memory_high_watermark_limit", s.int("mem_limit")}, {"vm_memory_high_watermark_setting", c.watermark()},
	}
}

func (c *call) clusterStatus() (any, error) {
	flags, err := c.objects("/feature-flags")
	if err != nil {
		return nil, err
	}
	i := c.node.info
	maintenance := "not under maintenance"
	if i.Suspended {
		maintenance = "marked for maintenance"
	}
	b := &sections{}
	b.section("Basics", "Cluster name: "+i.ClusterName)
	b.section("Disk Nodes", i.Name)
	b.section("Running Nodes", i.Name)
	version := fmt.Sprintf("%s: RabbitMQ %s on Go %s", i.Name, i.RabbitMQVersion, i.GoVersion)
	if i.Product != "" && i.Product != "RabbitMQ" {
		version = fmt.Sprintf("%s: %s %s (RabbitMQ %s) on Go %s", i.Name, i.Product, i.ProductVersion, i.RabbitMQVersion, i.GoVersion)
	}
	b.section("Versions", version)
	b.section("Maintenance status", fmt.Sprintf("Node: %s, status: %s", i.Name, maintenance))
	b.section("Alarms", c.alarmLines()...)
	b.section("Network Partitions", "(none)")
	var listeners, states []string
	for _, l := range c.listeners() {
		listeners = append(listeners, fmt.Sprintf("Node: %s, i%s", i.Name, listenerLine(l)))
	}
	b.section("Listeners", listeners...)
	values := list{}
	for _, f := range flags {
		states = append(states, fmt.Sprintf("Flag: %s, state: %s", text1(f["name"]), text1(f["state"])))
		values = append(values, plainValue(map[string]any(f)))
	}
	b.section("Feature flags", states...)
	here := list{atom(i.Name)}
	return report{text: b.done(), value: erlMap{
		{"alarms", strs(i.Alarms)}, {"cluster_name", i.ClusterName}, {"disk_nodes", here}, {"feature_flags", values},
		{"listeners", erlMap{{i.Name, c.listenerValues()}}}, {"maintenance_status", erlMap{{i.Name, maintenance}}},
		{"partitions", erlMap{}}, {"ram_nodes", list{}}, {"running_nodes", here},
		{"versions", erlMap{{i.Name, erlMap{{"erlang_version", "none, Go " + i.GoVersion}, {"rabbitmq_name", i.Product}, {"rabbitmq_version", i.RabbitMQVersion}}}}},
	}}, nil
}

// report prints status and lists one after the other, as the commands do.
func (c *call) report() (any, error) {
	run := func(name, vhost string) error {
		sub := *c
		sub.cmd, sub.args = find(Ctl, name), nil
		sub.opts = options{"vhost": vhost}
		if all := sub.cmd.Columns; all != nil {
			sub.args = all
		}
		f, err := newFormatter(&sub)
		if err != nil {
			return err
		}
		fmt.Fprintln(c.Stdout, sub.cmd.Banner(&sub))
		out, err := sub.cmd.Run(&sub)
		if err == nil {
			err = f.print(out)
		}
		fmt.Fprintln(c.Stdout)
		return err
	}
	vhosts, err := c.objects("/vhosts?columns=name&disable_stats=true")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"status", "cluster_status", "environment", "list_connections", "list_channels", "list_users", "list_vhosts"} {
		if err := run(name, "/"); err != nil {
			return nil, err
		}
	}
	for _, v := range vhosts {
		for _, name := range []string{"list_queues", "list_exchanges", "list_bindings", "list_permissions", "list_policies", "list_global_parameters", "list_parameters"} {
			if err := run(name, text1(v["name"])); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

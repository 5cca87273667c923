package ctl

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/mgmt/client"
)

func diagnosticsCommands() []*Command {
	diag := []Tool{Diagnostics}
	both := []Tool{Ctl, Diagnostics}
	return []*Command{
		{Name: "server_version", Tools: diag, Group: groupMonitoring, Usage: "server_version", Timed: true, Short: "Tells the release of RabbitMQ that the node behaves like",
			Banner: bannerf("Asking node %s for its RabbitMQ version...", onNode), Run: func(c *call) (any, error) { return c.node.info.RabbitMQVersion, nil }},
		{Name: "os_env", Tools: diag, Group: groupConfig, Usage: "os_env", Timed: true, Short: "Lists the environment variables that the configuration was taken from",
			Banner: bannerf("Listing RabbitMQ-specific environment variables defined on node %s...", onNode), Run: (*call).osEnv},
		{Name: "log_location", Tools: diag, Group: groupConfig, Usage: "log_location [--all|-a]", Timed: true, Flags: []flag{{"all", boolean, "a"}},
			Short: "Tells where the log is", Banner: bannerf("Log file location(s) on node %s ...", onNode), Run: (*call).logLocation},
		{Name: "log_tail", Tools: diag, Group: groupMonitoring, Usage: "log_tail [--number|-N <number>]", Timed: true, Flags: []flag{{"number", integer, "N"}},
			Short: "Prints the last lines of the log",
			Banner: func(c *call) string {
				return fmt.Sprintf("Last %d log lines on node %s ...", c.number("number", 50), c.name())
			}, Run: (*call).logTail},
		{Name: "log_tail_stream", Tools: diag, Group: groupMonitoring, Usage: "log_tail_stream [--duration|-d <seconds>]", Timed: true, Flags: []flag{{"duration", integer, "d"}},
			Short: "Prints the log as it grows", Banner: (*call).streamBanner, Run: (*call).logStream},
		{Name: "list_network_interfaces", Tools: diag, Group: groupMonitoring, Usage: "list_network_interfaces", Timed: true, Local: true, Flags: []flag{{"offline", boolean, ""}},
			Short: "Lists the network interfaces of this machine", Banner: bannerf("Network interfaces of this machine ..."), Run: (*call).interfaces},
		{Name: "resolve_hostname", Tools: diag, Group: groupConfig, Usage: "resolve_hostname <hostname> [--address-family <ipv4 | ipv6>]", Min: 1, Max: 1, Local: true,
			Flags: []flag{{"address-family", text, "a"}, {"offline", boolean, ""}}, Short: "Looks up a host's addresses", Check: (*call).checkFamily,
			Banner: func(c *call) string {
				return fmt.Sprintf("Resolving hostname %s to %s addresses...", c.args[0], c.family())
			}, Run: (*call).resolve},
		{Name: "tls_versions", Tools: diag, Group: groupMonitoring, Usage: "tls_versions", Timed: true, Local: true, Short: "Lists the versions of TLS that there are",
			Banner: bannerf("Listing all TLS versions supported by the runtime..."), Run: func(*call) (any, error) { return lines([]string{"tlsv1.3", "tlsv1.2", "tlsv1.1", "tlsv1"}), nil }},
		{Name: "cipher_suites", Tools: diag, Group: groupMonitoring, Usage: "cipher_suites [--format <openssl | erlang | map>] [--all]", Timed: true, Local: true,
			Flags: []flag{{"format", text, ""}, {"all", boolean, ""}}, Short: "Lists cipher suites of TLS", Check: (*call).checkCipherFormat,
			Banner: bannerf("Listing available cipher suites"), Run: (*call).cipherSuites},
		{Name: "certificates", Tools: diag, Group: groupConfig, Usage: "certificates", Formatter: "erlang", Short: "Shows the certificates that the node's listeners present",
			Banner: bannerf("Certificates of node %s ...", onNode), Run: (*call).certificates},
		{Name: "command_line_arguments", Tools: diag, Group: groupConfig, Usage: "command_line_arguments", Short: "Shows how the node's process was started",
			Banner: bannerf("Command line arguments of node %s ...", onNode), Run: (*call).commandLine},
		{Name: "discover_peers", Tools: diag, Group: groupMonitoring, Usage: "discover_peers", Timed: true, Short: "Looks for peers (a node has none)",
			Banner: bannerf("Discovering peers nodes ..."), Run: func(*call) (any, error) { return "No peers discovered", nil }},
		{Name: "list_node_auth_attempt_stats", Tools: both, Group: groupMonitoring, Usage: "list_node_auth_attempts [--by-source]", Flags: []flag{{"by-source", boolean, ""}},
			Short: "Counts logins", Formatter: "table", Banner: bannerf("Listing authentication\n attempts for node \"%s\" ...", onNode), Run: (*call).authAttempts},
		{Name: "reset_node_auth_attempt_metrics", Tools: diag, Group: groupConfig, Usage: "reset_node_auth_attempt_metrics", Short: "Begins to count logins anew",
			Banner: bannerf("Reset auth attempt metrics on node %s ...", onNode), Run: func(c *call) (any, error) { return nil, c.delete(path("auth", "attempts", c.name())) }},
		{Name: "message_size_stats", Tools: diag, Group: groupMonitoring, Usage: "message_size_stats", Short: "Shows how large messages are (not counted by this version)",
			Run: notHere("sizes of messages are not counted by this version of Warren")},
	}
}

// lines prints one text a line, and a list for machines.
func lines(items []string) report {
	return report{text: strings.Join(items, "\n"), value: strs(items)}
}

func (c *call) osEnv() (any, error) {
	if !c.local() {
		return nil, failed(exitUnavailable, "the environment of a node on another machine cannot be read")
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", c.node.info.OSPid))
	if err != nil {
		return nil, failed(exitUnavailable, err.Error())
	}
	var out []string
	for _, kv := range strings.Split(string(raw), "\x00") {
		k, v, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(k, "RABBITMQ_") && !strings.HasPrefix(k, "WARREN_") {
			continue
		}
		if strings.Contains(k, "PASS") || strings.Contains(k, "COOKIE") {
			v = "********"
		}
		out = append(out, k+"="+v)
	}
	sort.Strings(out)
	return lines(out), nil
}

func (c *call) logFiles() ([]string, error) {
	s, err := c.stats()
	return s.texts("log_files"), err
}

func (c *call) logLocation() (any, error) {
	files, err := c.logFiles()
	if err == nil && len(files) == 0 {
		err = failed(exitUnavailable, "the node does not say where its log is")
	}
	if err != nil {
		return nil, err
	}
	if !c.flag("all") {
		files = files[:1]
	}
	return lines(files), nil
}

// logFile is the log that can be read from here.
func (c *call) logFile() (*os.File, error) {
	files, err := c.logFiles()
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		if filepath.IsAbs(name) && c.local() {
			f, err := os.Open(name)
			if err != nil {
				return nil, failed(exitUnavailable, err.Error())
			}
			return f, nil
		}
	}
	return nil, failed(exitUnavailable, "the node does not log to a file here (log.file says where to); its log goes to "+strings.Join(append(files, "nowhere")[:max(1, len(files))], ", "))
}

const tailBytes = 1 << 20

func (c *call) logTail() (any, error) {
	f, err := c.logFile()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		f.Seek(max(0, size-tailBytes), io.SeekStart)
	}
	raw, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	all := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	n := int(max(0, c.number("number", 50)))
	return strings.Join(all[max(0, len(all)-n):], "\n"), nil
}

func (c *call) streamBanner() string {
	if d := c.number("duration", 0); d > 0 {
		return fmt.Sprintf("Streaming logs from node %s for %d seconds ...", c.name(), d)
	}
	return fmt.Sprintf("Streaming logs from node %s ...", c.name())
}

func (c *call) logStream() (any, error) {
	f, err := c.logFile()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		return nil, err
	}
	var end <-chan time.Time
	if d := c.number("duration", 0); d > 0 {
		end = time.After(time.Duration(d) * time.Second)
	}
	t := time.NewTicker(poll)
	defer t.Stop()
	for {
		if _, err := io.Copy(c.Stdout, f); err != nil {
			return nil, err
		}
		select {
		case <-t.C:
		case <-end:
			return nil, nil
		case <-c.ctx.Done():
			return nil, nil
		}
	}
}

func (c *call) interfaces() (any, error) {
	ifs, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	b := &sections{}
	for _, i := range ifs {
		var out []string
		if len(i.HardwareAddr) > 0 {
			out = append(out, "hwaddr: "+strings.ToUpper(i.HardwareAddr.String()))
		}
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				out = append(out, "addr: "+n.IP.String(), "netmask: "+net.IP(n.Mask).String())
			}
		}
		b.section("Interface "+i.Name, append(out, "flags: "+strings.ReplaceAll(i.Flags.String(), "|", ", "), "")...)
	}
	return b.done(), nil
}

func (c *call) family() string {
	if c.option("address-family") == "ipv6" {
		return "IPv6"
	}
	return "IPv4"
}

func (c *call) checkFamily() error {
	switch f := c.option("address-family"); f {
	case "", "ipv4", "ipv6":
		return nil
	default:
		return c.badArgument("unsupported IP address family " + f + ". Valid values are: ipv4, ipv6")
	}
}

func (c *call) resolve() (any, error) {
	network := "ip4"
	if c.family() == "IPv6" {
		network = "ip6"
	}
	ips, err := net.DefaultResolver.LookupIP(c.ctx, network, c.args[0])
	if err != nil {
		return nil, failed(exitUnavailable, err.Error())
	}
	var out []string
	for _, ip := range ips {
		out = append(out, ip.String())
	}
	return lines(out), nil
}

func (c *call) checkCipherFormat() error {
	switch c.option("format") {
	case "", "openssl", "erlang", "map":
		return nil
	}
	return c.badArgument("Format should be either openssl, erlang or map")
}

func (c *call) cipherSuites() (any, error) {
	suites := tls.CipherSuites()
	if c.flag("all") {
		suites = append(suites, tls.InsecureCipherSuites()...)
	}
	var out []string
	for _, s := range suites {
		out = append(out, s.Name)
	}
	return lines(out), nil
}

// certificates looks at what the listeners present, from outside.
func (c *call) certificates() (any, error) {
	out := erlMap{}
	for _, l := range c.listeners() {
		if !l.TLS {
			continue
		}
		addr := net.JoinHostPort(reachable(l.IPAddress), fmt.Sprint(l.Port))
		d := tls.Dialer{NetDialer: &net.Dialer{Timeout: 5 * time.Second}, Config: &tls.Config{InsecureSkipVerify: true}} // it is looked at, not trusted
		nc, err := d.DialContext(c.ctx, "tcp", addr)
		if err != nil {
			return nil, failedf(exitUnavailable, "%s: %v", addr, err)
		}
		certs := nc.(*tls.Conn).ConnectionState().PeerCertificates
		nc.Close()
		if len(certs) == 0 {
			continue
		}
		leaf := certs[0]
		sum := sha256.Sum256(leaf.Raw)
		out = append(out, pair{fmt.Sprintf("%s:%d", interfaceOf(l), l.Port), erlMap{
			{"subject", leaf.Subject.String()}, {"issuer", leaf.Issuer.String()}, {"serial_number", leaf.SerialNumber.String()},
			{"valid_from", leaf.NotBefore.UTC().Format(time.RFC3339)}, {"valid_until", leaf.NotAfter.UTC().Format(time.RFC3339)},
			{"dns_names", strs(leaf.DNSNames)}, {"sha256_fingerprint", fmt.Sprintf("%X", sum)},
		}})
	}
	return out, nil
}

// reachable is an address that a listener on another one answers.
func reachable(address string) string {
	switch address {
	case "::", "0.0.0.0", "":
		return "127.0.0.1"
	}
	return address
}

func (c *call) commandLine() (any, error) {
	if !c.local() {
		return nil, failed(exitUnavailable, "the command line of a node on another machine cannot be read")
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c.node.info.OSPid))
	if err != nil {
		return nil, failed(exitUnavailable, err.Error())
	}
	return lines(strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00")), nil
}

func (c *call) authAttempts() (any, error) {
	parts := []string{"auth", "attempts", c.name()}
	columns := words("protocol auth_attempts auth_attempts_failed auth_attempts_succeeded")
	if c.flag("by-source") {
		parts = append(parts, "source")
		columns = append(words("remote_address username"), columns...)
	}
	attempts, err := c.objects(path(parts...))
	if client.IsNotFound(err) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	if len(attempts) == 0 {
		return fmt.Sprintf("Node %s reported no authentication attempt stats", c.name()), nil
	}
	out := rows{columns: columns}
	for _, a := range attempts {
		row := make([]any, len(columns))
		for i, col := range columns {
			row[i] = plainValue(a[col])
		}
		out.list = append(out.list, row)
	}
	return out, nil
}

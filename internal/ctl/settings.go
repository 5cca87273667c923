package ctl

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

func configCommands() []*Command {
	both := []Tool{Ctl, Diagnostics}
	return []*Command{
		{Name: "environment", Tools: both, Group: groupConfig, Usage: "environment", Formatter: "erlang", Needs: anyState,
			Short:  "Shows the configuration in force",
			Banner: bannerf("Application environment of node %s ...", onNode), Run: (*call).environment},
		{Name: "set_cluster_name", Group: groupConfig, Usage: "set_cluster_name <name>", Min: 1, Max: 1, Short: "Names the cluster",
			Banner: bannerf("Setting cluster name to %s ...", arg(0)),
			Run: func(c *call) (any, error) {
				return nil, refused(c.put("/cluster-name", map[string]string{"name": c.args[0]}))
			}},
		{Name: "set_log_level", Group: groupConfig, Usage: "set_log_level <log_level>", Min: 1, Max: 1, Needs: anyState,
			Short: "Sets how much the node logs: debug, info, warning, error, critical or none", Check: (*call).checkLogLevel,
			Banner: bannerf("Setting log level to \"%s\" ...", arg(0)),
			Run: func(c *call) (any, error) {
				return nil, c.command("log-level", apitype.LogLevel{Level: c.args[0]})
			}},
		{Name: "set_vm_memory_high_watermark", Group: groupConfig, Usage: "set_vm_memory_high_watermark <fraction> | absolute <value>", Min: 1, Max: 2,
			Short: "Sets the memory from which publishers are blocked", Check: (*call).checkWatermark,
			Explain: [][2]string{{"<fraction>", "of the machine's memory, as in 0.4"}, {"<value>", "bytes, or with a unit, as in 2GB"}},
			Banner: func(c *call) string {
				if len(c.args) > 1 {
					return fmt.Sprintf("Setting memory threshold on %s to %s bytes ...", c.name(), c.args[1])
				}
				return fmt.Sprintf("Setting memory threshold on %s to %s ...", c.name(), c.args[0])
			}, Run: func(c *call) (any, error) {
				return nil, c.command("memory-watermark", apitype.Setting{Value: c.args[len(c.args)-1]})
			}},
		{Name: "set_disk_free_limit", Group: groupConfig, Usage: "set_disk_free_limit <disk_limit> | mem_relative <fraction>", Min: 1, Max: 2,
			Short: "Sets the free disk space below which publishers are blocked", Check: (*call).checkDiskLimit,
			Explain: [][2]string{{"<disk_limit>", "bytes, or with a unit, as in 2GB"}, {"<fraction>", "of the machine's memory, as in 1.5"}},
			Banner: func(c *call) string {
				if len(c.args) > 1 {
					return fmt.Sprintf("Setting disk free limit on %s to %s times the total RAM ...", c.name(), c.args[1])
				}
				return fmt.Sprintf("Setting disk free limit on %s to %s bytes ...", c.name(), c.args[0])
			}, Run: (*call).setDiskLimit},
		{Name: "activate_free_disk_space_monitoring", Tools: []Tool{Ctl, Diagnostics}, Group: groupMonitoring, Usage: "activate_free_disk_space_monitoring",
			Short:  "Watches free disk space again, after it was deactivated",
			Banner: bannerf("[Re-]activating free disk space monitoring on node %s...", onNode), Run: func(c *call) (any, error) {
				return nil, c.command("disk-monitor", apitype.Setting{Value: "on"})
			}},
		{Name: "deactivate_free_disk_space_monitoring", Tools: []Tool{Ctl, Diagnostics}, Group: groupMonitoring, Usage: "deactivate_free_disk_space_monitoring",
			Short:  "Sets no alarm any more when there is little free disk space, until the node stops",
			Banner: bannerf("Deactivating free disk space monitoring on node %s...", onNode), Run: func(c *call) (any, error) {
				return nil, c.command("disk-monitor", apitype.Setting{Value: "off"})
			}},
		{Name: "reload", Group: groupConfig, Usage: "reload", Short: "Reads the configuration again: certificates, log levels, what can change without a start", Needs: anyState,
			Banner: bannerf("Reloading the configuration of node %s ...", onNode), Run: (*call).reload},
	}
}

// environment is the configuration as an Erlang term: application, key, value.
func (c *call) environment() (any, error) {
	var values []apitype.ConfigValue
	if err := c.get("/config/effective", &values); err != nil {
		return nil, err
	}
	rabbit, warren := pairs{}, pairs{}
	for _, v := range values {
		if rest, ours := strings.CutPrefix(v.Key, "warren."); ours {
			warren = append(warren, pair{rest, v.Value})
		} else {
			rabbit = append(rabbit, pair{v.Key, v.Value})
		}
	}
	return pairs{{"rabbit", rabbit}, {"warren", warren}}, nil
}

func (c *call) checkLogLevel() error {
	levels := []string{"debug", "info", "warning", "error", "critical", "none"}
	if !slices.Contains(levels, c.args[0]) {
		return failedf(exitUnavailable, "level %s is not supported. Try one of %s", c.args[0], strings.Join(levels, ", "))
	}
	return nil
}

var amountPattern = regexp.MustCompile(`^\d+([kKmMgGtTpP]i?[bB]?)?$`)

func (c *call) checkWatermark() error {
	if c.args[0] == "absolute" {
		switch {
		case len(c.args) < 2:
			return c.wrong(exitUsage, "not enough arguments.")
		case !amountPattern.MatchString(c.args[1]):
			return c.badArgument("")
		}
		return nil
	}
	if len(c.args) > 1 {
		return c.wrong(exitUsage, "too many arguments.")
	}
	f, err := strconv.ParseFloat(c.args[0], 64)
	switch {
	case err != nil:
		return c.badArgument("")
	case !(f >= 0 && f <= 1):
		return c.badArgument("The threshold should be a fraction between 0.0 and 1.0")
	}
	return nil
}

func (c *call) checkDiskLimit() error {
	if c.args[0] == "mem_relative" {
		if len(c.args) < 2 {
			return c.wrong(exitUsage, "not enough arguments.")
		}
		if f, err := strconv.ParseFloat(c.args[1], 64); err != nil || !(f >= 0) {
			return c.badArgument("")
		}
		return nil
	}
	if len(c.args) > 1 {
		return c.wrong(exitUsage, "too many arguments.")
	}
	if !amountPattern.MatchString(c.args[0]) {
		return c.badArgument("")
	}
	return nil
}

func (c *call) setDiskLimit() (any, error) {
	value := c.args[0]
	if value == "mem_relative" {
		value = "mem_relative " + c.args[1]
	}
	return nil, c.command("disk-free-limit", apitype.Setting{Value: value})
}

func (c *call) reload() (any, error) {
	var out apitype.Reloaded
	if err := refused(c.post("/node/reload", nil, &out)); err != nil {
		return nil, err
	}
	if len(out.Pending) == 0 {
		return nil, nil
	}
	return "These settings take effect with the next start: " + strings.Join(out.Pending, ", "), nil
}

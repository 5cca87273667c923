package ctl

import (
	"fmt"
	"strconv"
	"strings"
)

// interceptorCommands are about modules that look at the operations of channels.
// RabbitMQ has them in plugins; there are none here.
func interceptorCommands() []*Command {
	return []*Command{
		{Name: "list_channel_interceptors", Tools: []Tool{Ctl, Diagnostics}, Group: groupMonitoring, Usage: "list_channel_interceptors [--no-table-headers]", Timed: true, Formatter: "table",
			Short: "Lists channel interceptors (there are none)", Banner: bannerf("Listing channel interceptors ..."), Run: noRows},
		{Name: "set_channel_interceptor_priorities", Group: groupConfig, Usage: "set_channel_interceptor_priorities <interceptor> <priority> [<interceptor> <priority> ...]", Timed: true, Min: 1, Max: -1,
			Short: "Sets in which order channel interceptors run", Explain: [][2]string{{"<interceptor>", "Name of a channel interceptor"}, {"<priority>", "A whole number; lower runs first"}},
			Check: (*call).checkPriorities, Banner: (*call).prioritiesBanner, Run: (*call).setPriorities},
	}
}

func (c *call) checkPriorities() error {
	if len(c.args)%2 != 0 {
		return c.badArgument("Interceptors and priorities must be provided as <interceptor> <priority> pairs")
	}
	for i := 1; i < len(c.args); i += 2 {
		if _, err := strconv.ParseInt(c.args[i], 10, 64); err != nil {
			return c.badArgument(fmt.Sprintf("Priority \"%s\" is not a valid integer", c.args[i]))
		}
	}
	return nil
}

func (c *call) prioritiesBanner() string {
	var pairs []string
	for i := 0; i+1 < len(c.args); i += 2 {
		pairs = append(pairs, c.args[i]+"="+c.args[i+1])
	}
	return "Setting channel interceptor priorities to [" + strings.Join(pairs, ", ") + "] ..."
}

// setPriorities: no name is that of an interceptor.
func (c *call) setPriorities() (any, error) {
	var names []string
	for i := 0; i < len(c.args); i += 2 {
		names = append(names, fmt.Sprintf("<<%q>>", c.args[i]))
	}
	return nil, failedf(exitUnavailable, "cannot set channel interceptor priorities: the following are not registered as channel interceptors: [%s]", strings.Join(names, ","))
}

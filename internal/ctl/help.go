package ctl

import (
	"fmt"
	"slices"
	"strings"
)

func (c *call) usageLine(cmd *Command) string {
	s := c.Name + " [--node <node>] [--longnames] [--quiet] " + cmd.Usage
	if cmd.Timed {
		s += " [--timeout <timeout>]"
	}
	return s
}

// overview is what stands behind no command, a wrong one, and help.
func (c *call) overview() string {
	return "\n" + bold("Usage") + "\n\n" + c.Name + " [--node <node>] [--timeout <timeout>] [--longnames] [--quiet] <command> [<command options>]\n\n" +
		"Available commands:\n" + c.commandList() +
		"\nUse '" + c.Name + " help <command>' to learn more about a specific command\n"
}

func (c *call) commandList() string {
	width, known := 0, c.known()
	for _, cmd := range known {
		width = max(width, len(cmd.Name))
	}
	var b strings.Builder
	for _, g := range groups() {
		head := false
		for _, cmd := range known {
			if cmd.Group != g {
				continue
			}
			if !head {
				fmt.Fprintf(&b, "\n%s:\n\n", bold(string(g)))
				head = true
			}
			fmt.Fprintf(&b, "   %-*s  %s\n", width, cmd.Name, cmd.Short)
		}
	}
	return b.String()
}

func (c *call) known() []*Command {
	return slices.DeleteFunc(table(), func(cmd *Command) bool { return !cmd.knows(c.Tool) })
}

// help explains one command.
func (c *call) help(cmd *Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n\n%s\n\n%s\n", bold("Usage"), c.usageLine(cmd), cmd.Short)
	if len(cmd.Columns) > 0 || len(cmd.Explain) > 0 {
		fmt.Fprintf(&b, "\n\n%s\n", bold("Arguments and Options"))
	}
	for _, e := range cmd.Explain {
		fmt.Fprintf(&b, "\n%s\n\t%s\n", e[0], e[1])
	}
	if len(cmd.Columns) > 0 {
		fmt.Fprintf(&b, "\n<column>\n\tone or more of %s; %s by default\n", strings.Join(cmd.Columns, ", "), strings.Join(cmd.Defaults, ", "))
	}
	b.WriteString("\n\n" + bold("General Options") + "\n" + generalOptions)
	return b.String()
}

const generalOptions = `
The following options are accepted by most or all commands.

short            | long          | description
-----------------|---------------|--------------------------------
-?               | --help        | displays command help
-n <node>        | --node <node> | connect to node <node>; here also the URL of its
                 |               | HTTP API, as in http://user:password@host:15672
                 | --data-dir    | directory of the node's data, with its socket
-l               | --longnames   | accepted and without meaning
-t               | --timeout <n> | for commands that support it, operation timeout in seconds
-q               | --quiet       | suppress informational messages
-s               | --silent      | suppress informational messages
                                 | and table header row
-p               | --vhost       | for commands that are scoped to a virtual host,
                 |               | virtual host to use
                 | --formatter   | alternative result formatter to use
                                 | if supported: json, json_stream, pretty_table, table, csv, erlang
                                   not all commands support all (or any) alternative formatters.
`

// unknown is the answer to a command that is none: the nearest one, or all.
func (c *call) unknown(name string) error {
	text := "\nCommand '" + name + "' not found. \n"
	if near := c.nearest(name); near != "" {
		return &exitError{code: exitUsage, text: text + "Did you mean '" + near + "'? \n\n"}
	}
	return &exitError{code: exitUsage, text: text + c.overview()}
}

// nearest is the command that is most like a name, if any is like it.
func (c *call) nearest(name string) string {
	best, at := "", 0.77
	for _, cmd := range c.known() {
		if d := jaro(name, cmd.Name); d > at {
			best, at = cmd.Name, d
		}
	}
	return best
}

// jaro is how much two words are alike, from 0 to 1: the characters that both
// have at about the same place, less half of those that are out of order.
func jaro(a, b string) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	window := max(0, max(len(a), len(b))/2-1)
	used := make([]bool, len(b))
	var inA, inB []byte
	for i := range len(a) {
		for j := max(0, i-window); j < min(len(b), i+window+1); j++ {
			if !used[j] && a[i] == b[j] {
				used[j] = true
				inA = append(inA, a[i])
				break
			}
		}
	}
	for j, u := range used {
		if u {
			inB = append(inB, b[j])
		}
	}
	if len(inA) == 0 {
		return 0
	}
	swapped := 0
	for i := range inA {
		if inA[i] != inB[i] {
			swapped++
		}
	}
	m := float64(len(inA))
	return (m/float64(len(a)) + m/float64(len(b)) + (m-float64(swapped)/2)/m) / 3
}

func helpCommands() []*Command {
	everywhere := []Tool{Ctl, Diagnostics, Plugins, Queues, Streams, Upgrade}
	return []*Command{
		{Name: "help", Tools: everywhere, Group: groupHelp, Usage: "help (<command> | [--list-commands])",
			Short: "Explains a command, or lists all", Max: 1, Local: true,
			Flags: []flag{{"list-commands", boolean, ""}}, Run: (*call).runHelp},
		{Name: "version", Tools: everywhere, Group: groupHelp, Usage: "version",
			Short: "Tells the version of this program", Local: true,
			Run: func(c *call) (any, error) { return c.Version, nil }},
		{Name: "autocomplete", Tools: everywhere, Group: groupHelp, Usage: "autocomplete [prefix]", Timed: true,
			Short: "Lists the commands that begin with a prefix", Min: 1, Max: 1, Local: true,
			Run: func(c *call) (any, error) {
				return nil, c.autocomplete(strings.Join(c.args, ""))
			}},
	}
}

func (c *call) runHelp() (any, error) {
	if c.flag("list-commands") {
		return c.commandList() + "\n", nil
	}
	if len(c.args) == 0 {
		return report{text: c.overview(), raw: true}, nil
	}
	cmd := find(c.Tool, c.args[0])
	if cmd == nil {
		return nil, failedf(exitUsage, "\nCommand '%s' not found.", c.args[0])
	}
	return report{text: c.help(cmd), raw: true}, nil
}

func (c *call) autocomplete(prefix string) error {
	for _, cmd := range c.known() {
		if strings.HasPrefix(cmd.Name, prefix) {
			fmt.Fprintln(c.Stdout, cmd.Name)
		}
	}
	return nil
}

package ctl

import (
	"slices"
	"strings"
	"time"
)

// group is a heading of the help.
type group string

const (
	groupHelp        group = "Help"
	groupNodes       group = "Nodes"
	groupCluster     group = "Cluster"
	groupReplication group = "Replication"
	groupUsers       group = "Users"
	groupAccess      group = "Access Control"
	groupMonitoring  group = "Monitoring, observability and health checks"
	groupParameters  group = "Parameters"
	groupPolicies    group = "Policies"
	groupVHosts      group = "Virtual hosts"
	groupConfig      group = "Configuration and Environment"
	groupDefinitions group = "Definitions"
	groupFlags       group = "Feature flags"
	groupOperations  group = "Operations"
	groupQueues      group = "Queues"
	groupMessages    group = "Messages"
	groupPlugins     group = "Plugin Management"
	groupUpgrade     group = "Upgrade"
	groupDeprecated  group = "Deprecated"
	groupForeign     group = "Of RabbitMQ, refused here"
)

// groups in the order of the help.
func groups() []group {
	return []group{groupHelp, groupNodes, groupCluster, groupReplication, groupUsers, groupAccess, groupMonitoring,
		groupParameters, groupPolicies, groupVHosts, groupConfig, groupDefinitions, groupFlags, groupOperations,
		groupQueues, groupMessages, groupPlugins, groupUpgrade, groupDeprecated, groupForeign}
}

// needs says in which state a node must be for a command.
type needs uint8

const (
	appRunning needs = iota // the default
	anyState
	appStopped
)

// Command is one row of the table.
type Command struct {
	Name  string
	Tools []Tool // that know it; nil: Ctl
	Group group
	Usage string // what stands behind the tool's name
	Short string // one line of help
	// Explain are arguments and options, with what they mean.
	Explain [][2]string
	Flags   []flag
	// Min and Max are how many arguments there may be; Max < 0: any number.
	Min, Max int
	// Columns are what may be asked for; nil: arguments are no columns.
	Columns  []string
	Defaults []string // columns if none is asked for
	// Local commands need no node.
	Local bool
	Needs needs
	// Timed commands mention --timeout in their usage. Timeout is the default,
	// 0 for none; with OwnTimeout the command sees to it itself.
	Timed      bool
	Timeout    time.Duration
	OwnTimeout bool
	// Formatter is the one that the command has by default, "" for text.
	Formatter string
	// Check looks at the arguments before the node is asked.
	Check func(*call) error
	// Banner is what is said first.
	Banner func(*call) string
	Run    func(*call) (any, error)
}

func (cmd *Command) knows(t Tool) bool {
	if cmd.Tools == nil {
		return t == Ctl
	}
	return slices.Contains(cmd.Tools, t)
}

func (cmd *Command) flags() []flag { return slices.Concat(cmd.Flags, globals()) }

// table is all commands. It is made anew for each caller: nobody can change it
// for others, and a program calls for it a few times only.
func table() []*Command {
	all := slices.Concat(helpCommands(), userCommands(), accessCommands(), vhostCommands(), policyCommands(),
		parameterCommands(), listCommands(), queueCommands(), messageCommands(), connectionCommands(), nodeCommands(),
		statusCommands(), configCommands(), clusterCommands(), flagCommands(), definitionCommands(), secretCommands(),
		diagnosticsCommands(), doctorCommands(), checkCommands(), pluginCommands(), replicaCommands(), streamCommands(), upgradeCommands(),
		foreignCommands())
	slices.SortFunc(all, func(a, b *Command) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func find(t Tool, name string) *Command {
	for _, cmd := range table() {
		if cmd.Name == name && cmd.knows(t) {
			return cmd
		}
	}
	return nil
}

// allFlags are the options of all commands, to find the command among them.
func allFlags() []flag {
	all := globals()
	for _, cmd := range table() {
		for _, f := range cmd.Flags {
			if have, _ := lookup(all, f.name, false); have == nil {
				all = append(all, f)
			}
		}
	}
	return all
}

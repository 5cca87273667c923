package ctl

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/plugins"
)

func pluginCommands() []*Command {
	tool := []Tool{Plugins}
	where := []flag{{"online", boolean, ""}, {"offline", boolean, ""}}
	all := append(slices.Clone(where), flag{"all", boolean, ""})
	explain := [][2]string{{"<plugin>", "Name of a plugin"}, {"--all", "all of them"},
		{"--offline", "change the file of enabled plugins only; it counts when the node starts"}, {"--online", "refuse if the node does not run"}}
	enabling := bannerNames("Enabling plugins on node %s:\n%s")
	return []*Command{
		{Name: "list", Tools: tool, Group: groupPlugins, Usage: "list [pattern] [--verbose] [--minimal] [--enabled] [--implicitly-enabled]", Max: 1, Local: true, Formatter: "plugins",
			Short: "Lists plugins and whether they are enabled",
			Flags: []flag{{"verbose", boolean, "v"}, {"minimal", boolean, "m"}, {"enabled", boolean, "E"}, {"implicitly-enabled", boolean, "e"}},
			Explain: [][2]string{{"[pattern]", "regular expression for the names"}, {"--verbose", "with what they need and are for"}, {"--minimal", "names only"},
				{"--enabled, -E", "those that are enabled by name"}, {"--implicitly-enabled, -e", "those, and those that others need"}},
			Check: (*call).checkPluginList, Run: (*call).listPlugins},
		{Name: "enable", Tools: tool, Group: groupPlugins, Usage: "enable <plugin1> [ <plugin2>] | --all [--offline] [--online]", Max: -1, Flags: all, Local: true,
			Short: "Enables plugins", Explain: explain, Check: (*call).checkPluginNames,
			Run: func(c *call) (any, error) {
				return c.changePlugins(enabling, true, func(old []string) []string { return append(old, c.pluginNames()...) })
			}},
		{Name: "disable", Tools: tool, Group: groupPlugins, Usage: "disable <plugin1> [ <plugin2>] | --all [--offline] [--online]", Max: -1, Flags: all, Local: true,
			Short: "Disables plugins, and those that need them", Explain: explain, Check: (*call).checkPluginNames,
			Run: func(c *call) (any, error) {
				return c.changePlugins(bannerNames("Disabling plugins on node %s:\n%s"), false, func(old []string) []string {
					gone := plugins.Requiring(old, c.pluginNames())
					return slices.DeleteFunc(old, func(n string) bool { return slices.Contains(gone, n) })
				})
			}},
		{Name: "set", Tools: tool, Group: groupPlugins, Usage: "set <plugin1> [ <plugin2>] [--offline] [--online]", Max: -1, Flags: where, Local: true,
			Short: "Enables exactly these plugins", Explain: explain,
			Run: func(c *call) (any, error) {
				return c.changePlugins(enabling, true, func([]string) []string { return slices.Clone(c.args) })
			}},
		{Name: "is_enabled", Tools: tool, Group: groupMonitoring, Usage: "is_enabled <plugin1> [ <plugin2>] [--offline] [--online]", Min: 1, Max: -1, Flags: where, Local: true,
			Short: "Fails unless plugins are enabled", Run: (*call).isEnabled},
		{Name: "directories", Tools: tool, Group: groupMonitoring, Usage: "directories [--offline] [--online]", Flags: where, Local: true,
			Short: "Shows where the file of enabled plugins is", Run: (*call).pluginDirectories},
	}
}

func bannerNames(format string) func(*call) string {
	return func(c *call) string {
		return fmt.Sprintf(format, c.nodeLabel(), strings.Join(c.args, "\n"))
	}
}

func (c *call) checkPluginList() error {
	if _, err := regexp.Compile(c.pattern()); err != nil {
		return c.badArgument("pattern is not a regular expression")
	}
	if c.flag("verbose") && c.flag("minimal") {
		return c.badArgument("Cannot set both verbose and minimal")
	}
	return nil
}

func (c *call) pattern() string {
	if len(c.args) > 0 {
		return c.args[0]
	}
	return ".*"
}

func (c *call) checkPluginNames() error {
	switch {
	case len(c.args) == 0 && !c.flag("all"):
		return c.wrong(exitUsage, "not enough arguments.")
	case len(c.args) > 0 && c.flag("all"):
		return c.badArgument("Cannot set both --all and a list of plugins")
	}
	return nil
}

// pluginNames are the arguments, or all.
func (c *call) pluginNames() []string {
	if !c.flag("all") {
		return c.args
	}
	var out []string
	for _, p := range plugins.All() {
		out = append(out, p.Name)
	}
	return out
}

// plugin is one with its state.
type plugin struct {
	apitype.Plugin
	requires []string
}

// pluginState asks the node, or reads the file that it will read when it starts.
// online is false for the latter.
func (c *call) pluginState() (all []plugin, online bool, err error) {
	if !c.flag("offline") {
		n, err := c.connect()
		switch {
		case err == nil:
			c.node = n
			var list []apitype.Plugin
			if err := c.get("/plugins", &list); err != nil {
				return nil, true, err
			}
			for _, p := range list {
				all = append(all, plugin{Plugin: p})
			}
			return withRequirements(all), true, nil
		case c.flag("online") || !c.local() || !notRunning(err):
			return nil, true, err
		}
	}
	w, err := c.Where(c.option("data-dir"))
	if err != nil {
		return nil, false, plain(exitUnavailable, "Error: %v", err)
	}
	names, known, err := plugins.Read(c.enabledPluginsFile(w))
	if err != nil {
		return nil, false, plain(exitUnavailable, "Error: %v", err)
	}
	if !known {
		names = plugins.Default()
	}
	closure := plugins.Closure(names)
	for _, p := range plugins.All() {
		explicit := slices.Contains(names, p.Name)
		all = append(all, plugin{Plugin: apitype.Plugin{Name: p.Name, Description: p.Description, Version: w.Version,
			Enabled: explicit, Implicit: !explicit && slices.Contains(closure, p.Name)}})
	}
	return withRequirements(all), false, nil
}

// notRunning says whether the reason that the node does not answer is that it
// is not there, and its file may be changed.
func notRunning(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

func withRequirements(all []plugin) []plugin {
	for _, p := range plugins.All() {
		for i := range all {
			if all[i].Name == p.Name {
				all[i].requires = p.Requires
			}
		}
	}
	return all
}

func explicit(all []plugin) []string {
	var out []string
	for _, p := range all {
		if p.Enabled {
			out = append(out, p.Name)
		}
	}
	return out
}

func (c *call) listPlugins() (any, error) {
	all, online, err := c.pluginState()
	if err != nil {
		return nil, err
	}
	match := regexp.MustCompile(c.pattern())
	all = slices.DeleteFunc(all, func(p plugin) bool {
		switch {
		case !match.MatchString(p.Name):
			return true
		case c.flag("enabled"):
			return !p.Enabled
		case c.flag("implicitly-enabled"):
			return !p.Enabled && !p.Implicit
		}
		return false
	})
	head := fmt.Sprintf("Listing plugins with pattern \"%s\" ...", c.pattern())
	status := "running"
	legend := " | Status: * = running on " + c.nodeLabel()
	if !online {
		status, legend = "node_down", " | Status: [failed to contact "+c.nodeLabel()+" - status not shown]"
	}
	var text []string
	if !c.quiet() {
		text = append(text, head)
		if !c.flag("minimal") {
			text = append(text, " Configured: E = explicitly enabled; e = implicitly enabled", legend, " |/")
		}
	}
	return report{text: strings.Join(append(text, c.pluginLines(all)...), "\n"), value: c.pluginValues(all, status)}, nil
}

func (c *call) pluginLines(all []plugin) []string {
	width := 0
	for _, p := range all {
		width = max(width, len(p.Name))
	}
	var out []string
	for _, p := range all {
		mark := " "
		if p.Enabled {
			mark = "E"
		} else if p.Implicit {
			mark = "e"
		}
		running := " "
		if p.Running {
			running = "*"
		}
		switch {
		case c.flag("minimal"):
			out = append(out, p.Name)
		case c.flag("verbose"):
			out = append(out, fmt.Sprintf("[%s%s] %s\n     Version:     \t%s\n     Dependencies:\t%s\n     Description: \t%s",
				mark, running, p.Name, p.Version, "["+strings.Join(p.requires, ",")+"]", p.Description))
		default:
			out = append(out, fmt.Sprintf("[%s%s] %-*s %s", mark, running, width, p.Name, p.Version))
		}
	}
	return out
}

func (c *call) pluginValues(all []plugin, status string) erlMap {
	format := "normal"
	values := list{}
	for _, p := range all {
		v := erlMap{{"name", p.Name}}
		if c.flag("minimal") {
			format = "minimal"
			values = append(values, v)
			continue
		}
		enabled := "not_enabled"
		if p.Enabled {
			enabled = "enabled"
		} else if p.Implicit {
			enabled = "implicit"
		}
		v = append(v, pair{"enabled", enabled}, pair{"running", p.Running}, pair{"version", p.Version}, pair{"running_version", p.Version})
		if c.flag("verbose") {
			format = "verbose"
			v = append(v, pair{"dependencies", strs(p.requires)}, pair{"description", p.Description})
		}
		values = append(values, v)
	}
	return erlMap{{"format", format}, {"plugins", values}, {"status", status}}
}

// changePlugins switches to another set of plugins.
func (c *call) changePlugins(banner func(*call) string, strict bool, change func([]string) []string) (any, error) {
	all, online, err := c.pluginState()
	if err != nil {
		return nil, err
	}
	c.sayf("%s", banner(c))
	if strict {
		if err := c.unknownPlugins(c.pluginNames()); err != nil {
			return nil, err
		}
	}
	old := explicit(all)
	names := change(slices.Clone(old))
	slices.Sort(names)
	names = slices.Compact(names)
	before, after := plugins.Closure(old), plugins.Closure(names)
	if online {
		err = refused(c.put("/plugins", apitype.PutPlugins{Enabled: append([]string{}, names...)}))
	} else {
		var w Where
		if w, err = c.Where(c.option("data-dir")); err == nil {
			err = plugins.Write(c.enabledPluginsFile(w), names)
		}
	}
	if err != nil {
		return nil, err
	}
	return c.pluginReport(before, after, online), nil
}

func (c *call) unknownPlugins(names []string) error {
	err := plugins.Check(names...)
	var u *plugins.UnknownError
	if !errors.As(err, &u) {
		return err
	}
	switch {
	case len(u.Names) == 0:
		return failed(exitSoftware, u.Text)
	case c.cmd.Name == "set":
		return failedf(exitData, "The following plugins were not found: %s", strings.Join(u.Names, ", "))
	}
	out := make([]string, len(u.Names))
	for i, n := range u.Names {
		out[i] = ":" + atomText(atom(n), '"')
	}
	return failedf(exitSoftware, "{:plugins_not_found, [%s]}", strings.Join(out, ", "))
}

// pluginReport says what there is now, and what of it is new.
func (c *call) pluginReport(before, after []string, online bool) report {
	without := func(a, b []string) []string {
		return slices.DeleteFunc(slices.Clone(a), func(n string) bool { return slices.Contains(b, n) })
	}
	added, gone := without(after, before), without(before, after)
	out := []string{"The following plugins have been configured:"}
	if len(after) == 0 {
		out = []string{"All plugins have been disabled."}
	}
	out = append(out, indented(after)...)
	out = append(out, fmt.Sprintf("Applying plugin configuration to %s...", c.nodeLabel()))
	if len(added) > 0 {
		out = append(append(out, "The following plugins have been enabled:"), append(indented(added), "")...)
	}
	if len(gone) > 0 {
		out = append(append(out, "The following plugins have been disabled:"), append(indented(gone), "")...)
	}
	switch {
	case len(added)+len(gone) == 0:
		out = append(out, "Plugin configuration unchanged.")
	case !online:
		out = append(out, fmt.Sprintf("set %d plugins.", len(after)), "Offline change; changes will take effect at broker restart.")
	case len(gone) == 0:
		out = append(out, fmt.Sprintf("started %d plugins.", len(added)))
	case len(added) == 0:
		out = append(out, fmt.Sprintf("stopped %d plugins.", len(gone)))
	default:
		out = append(out, fmt.Sprintf("started %d plugins.", len(added)), fmt.Sprintf("stopped %d plugins.", len(gone)))
	}
	mode := "online"
	if !online {
		mode = "offline"
	}
	return report{text: strings.Join(out, "\n"), value: erlMap{{"mode", mode}, {"enabled", strs(after)}, {"started", strs(added)}, {"stopped", strs(gone)}, {"set", strs(after)}}}
}

func indented(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = "  " + n
	}
	return out
}

func (c *call) isEnabled() (any, error) {
	all, _, err := c.pluginState()
	if err != nil {
		return nil, err
	}
	on := plugins.Closure(explicit(all))
	subject, verb := "plugin "+c.args[0], "is"
	if len(c.args) > 1 {
		subject, verb = "plugins "+strings.Join(c.args, ", "), "are"
	}
	c.sayf("Asking node %s if %s %s enabled...", c.nodeLabel(), subject, verb)
	missing := slices.DeleteFunc(slices.Clone(c.args), func(n string) bool { return slices.Contains(on, n) })
	switch {
	case len(missing) == 0:
		return report{text: fmt.Sprintf("P%s %s enabled on node %s", subject[1:], verb, c.nodeLabel())}, nil
	case len(missing) == 1:
		return nil, failedf(exitUnavailable, "Plugin %s is not enabled on node %s. Enabled plugins and dependencies: %s", missing[0], c.nodeLabel(), strings.Join(on, ", "))
	}
	return nil, failedf(exitUnavailable, "Plugins %s are not enabled on node %s. Enabled plugins and dependencies: %s", strings.Join(missing, ", "), c.nodeLabel(), strings.Join(on, ", "))
}

func (c *call) pluginDirectories() (any, error) {
	w, err := c.Where(c.option("data-dir"))
	if err != nil {
		return nil, plain(exitUnavailable, "Error: %v", err)
	}
	c.sayf("Listing plugin directories used by node %s", c.nodeName())
	return "Plugin archives directory: none, plugins are built in\nPlugin expansion directory: none, plugins are built in\nEnabled plugins file: " + c.enabledPluginsFile(w), nil
}

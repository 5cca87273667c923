package ctl

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/auth/pattern"
	"github.com/warrenmq/warren/internal/mgmt/client"
)

func policyCommands() []*Command {
	both := []Tool{Ctl, Diagnostics}
	flags := []flag{{"priority", integer, ""}, {"apply-to", text, ""}}
	explain := [][2]string{{"<name>", "Name of the policy"}, {"<pattern>", "Regular expression for the names of queues and exchanges"},
		{"<definition>", "JSON object of the settings"},
		{"--priority <priority>", "Of policies that match the one with the highest counts; 0 by default"},
		{"--apply-to <apply-to>", "queues, exchanges, classic_queues, quorum_queues, streams or all; all by default"}}
	set := func(name, what, operator, short string) *Command {
		return &Command{Name: name, Group: groupPolicies, Min: 3, Max: 3, Flags: flags, Explain: explain, Short: short,
			Usage: name + " [--vhost <vhost>] [--priority <priority>] [--apply-to <apply-to>] <name> <pattern> <definition>",
			Banner: func(c *call) string {
				return fmt.Sprintf("Setting %s \"%s\" for pattern \"%s\" to \"%s\" with priority \"%d\" for vhost \"%s\" ...",
					what, c.args[0], c.args[1], c.args[2], c.number("priority", 0), c.vhost())
			}, Run: func(c *call) (any, error) { return nil, c.setPolicy(operator) }}
	}
	clear := func(name, what, kind, short string) *Command {
		return &Command{Name: name, Group: groupPolicies, Min: 1, Max: 1, Usage: name + " [--vhost <vhost>] <name>", Short: short,
			Banner: bannerf("Clearing "+what+" \"%s\" on vhost \"%s\" ...", arg(0), inVHost),
			Run:    func(c *call) (any, error) { return nil, c.clear(path(kind, c.vhost(), c.args[0])) }}
	}
	ls := func(name, what, kind, short string) *Command {
		return &Command{Name: name, Tools: both, Group: groupPolicies, Usage: name + " [--vhost <vhost>] [--no-table-headers]", Timed: true,
			Short: short, Formatter: "table", Banner: bannerf("Listing "+what+" for vhost \"%s\" ...", inVHost),
			Run: func(c *call) (any, error) { return c.listPolicies(kind) }}
	}
	return []*Command{
		set("set_policy", "policy", "policies", "Makes or replaces a policy"),
		set("set_operator_policy", "operator policy override", "operator-policies", "Makes or replaces an operator policy, which limits what policies and clients may set"),
		clear("clear_policy", "policy", "policies", "Deletes a policy"),
		clear("clear_operator_policy", "operator policy", "operator-policies", "Deletes an operator policy"),
		ls("list_policies", "policies", "policies", "Lists the policies of a virtual host"),
		ls("list_operator_policies", "operator policy overrides", "operator-policies", "Lists the operator policies of a virtual host"),
		{Name: "list_policies_that_match", Tools: []Tool{Diagnostics}, Group: groupPolicies, Min: 1, Max: 1,
			Usage: "list_policies_that_match [--vhost <vhost>] [--object-type <queue | exchange>] <name>", Flags: []flag{{"object-type", text, ""}},
			Short: "Lists the policies that apply to a queue or an exchange, the one in force first", Formatter: "pretty_table", Timed: true,
			Banner: func(c *call) string {
				return fmt.Sprintf("Listing policies that match %s '%s' in vhost '%s' ...", c.objectType(), c.args[0], c.vhost())
			}, Run: (*call).policiesThatMatch},
		mirroring("list_policies_with_classic_queue_mirroring", "policies", "policies"),
		mirroring("list_operator_policies_with_classic_queue_mirroring", "operator policies", "operator-policies"),
	}
}

// mirroring is a list of policies that mirror queues. A node keeps their keys,
// for clusters that definitions are brought back to.
func mirroring(name, what, kind string) *Command {
	return &Command{Name: name, Tools: []Tool{Diagnostics, Queues}, Group: groupMonitoring, Usage: name + " [--no-table-headers]", Timed: true, Formatter: "table",
		Short: "Lists " + what + " with keys of mirroring", Banner: bannerf("Listing %s with classic queue mirroring ...", func(*call) string { return what }),
		Run: func(c *call) (any, error) {
			ps, err := c.objects("/" + kind)
			out := rows{columns: policyColumns(), whole: true}
			for _, p := range ps {
				if mirrors(p) {
					out.list = append(out.list, policyRow(p))
				}
			}
			return out, err
		}}
}

func mirrors(policy map[string]any) bool {
	definition, _ := policy["definition"].(map[string]any)
	for k := range definition {
		if strings.HasPrefix(k, "ha-") {
			return true
		}
	}
	return false
}

func policyColumns() []string {
	return []string{"vhost", "name", "pattern", "apply-to", "definition", "priority"}
}

func (c *call) setPolicy(kind string) error {
	var definition json.RawMessage
	if !parseJSON(c.args[2], &definition) {
		return badJSON()
	}
	if err := c.needVHost(); err != nil {
		return err
	}
	body := map[string]any{"pattern": c.args[1], "definition": definition, "priority": c.number("priority", 0)}
	if c.has("apply-to") {
		body["apply-to"] = c.option("apply-to")
	}
	return refused(c.put(path(kind, c.vhost(), c.args[0]), body))
}

// clear deletes a policy or a parameter.
func (c *call) clear(p string) error {
	err := c.delete(p)
	if client.IsNotFound(err) {
		return noParam()
	}
	return err
}

func (c *call) listPolicies(kind string) (any, error) {
	if err := c.needVHost(); err != nil {
		return nil, err
	}
	ps, err := c.objects(path(kind, c.vhost()))
	out := rows{columns: policyColumns(), whole: true}
	for _, p := range ps {
		out.list = append(out.list, policyRow(p))
	}
	return out, err
}

func policyRow(p map[string]any) []any {
	return []any{p["vhost"], p["name"], p["pattern"], p["apply-to"], jsonText(p["definition"]), plainValue(p["priority"])}
}

func (c *call) objectType() string {
	if strings.HasPrefix(c.option("object-type"), "exchange") {
		return "exchange"
	}
	return "queue"
}

// policiesThatMatch asks for a queue's or exchange's policies.
func (c *call) policiesThatMatch() (any, error) {
	kind := c.objectType()
	var object struct{ Type string }
	err := c.get(path(kind+"s", c.vhost(), exchangePath(c.args[0])), &object)
	if client.IsNotFound(err) {
		return nil, failed(exitUnavailable, "not_found")
	}
	if err != nil {
		return nil, err
	}
	ps, err := c.objects(path("policies", c.vhost()))
	if err != nil {
		return nil, err
	}
	return matching(ps, kind, object.Type, c.args[0]), nil
}

// matching are the policies for a queue or an exchange, the one in force first.
func matching(ps []map[string]any, kind, objectType, name string) rows {
	out := rows{columns: []string{"name", "vhost", "pattern", "apply-to", "definition", "priority"}, whole: true}
	slices.SortStableFunc(ps, func(a, b map[string]any) int {
		x, _ := plainValue(a["priority"]).(int64)
		y, _ := plainValue(b["priority"]).(int64)
		return cmp.Compare(y, x)
	})
	for _, p := range ps {
		re, err := pattern.Compile(text1(p["pattern"]))
		if err != nil || !re.Match(name) || !appliesTo(text1(p["apply-to"]), kind, objectType) {
			continue
		}
		out.list = append(out.list, []any{p["name"], p["vhost"], p["pattern"], p["apply-to"], jsonText(p["definition"]), plainValue(p["priority"])})
	}
	return out
}

func appliesTo(applyTo, kind, objectType string) bool {
	switch applyTo {
	case "all":
		return true
	case "classic_queues", "quorum_queues", "streams":
		return kind == "queue" && strings.HasPrefix(applyTo, objectType)
	}
	return applyTo == kind+"s"
}

package hosts

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts/record"
	"github.com/warrenmq/warren/internal/hosts/topology"
)

// Host is a machine with an agent.
type Host struct {
	record.Presence
	// Online: its agent was heard within the last record.Lease.
	Online bool `json:"online"`
}

// Hosts lists all agents that ever were and are not forgotten, by name.
func (c *Client) Hosts(ctx context.Context) ([]Host, error) {
	var list []Host
	err := c.do(ctx, func(ctx context.Context, conn *amqp.Connection) (err error) {
		list, err = readHosts(ctx, conn)
		return err
	})
	return list, err
}

func readHosts(ctx context.Context, conn *amqp.Connection) ([]Host, error) {
	all := map[string]Host{}
	if err := readRegistry(ctx, conn, "", func(p record.Presence) { all[p.Name] = Host{p, false} }); err != nil {
		return nil, err
	}
	err := topology.Read(ctx, conn, topology.Beats, func(m amqp.Delivery) bool {
		p, err := presence(m)
		if _, registered := all[p.Name]; err == nil && registered {
			all[p.Name] = Host{p, !p.Leaving}
		}
		return false
	}, nil)
	if err != nil {
		return nil, err
	}
	list := make([]Host, 0, len(all))
	for _, h := range all {
		list = append(list, h)
	}
	slices.SortFunc(list, func(a, b Host) int { return natural(a.Name, b.Name) })
	return list, nil
}

// presence reads what an agent says of itself.
func presence(m amqp.Delivery) (p record.Presence, err error) {
	if err = json.Unmarshal(m.Body, &p); err != nil {
		return p, err
	}
	if name := topology.KeyHost(m.RoutingKey); name != p.Name {
		return p, fmt.Errorf("presence of host %q under the key of %q", p.Name, name)
	}
	return p, p.Check()
}

// readRegistry reads who has ever been there, and tidies up on the way: of each
// agent only the newest entry stays, and of a forgotten one none. What no agent
// of this version would say goes as well, before it stands for its host.
func readRegistry(ctx context.Context, conn *amqp.Connection, forget string, each func(record.Presence)) error {
	newest := map[string]uint64{}
	var old []uint64
	err := topology.Read(ctx, conn, topology.Registry, func(m amqp.Delivery) bool {
		name := topology.KeyHost(m.RoutingKey)
		p, err := presence(m)
		switch {
		case name == "" || name == forget:
			return true
		case err != nil:
			return p.Version <= record.Version
		}
		if tag, seen := newest[name]; seen {
			old = append(old, tag)
		}
		newest[name] = m.DeliveryTag
		each(p)
		return false
	}, func(ch *amqp.Channel) error {
		for _, tag := range old {
			if err := ch.Ack(tag, false); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// Forget takes a host that will not come back off the list, with what it was
// still to do. A host that is there is refused.
func (c *Client) Forget(ctx context.Context, name string) error {
	return c.do(ctx, func(ctx context.Context, conn *amqp.Connection) error {
		list, err := readHosts(ctx, conn)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(h Host) bool { return h.Name == name })
		switch {
		case i < 0:
			return refusef("no host %s%s", name, hint(name, list))
		case list[i].Online:
			return refusef("the agent of %s is running; stop it first", name)
		}
		if err := topology.DeleteAgent(conn, name); err != nil {
			return err
		}
		return readRegistry(ctx, conn, name, func(record.Presence) {})
	})
}

// resolve turns what a user typed into the hosts that are meant: names,
// addresses, patterns, @group, @all. A name that nobody has is kept: the broker
// will say that there is no such agent.
func resolve(specs []string, list []Host) ([]record.Target, error) {
	r := resolver{list: list, taken: map[string]bool{}}
	for _, spec := range specs {
		for one := range strings.SplitSeq(spec, ",") {
			if one = strings.TrimSpace(one); one == "" {
				continue
			}
			if err := r.add(one); err != nil {
				return nil, err
			}
		}
	}
	switch {
	case len(r.targets) == 0:
		return nil, refusef("no hosts are named: use --hosts NAME ADDRESS PATTERN @group @all")
	case len(r.targets) > record.MaxHosts:
		return nil, refusef("%d hosts; a task can have %d", len(r.targets), record.MaxHosts)
	}
	return r.targets, nil
}

type resolver struct {
	list    []Host
	taken   map[string]bool
	targets []record.Target
}

func (r *resolver) take(name, as string) {
	if !r.taken[name] {
		r.taken[name] = true
		r.targets = append(r.targets, record.Target{Name: name, As: as})
	}
}

func (r *resolver) add(spec string) error {
	if group, ok := strings.CutPrefix(spec, "@"); ok {
		return r.matching(spec, func(h Host) bool { return group == "all" || slices.Contains(h.Groups, group) })
	}
	if strings.ContainsAny(spec, "*?[") {
		if _, err := path.Match(spec, ""); err != nil {
			return refusef("%q is not a pattern", spec)
		}
		return r.matching(spec, func(h Host) bool {
			ok, _ := path.Match(spec, h.Name)
			return ok || slices.ContainsFunc(h.Addrs, func(a string) bool { ok, _ := path.Match(spec, a); return ok })
		})
	}
	if slices.ContainsFunc(r.list, func(h Host) bool { return h.Name == spec }) {
		r.take(spec, "")
		return nil
	}
	return r.address(spec)
}

func (r *resolver) matching(spec string, is func(Host) bool) error {
	found := false
	for _, h := range r.list {
		if is(h) {
			found = true
			r.take(h.Name, "")
		}
	}
	if !found {
		return refusef("%s: there is no such host", spec)
	}
	return nil
}

// address takes the host with an address. If several have it, none is meant
// for certain.
func (r *resolver) address(spec string) error {
	var names []string
	for _, h := range r.list {
		if slices.ContainsFunc(h.Addrs, func(a string) bool { return a == spec || sameAddr(a, spec) }) {
			names = append(names, h.Name)
		}
	}
	switch {
	case len(names) > 1:
		return refusef("%s is the address of several hosts: %s", spec, strings.Join(names, ", "))
	case len(names) == 1:
		r.take(names[0], spec)
		return nil
	}
	if err := record.CheckName(spec); err != nil {
		return refusef("%s: there is no such host%s", spec, hint(spec, r.list))
	}
	r.take(spec, "")
	return nil
}

func sameAddr(a, b string) bool {
	x, err1 := netip.ParseAddr(a)
	y, err2 := netip.ParseAddr(b)
	return err1 == nil && err2 == nil && x.Unmap() == y.Unmap()
}

// hint names the hosts that may have been meant.
func hint(name string, list []Host) string {
	type near struct {
		name     string
		distance int
	}
	var all []near
	for _, h := range list {
		for _, n := range append([]string{h.Name}, h.Addrs...) {
			d := distance(strings.ToLower(name), strings.ToLower(n))
			if d <= max(2, len(name)/3) {
				all = append(all, near{n, d})
			}
		}
	}
	slices.SortFunc(all, func(a, b near) int { return cmp.Or(a.distance-b.distance, natural(a.name, b.name)) })
	var names []string
	for _, n := range all[:min(len(all), 3)] {
		names = append(names, n.name)
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("; nearest: %s", strings.Join(names, ", "))
}

// distance is how many letters are to be changed, put in, left out, or swapped
// with their neighbour.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
		for j := range rows[i][1:] {
			j++
			if i == 0 {
				rows[i][j] = j
				continue
			}
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

// natural orders web2 before web10.
func natural(a, b string) int {
	for a != "" && b != "" {
		na, nb := digits(a), digits(b)
		if na > 0 && nb > 0 {
			x, y := strings.TrimLeft(a[:na], "0"), strings.TrimLeft(b[:nb], "0")
			if d := cmp.Or(len(x)-len(y), strings.Compare(x, y)); d != 0 {
				return d
			}
			a, b = a[na:], b[nb:]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func digits(s string) int {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

package ctl

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

func words(s string) []string { return strings.Fields(s) }

const queueColumns = `name durable auto_delete arguments policy operator_policy effective_policy_definition pid owner_pid exclusive
	exclusive_consumer_pid exclusive_consumer_tag messages_ready messages_unacknowledged messages messages_ready_ram
	messages_unacknowledged_ram messages_ram messages_persistent message_bytes message_bytes_ready message_bytes_unacknowledged
	message_bytes_ram message_bytes_persistent head_message_timestamp disk_reads disk_writes consumers consumer_utilisation
	consumer_capacity memory slave_pids synchronised_slave_pids state type leader members online`

const connectionColumns = `pid name port host peer_port peer_host ssl ssl_protocol ssl_key_exchange ssl_cipher ssl_hash
	peer_cert_subject peer_cert_issuer peer_cert_validity peer_cert_serial_number state channels protocol auth_mechanism user vhost
	container_id timeout frame_max channel_max client_properties recv_oct recv_cnt send_oct send_cnt send_pend connected_at`

const channelColumns = `pid connection name number user vhost transactional confirm consumer_count messages_unacknowledged
	messages_uncommitted acks_uncommitted messages_unconfirmed prefetch_count global_prefetch_count`

const bindingColumns = `source_name source_kind destination_name destination_kind routing_key arguments`

func listCommands() []*Command {
	consumers := words("queue_name channel_pid consumer_tag ack_required prefetch_count active arguments")
	ls := func(cmd Command) *Command {
		cmd.Tools, cmd.Group, cmd.Formatter = []Tool{Ctl, Diagnostics}, groupMonitoring, "table"
		cmd.Max, cmd.Timed, cmd.Check = -1, true, (*call).checkColumns
		return &cmd
	}
	channels := ls(Command{Name: "list_channels", Usage: "list_channels [--no-table-headers] [<column> ...]", Short: "Lists channels",
		Columns: words(channelColumns), Defaults: words("pid user consumer_count messages_unacknowledged"),
		Banner: bannerf("Listing channels ..."), Run: (*call).listChannels})
	channels.Timed = false
	return []*Command{
		ls(Command{Name: "list_queues", Usage: "list_queues [--vhost <vhost>] [--online] [--offline] [--local] [--no-table-headers] [<column>, ...]",
			Short: "Lists queues with their properties and numbers", Flags: []flag{{"online", boolean, ""}, {"offline", boolean, ""}, {"local", boolean, ""}},
			Columns: words(queueColumns), Defaults: words("name messages"), Timeout: time.Minute,
			Banner: func(c *call) string {
				return fmt.Sprintf("Timeout: %s seconds ...\nListing queues for vhost %s ...", floatText(c.timeout().Seconds()), c.vhost())
			}, Run: (*call).listQueues}),
		ls(Command{Name: "list_unresponsive_queues", Usage: "list_unresponsive_queues [--local] [--queue-timeout <milliseconds>] [<column> ...] [--no-table-headers]",
			Short: "Lists queues that do not answer in time", Flags: []flag{{"local", boolean, ""}, {"queue-timeout", integer, ""}},
			Columns: words("name durable auto_delete arguments pid recoverable_slaves"), Defaults: words("name"),
			Banner: bannerf("Listing unresponsive queues for vhost %s ...", inVHost), Run: (*call).listUnresponsive}),
		ls(Command{Name: "list_exchanges", Usage: "list_exchanges [--vhost <vhost>] [--no-table-headers] [<column> ...]", Short: "Lists exchanges",
			Columns: words("name type durable auto_delete internal arguments policy"), Defaults: words("name type"),
			Banner: bannerf("Listing exchanges for vhost %s ...", inVHost), Run: (*call).listExchanges}),
		ls(Command{Name: "list_bindings", Usage: "list_bindings [--vhost <vhost>] [--no-table-headers] [<column> ...]", Short: "Lists bindings",
			Columns: words(bindingColumns), Defaults: words(bindingColumns),
			Banner: bannerf("Listing bindings for vhost %s...", inVHost), Run: (*call).listBindings}),
		ls(Command{Name: "list_connections", Usage: "list_connections [--no-table-headers] [<column> ...]", Short: "Lists connections",
			Columns: words(connectionColumns), Defaults: words("user peer_host peer_port state"),
			Banner: bannerf("Listing connections ..."), Run: (*call).listConnections}),
		channels,
		ls(Command{Name: "list_consumers", Usage: "list_consumers [--vhost <vhost>] [--no-table-headers] [<column> ...]", Short: "Lists consumers",
			Columns: append(slices.Clone(consumers), "activity_status"), Defaults: consumers,
			Banner: bannerf("Listing consumers in vhost %s ...", inVHost), Run: (*call).listConsumers}),
	}
}

// chosen are the columns that were asked for: separated by commas or blanks.
func (c *call) chosen() []string {
	var out []string
	for _, a := range c.args {
		out = append(out, strings.FieldsFunc(a, func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	if len(out) == 0 {
		return c.cmd.Defaults
	}
	return out
}

func (c *call) checkColumns() error {
	var wrong []string
	for _, col := range c.chosen() {
		if !slices.Contains(c.cmd.Columns, col) {
			wrong = append(wrong, col)
		}
	}
	slices.Sort(wrong)
	if wrong = slices.Compact(wrong); len(wrong) > 0 {
		return c.wrong(exitUsage, "Info key(s) "+strings.Join(wrong, ",")+" are not supported")
	}
	return nil
}

// columns makes rows of objects; value says what stands in a column.
func (c *call) columns(objects []map[string]any, value func(map[string]any, string) any) rows {
	out := rows{columns: c.chosen()}
	for _, o := range objects {
		row := make([]any, len(out.columns))
		for i, col := range out.columns {
			row[i] = value(o, col)
		}
		out.list = append(out.list, row)
	}
	return out
}

// inVHostList gets the objects of a virtual host; RabbitMQ lists nothing for one
// that does not exist.
// Of objects with many members only the fields may be wanted; none: all.
func (c *call) inVHostList(kind string, fields ...string) ([]map[string]any, error) {
	p := path(kind, c.vhost())
	if len(fields) > 0 {
		p += "?columns=" + strings.Join(fields, ",")
	}
	objects, err := c.objects(p)
	if isStatus(err, 404) {
		return nil, nil
	}
	return objects, err
}

func text1(v any) string {
	s, _ := v.(string)
	return s
}

func member(o map[string]any, keys ...string) any {
	for i, k := range keys {
		if i == len(keys)-1 {
			return o[k]
		}
		o, _ = o[k].(map[string]any)
	}
	return nil
}

func (c *call) listQueues() (any, error) {
	if c.flag("offline") && !c.flag("online") {
		return rows{columns: c.chosen()}, nil // what is down with its node: here the node is up
	}
	// With many queues most of the time would go into what nobody looks at.
	queues, err := c.inVHostList("queues", append([]string{"vhost", "name", "type", "owner_pid_details"}, c.chosen()...)...)
	if err != nil {
		return nil, err
	}
	if err := c.addExclusive(queues); err != nil {
		return nil, err
	}
	return c.columns(queues, c.queueValue), nil
}

// addExclusive finds the exclusive consumers of queues, if they are asked for.
func (c *call) addExclusive(queues []map[string]any) error {
	cols := c.chosen()
	if !slices.Contains(cols, "exclusive_consumer_pid") && !slices.Contains(cols, "exclusive_consumer_tag") {
		return nil
	}
	consumers, err := c.inVHostList("consumers")
	for _, o := range consumers {
		for _, q := range queues {
			if o["exclusive"] == true && member(o, "queue", "name") == q["name"] {
				q["exclusive_consumer_tag"] = o["consumer_tag"]
				q["exclusive_consumer_pid"] = c.pid("channel", text1(member(o, "channel_details", "name")))
			}
		}
	}
	return err
}

func (c *call) queueValue(q map[string]any, column string) any {
	replicated := q["type"] == "quorum" || q["type"] == "stream"
	switch column {
	case "arguments":
		return argumentsOf(q[column])
	case "pid":
		return c.pid("queue", text1(q["vhost"]), text1(q["name"]))
	case "owner_pid":
		if owner := text1(member(q, "owner_pid_details", "name")); owner != "" {
			return c.pid("connection", owner)
		}
		return nil
	case "slave_pids", "synchronised_slave_pids":
		return nil
	case "exclusive":
		if replicated {
			return nil // never are
		}
	case "consumer_utilisation", "consumer_capacity":
		if n, ok := plainValue(q[column]).(int64); ok && n != 0 {
			return float64(n)
		}
	case "members", "online":
		if replicated {
			return atomsOf(q[column])
		}
		return nil
	case "leader":
		if s := text1(q[column]); replicated && s != "" {
			return atom(s)
		}
		return nil
	case "state", "type":
		return atom(text1(q[column]))
	case "effective_policy_definition":
		return jsonOr(q[column])
	}
	return plainValue(q[column])
}

func jsonOr(v any) any {
	if v == nil {
		return list{}
	}
	return plainValue(v)
}

// listUnresponsive asks for each queue with a time limit of its own.
func (c *call) listUnresponsive() (any, error) {
	queues, err := c.inVHostList("queues")
	if err != nil {
		return nil, err
	}
	limit := time.Duration(c.number("queue-timeout", 15000)) * time.Millisecond
	var late []map[string]any
	for _, q := range queues {
		began := c.Now()
		err := c.get(path("queues", c.vhost(), text1(q["name"]))+"?columns=name", nil)
		if err != nil && !isStatus(err, 404) {
			return nil, err
		}
		if c.Now().Sub(began) > limit {
			late = append(late, q)
		}
	}
	return c.columns(late, c.queueValue), nil
}

func (c *call) listExchanges() (any, error) {
	exchanges, err := c.inVHostList("exchanges")
	return c.columns(exchanges, func(x map[string]any, column string) any {
		switch column {
		case "arguments":
			return argumentsOf(x[column])
		case "type":
			return atom(text1(x[column]))
		}
		return plainValue(x[column])
	}), err
}

func (c *call) listBindings() (any, error) {
	bindings, err := c.inVHostList("bindings")
	return c.columns(bindings, func(b map[string]any, column string) any {
		switch column {
		case "source_name":
			return b["source"]
		case "source_kind":
			return atom("exchange")
		case "destination_name":
			return b["destination"]
		case "destination_kind":
			return atom(text1(b["destination_type"]))
		case "arguments":
			return argumentsOf(b[column])
		}
		return b[column]
	}), err
}

func (c *call) listConnections() (any, error) {
	conns, err := c.objects("/connections")
	return c.columns(conns, func(o map[string]any, column string) any {
		switch column {
		case "pid":
			return c.pid("connection", text1(o["name"]))
		case "state":
			return atom(text1(o[column]))
		case "protocol":
			return protocolTuple(text1(o[column]))
		case "client_properties":
			return argumentsOf(o[column])
		}
		return plainValue(o[column])
	}), err
}

// protocolTuple is {0,9,1} for "AMQP 0-9-1".
func protocolTuple(s string) any {
	if s != "AMQP 0-9-1" {
		return s
	}
	return tuple{int64(0), int64(9), int64(1)}
}

func (c *call) listChannels() (any, error) {
	chans, err := c.objects("/channels")
	return c.columns(chans, func(o map[string]any, column string) any {
		switch column {
		case "pid":
			return c.pid("channel", text1(o["name"]))
		case "connection":
			return c.pid("connection", text1(member(o, "connection_details", "name")))
		}
		return plainValue(o[column])
	}), err
}

func (c *call) listConsumers() (any, error) {
	consumers, err := c.objects("/consumers" + "/" + url.PathEscape(c.vhost()))
	if isStatus(err, 404) {
		consumers, err = nil, nil
	}
	return c.columns(consumers, func(o map[string]any, column string) any {
		switch column {
		case "queue_name":
			return member(o, "queue", "name")
		case "channel_pid":
			return c.pid("channel", text1(member(o, "channel_details", "name")))
		case "activity_status":
			return atom(text1(o[column]))
		case "arguments":
			return argumentsOf(o[column])
		}
		return plainValue(o[column])
	}), err
}

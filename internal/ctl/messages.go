package ctl

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/mgmt/client"
)

// Single messages where they wait. RabbitMQ has nothing like it.

const messageColumns = "position seq state redelivered delivery_count exchange routing_key payload_bytes persistent priority enqueued_at expires_at reason payload"

func filterFlags() []flag {
	return []flag{{"text", text, ""}, {"header", text, ""}, {"property", text, ""}, {"reason", text, ""}, {"since", text, ""}, {"until", text, ""}}
}

func messageCommands() []*Command {
	queue := [2]string{"<queue>", "Name of the queue"}
	filters := [][2]string{
		{"--text <text>", "text in the payload"}, {"--header <key>[=<value>]", "a header, and its value"},
		{"--property <name>[=<value>]", "a property (correlation_id, type, exchange, routing_key …) and its value"},
		{"--reason <reason>", "why it died last: rejected, expired, maxlen, delivery_limit"},
		{"--since <time>", "came into the queue then or later: 2006-01-02T15:04:05Z, or 10m for ten minutes ago"},
		{"--until <time>", "came into the queue before"},
	}
	which := [][2]string{{"--seqs <n>[,<n>…]", "numbers of messages, as browse_messages shows them"}, {"--all", "all that wait in the queue"}}
	pace := [][2]string{{"--rate <n>", "messages per second at most"}, {"--limit <n>", "messages at most"}}
	where := [][2]string{{"--to-queue <queue>", "where to"}, {"--to-exchange <exchange>", "through which exchange"},
		{"--routing-key <key>", "with this key instead of their own"}}
	work := slices.Concat(filterFlags(), []flag{{"seqs", text, ""}, {"all", boolean, ""}, {"rate", integer, ""}, {"limit", integer, ""}})
	to := slices.Concat(work, []flag{{"to-queue", text, ""}, {"to-exchange", text, ""}, {"routing-key", text, ""}})
	act := func(name, action, usage, short, banner string, flags []flag, explain ...[][2]string) *Command {
		return &Command{Name: name, Group: groupMessages, Usage: name + " [--vhost <vhost>] <queue> " + usage, Min: 1, Max: 1, Short: short, Flags: flags,
			Explain: slices.Concat(append([][][2]string{{queue}}, explain...)...), Check: (*call).checkWhich,
			Banner: bannerf(banner+" queue '%s' in vhost '%s' ...", arg(0), inVHost),
			Run:    func(c *call) (any, error) { return c.actOnMessages(action) }}
	}
	return []*Command{
		{Name: "browse_messages", Group: groupMessages, Formatter: "table", Min: 1, Max: -1, Timed: true,
			Usage:   "browse_messages [--vhost <vhost>] <queue> [--offset <n>] [--count <n>] [--state <ready | unacked | all>] [<filter> ...] [<column> ...]",
			Short:   "Shows messages where they wait; nothing about the queue changes",
			Flags:   slices.Concat(filterFlags(), []flag{{"offset", integer, ""}, {"count", integer, ""}, {"state", text, ""}}),
			Explain: slices.Concat([][2]string{queue, {"--offset <n>", "position of the first message that is looked at, from 0"}, {"--count <n>", "how many are shown, 20 if not said"}}, filters, [][2]string{{"<column>", messageColumns}}),
			Check:   (*call).checkBrowse,
			Banner:  bannerf("Messages of queue '%s' in vhost '%s' ...", arg(0), inVHost), Run: (*call).browseMessages},
		{Name: "show_message", Group: groupMessages, Usage: "show_message [--vhost <vhost>] <queue> <seq> [--hex]", Min: 2, Max: 2, Timed: true,
			Short: "Shows one message as it waits", Explain: [][2]string{queue, {"<seq>", "its number, as browse_messages shows it"}, {"--hex", "the payload as a hex dump"}},
			Flags: []flag{{"hex", boolean, ""}}, Banner: bannerf("Message %s of queue '%s' in vhost '%s' ...", arg(1), arg(0), inVHost), Run: (*call).showMessage},
		act("move_messages", "move", "(--to-queue <queue> | --to-exchange <exchange>) (--seqs <n>,… | <filter> ... | --all)",
			"Moves messages to another queue or through an exchange", "Moving messages of", to, where, which, filters, pace),
		act("copy_messages", "copy", "(--to-queue <queue> | --to-exchange <exchange>) (--seqs <n>,… | <filter> ... | --all)",
			"Copies messages to another queue or through an exchange", "Copying messages of", to, where, which, filters, pace),
		act("delete_messages", "delete", "(--seqs <n>,… | <filter> ... | --all)", "Deletes messages that wait", "Deleting messages of", work, which, filters, pace),
		act("return_dead_letters", "return", "(--seqs <n>,… | <filter> ... | --all)", "Returns dead letters to the queue in which they died last",
			"Returning dead letters of", work, which, filters, pace),
	}
}

func (c *call) checkBrowse() error {
	for _, col := range c.args[1:] {
		if !slices.Contains(words(messageColumns), strings.Trim(col, ",")) {
			return c.wrong(exitUsage, fmt.Sprintf("Info key(s) %s are not supported", col))
		}
	}
	if s := c.option("state"); !slices.Contains([]string{"", "ready", "unacked", "all"}, s) {
		return c.wrong(exitUsage, fmt.Sprintf("state '%s' is none of ready, unacked, all", s))
	}
	_, err := c.messageFilter()
	return err
}

// checkWhich: something must say which messages are meant, and where they go.
func (c *call) checkWhich() error {
	f, err := c.messageFilter()
	if err != nil {
		return err
	}
	said := 0
	for _, b := range []bool{c.has("seqs"), !f.empty(), c.flag("all")} {
		if b {
			said++
		}
	}
	switch {
	case said == 0:
		return c.wrong(exitUsage, "which messages? Say --seqs, a filter such as --text, or --all.")
	case said > 1:
		return c.wrong(exitUsage, "--seqs, a filter and --all cannot go together.")
	}
	if _, err := c.seqs(); err != nil {
		return err
	}
	if _, ok := lookupFlag(c.cmd, "to-queue"); ok && c.has("to-queue") == (c.has("to-exchange") || c.has("routing-key")) {
		return c.wrong(exitUsage, "where to? Say --to-queue, or --to-exchange (with --routing-key if you like).")
	}
	if c.number("rate", 0) < 0 || c.number("limit", 0) < 0 {
		return c.wrong(exitUsage, "--rate and --limit are numbers from 0.")
	}
	return nil
}

func lookupFlag(cmd *Command, name string) (*flag, bool) {
	f, _ := lookup(cmd.Flags, name, false)
	return f, f != nil
}

func (c *call) seqs() ([]uint64, error) {
	if !c.has("seqs") {
		return nil, nil
	}
	var out []uint64
	for s := range strings.SplitSeq(c.option("seqs"), ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
		if err != nil {
			return nil, c.wrong(exitUsage, fmt.Sprintf("--seqs: '%s' is not the number of a message", s))
		}
		out = append(out, n)
	}
	return out, nil
}

type messageFilter struct{ apitype.MessageFilter }

func (f *messageFilter) empty() bool {
	return f.Q == "" && len(f.Header) == 0 && len(f.Property) == 0 && f.Reason == "" && f.From == 0 && f.To == 0
}

func (c *call) messageFilter() (f messageFilter, err error) {
	f.Q, f.Reason = c.option("text"), c.option("reason")
	pair := func(name string) map[string]string {
		if !c.has(name) {
			return nil
		}
		k, v, _ := strings.Cut(c.option(name), "=")
		return map[string]string{k: v}
	}
	f.Header, f.Property = pair("header"), pair("property")
	if f.From, err = c.moment("since"); err == nil {
		f.To, err = c.moment("until")
	}
	return f, err
}

// moment is a time, or how long ago; 0 if it is not said.
func (c *call) moment(name string) (apitype.Int, error) {
	s := c.option(name)
	if s == "" {
		return 0, nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		return apitype.Int(time.Now().Add(-d).UnixMilli()), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return apitype.Int(t.UnixMilli()), nil
		}
	}
	return 0, c.wrong(exitUsage, fmt.Sprintf("--%s: '%s' is neither a time such as 2006-01-02T15:04:05Z nor how long ago, such as 10m", name, s))
}

func (c *call) messagesPath(more ...string) string {
	return path(append([]string{"queues", c.vhost(), c.args[0], "messages"}, more...)...)
}

func (c *call) browseMessages() (any, error) {
	f, err := c.messageFilter()
	if err != nil {
		return nil, err
	}
	q := url.Values{"truncate": {"200"}, "scan": {"1000000"}, "count": {strconv.FormatInt(c.number("count", 20), 10)}}
	for name, v := range map[string]string{"state": c.option("state"), "offset": c.option("offset"), "q": f.Q, "reason": f.Reason} {
		if v != "" {
			q.Set(name, v)
		}
	}
	for name, m := range map[string]map[string]string{"header": f.Header, "property": f.Property} {
		for k, v := range m {
			q.Add(name, k+"="+v)
		}
	}
	for name, t := range map[string]apitype.Int{"from": f.From, "to": f.To} {
		if t != 0 {
			q.Set(name, strconv.FormatInt(int64(t), 10))
		}
	}
	var m apitype.Messages
	if err := c.get(c.messagesPath()+"?"+q.Encode(), &m); err != nil {
		return nil, c.noQueue(err)
	}
	columns := c.args[1:]
	if len(columns) == 0 {
		columns = words("position seq state routing_key payload_bytes payload")
	}
	out := rows{whole: true}
	for _, col := range columns {
		out.columns = append(out.columns, strings.Trim(col, ","))
	}
	for i := range m.Items {
		row := make([]any, len(out.columns))
		for k, col := range out.columns {
			row[k] = messageCell(&m.Items[i], col)
		}
		out.list = append(out.list, row)
	}
	return out, nil
}

func messageCell(m *apitype.QueuedMessage, column string) any {
	when := func(ms int64) any {
		if ms == 0 {
			return ""
		}
		return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	switch column {
	case "position":
		return int64(m.Position)
	case "seq":
		return int64(m.Seq)
	case "state":
		return m.State
	case "redelivered":
		return m.Redelivered
	case "delivery_count":
		return int64(m.DeliveryCount)
	case "exchange":
		return m.Exchange
	case "routing_key":
		return m.RoutingKey
	case "payload_bytes":
		return int64(m.PayloadBytes)
	case "persistent":
		return m.Persistent
	case "priority":
		return int64(m.Priority)
	case "enqueued_at":
		return when(m.EnqueuedAt)
	case "expires_at":
		return when(m.ExpiresAt)
	case "reason":
		return lastReason(m)
	case "payload":
		if m.PayloadEncoding == "base64" {
			return "base64:" + m.Payload
		}
		return m.Payload
	}
	return ""
}

// lastReason is why a dead letter died last.
func lastReason(m *apitype.QueuedMessage) string {
	deaths, _ := m.Deaths.([]any)
	if len(deaths) == 0 {
		return ""
	}
	d, _ := deaths[0].(map[string]any)
	s, _ := d["reason"].(string)
	return s
}

func (c *call) noQueue(err error) error {
	if client.IsNotFound(err) {
		return failed(exitUsage, "Queue not found")
	}
	return refused(err)
}

func (c *call) showMessage() (any, error) {
	var m apitype.QueuedMessage
	if err := c.get(c.messagesPath(c.args[1]), &m); err != nil {
		if client.IsNotFound(err) {
			return nil, failed(exitUnavailable, "Message not found")
		}
		return nil, refused(err)
	}
	body := []byte(m.Payload)
	if m.PayloadEncoding == "base64" {
		body, _ = base64.StdEncoding.DecodeString(m.Payload)
	}
	var b strings.Builder
	for _, col := range words("seq state redelivered delivery_count exchange routing_key persistent priority enqueued_at expires_at reason payload_bytes") {
		if s := cell(messageCell(&m, col)); s != "" {
			fmt.Fprintf(&b, "%s: %s\n", col, s)
		}
	}
	headers, _ := m.Properties["headers"].(map[string]any)
	for _, k := range sortedKeys(m.Properties) {
		if k != "headers" {
			fmt.Fprintf(&b, "%s: %s\n", k, cell(plainValue(m.Properties[k])))
		}
	}
	for _, k := range sortedKeys(headers) {
		fmt.Fprintf(&b, "header %s: %s\n", k, jsonText(headers[k]))
	}
	b.WriteString("\n")
	if c.flag("hex") || !utf8.Valid(body) {
		b.WriteString(strings.TrimRight(hex.Dump(body), "\n"))
	} else {
		b.Write(body)
	}
	return report{text: b.String(), value: m}, nil
}

func (c *call) actOnMessages(action string) (any, error) {
	f, err := c.messageFilter()
	if err != nil {
		return nil, err
	}
	in := apitype.MessageActions{Action: action, Rate: apitype.Int(c.number("rate", 0)), Limit: apitype.Int(c.number("limit", 0))}
	if in.Seqs, err = c.seqs(); err != nil {
		return nil, err
	}
	if !f.empty() || in.Seqs == nil {
		in.Filter = &f.MessageFilter
	}
	if action == "move" || action == "copy" {
		in.Destination = &apitype.MessageTarget{Queue: c.option("to-queue"), Exchange: c.option("to-exchange")}
		if c.has("routing-key") {
			key := c.option("routing-key")
			in.Destination.RoutingKey = &key
		}
	}
	var out apitype.MessagesDone
	if err := c.post(c.messagesPath("actions"), in, &out); err != nil {
		if client.IsNotFound(err) && reason(err) == "Not Found" || isStatus(err, http.StatusNotFound) && strings.Contains(reason(err), "'"+c.args[0]+"'") {
			return nil, failed(exitUsage, "Queue not found")
		}
		return nil, refused(err)
	}
	word := map[string]string{"move": "moved", "copy": "copied", "delete": "deleted", "return": "returned"}[action]
	s := fmt.Sprintf("%d of %d messages were %s", out.Done, out.Matched, word)
	if out.Failed > 0 {
		return nil, failed(exitUnavailable, fmt.Sprintf("%s; %d stayed: %s", s, out.Failed, out.Reason))
	}
	return report{text: s, value: out}, nil
}

// browse shows the message at a position of a queue, from 1, for peek; nil if
// there is none.
func (c *call) browse(queue string, position int64) (*rows, error) {
	var found apitype.Messages
	q := url.Values{"offset": {strconv.FormatInt(position-1, 10)}, "count": {"1"}, "truncate": {"64"}}
	if err := c.get(path("queues", c.vhost(), queue, "messages")+"?"+q.Encode(), &found); err != nil || len(found.Items) == 0 {
		return nil, refused(err)
	}
	m := &found.Items[0]
	out := &rows{columns: []string{"keys", "values"}, list: [][]any{{"routing_keys", m.RoutingKey}, {"exchange", m.Exchange}, {"payload (max 64 bytes)", m.Payload}}}
	headers, _ := m.Properties["headers"].(map[string]any)
	for _, k := range sortedKeys(headers) {
		out.list = append(out.list, []any{"header." + k, strings.TrimSpace(cell(plainValue(headers[k])))})
	}
	for _, k := range sortedKeys(m.Properties) {
		if k != "headers" {
			out.list = append(out.list, []any{"prop." + k, fmt.Sprint(m.Properties[k])})
		}
	}
	return out, nil
}

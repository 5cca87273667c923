package api

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// Single messages where they wait: look at any depth, search, move, copy, delete,
// edit, return dead letters. All this is ours; RabbitMQ has nothing like it.

func (a *API) messageRoutes() []*Route {
	return []*Route{
		{Method: http.MethodGet, Path: "/queues/{vhost}/{queue}/messages", Access: OfVHost, Handle: getMessages, Out: apitype.Messages{},
			Summary: "Messages where they wait. Nothing about the queue changes. Parameters: offset, count (50, at most 500), state (ready, unacked, all), truncate (bytes of a payload shown, 4096), scan (messages looked at, 100000), and a filter: q (text in the payload), header=KEY=VALUE, property=NAME=VALUE (both may be repeated), reason (of death), from, to (ms since 1970)."},
		{Method: http.MethodGet, Path: "/queues/{vhost}/{queue}/messages/{seq}", Access: OfVHost, Handle: getMessage, Out: apitype.QueuedMessage{},
			Summary: "One message, with its whole payload unless truncate says otherwise."},
		{Method: http.MethodPost, Path: "/queues/{vhost}/{queue}/messages/actions", Access: OfVHost, Handle: postMessageActions,
			In: apitype.MessageActions{}, Out: apitype.MessagesDone{},
			Summary: "Does something with ready messages: move, copy, delete, or return (dead letters, to the queue in which they died last). Without seqs: with all that the filter accepts. A message with no place to go stays."},
		{Method: http.MethodPost, Path: "/queues/{vhost}/{queue}/messages/{seq}/edit", Access: OfVHost, Handle: postMessageEdit,
			In: apitype.EditMessage{}, Status: http.StatusNoContent,
			Summary: "Publishes a changed message to the destination, by default the queue itself, and takes the old one out."},
	}
}

const (
	defaultBrowse   = 50
	maxBrowse       = 500
	maxBrowseScan   = 1_000_000
	defaultTruncate = 4096
)

// permitted checks a permission as the broker does for connections. Over the node's
// socket everything is.
func (rq *Request) permitted(vhost string, kind auth.Kind, name string, p auth.Permission) error {
	if rq.Socket {
		return nil
	}
	err := rq.API.Broker.Permitted(rq.User.Name, vhost, kind, name, p)
	if err == nil {
		return nil
	}
	rq.API.Broker.Audit(broker.AuditEntry{Actor: rq.Actor(), Action: p.String() + " " + kind.String(), VHost: vhost, Object: name, Result: broker.AuditRefused, Reason: err.Error()})
	return accessRefused()
}

// queueOf is the path's queue, which the user may read.
func (rq *Request) queueOf() (vhost, name string, err error) {
	if vhost, err = rq.VHost(); err != nil {
		return "", "", err
	}
	name = rq.Var("queue")
	return vhost, name, rq.permitted(vhost, auth.Queue, name, auth.Read)
}

// bounded is a numeric parameter from 0 to most.
func bounded(q url.Values, name string, def, most int) (int, error) {
	if !q.Has(name) {
		return def, nil
	}
	n, err := strconv.Atoi(q.Get(name))
	if err != nil || n < 0 || n > most {
		return 0, badRequestf("%s: a number from 0 to %d is wanted, not %.40q", name, most, q.Get(name))
	}
	return n, nil
}

func getMessages(rq *Request) error {
	vhost, name, err := rq.queueOf()
	if err != nil {
		return err
	}
	q := rq.URL.Query()
	var o broker.BrowseOptions
	var truncate int
	for _, p := range []struct {
		to        *int
		name      string
		def, most int
	}{
		{&o.Offset, "offset", 0, 1 << 40},
		{&o.Count, "count", defaultBrowse, maxBrowse},
		{&o.MaxScan, "scan", broker.DefaultMaxScan, maxBrowseScan},
		{&truncate, "truncate", defaultTruncate, 1 << 30},
	} {
		if *p.to, err = bounded(q, p.name, p.def, p.most); err != nil {
			return err
		}
	}
	switch s := q.Get("state"); s {
	case "", "ready":
	case "unacked":
		o.Which = queueproc.UnackedOnly
	case "all":
		o.Which = queueproc.ReadyThenUnacked
	default:
		return badRequestf("state: ready, unacked or all is wanted, not %.40q", s)
	}
	if o.Filter, err = filterOf(q); err != nil {
		return err
	}
	out := apitype.Messages{Offset: o.Offset, Items: []apitype.QueuedMessage{}}
	shown := 0
	res, err := rq.API.Broker.BrowseMessages(rq.Context(), vhost, name, o, func(f *broker.Found) {
		m := queuedMessage(f, min(truncate, max(0, maxBrowseBytes-shown)))
		shown += len(m.Payload)
		out.Items = append(out.Items, m)
	})
	if err != nil {
		return adminFailure(err)
	}
	out.Total, out.Scanned, out.Next, out.More, out.Damaged = res.Total, res.Scanned, res.Next, res.More, res.Damaged
	return rq.Reply(out)
}

// maxBrowseBytes bounds the payloads of one answer.
const maxBrowseBytes = 32 << 20

// filterOf reads a filter from a query.
func filterOf(q url.Values) (f broker.MessageFilter, err error) {
	pairs := func(name string) map[string]string {
		m := map[string]string{}
		for _, s := range q[name] {
			if k, v, _ := strings.Cut(s, "="); k != "" {
				m[k] = v
			}
		}
		return m
	}
	f = broker.MessageFilter{Text: q.Get("q"), Headers: pairs("header"), Properties: pairs("property"), Reason: q.Get("reason")}
	from, err := bounded(q, "from", 0, 1<<60)
	if err != nil {
		return f, err
	}
	to, err := bounded(q, "to", 0, 1<<60)
	f.From, f.To = int64(from), int64(to)
	return f, err
}

func getMessage(rq *Request) error {
	vhost, name, err := rq.queueOf()
	if err != nil {
		return err
	}
	seq, err := rq.seq()
	if err != nil {
		return err
	}
	truncate, err := bounded(rq.URL.Query(), "truncate", 1<<30, 1<<30)
	if err != nil {
		return err
	}
	var out apitype.QueuedMessage
	err = rq.API.Broker.LookAtMessage(vhost, name, seq, func(f *broker.Found) { out = queuedMessage(f, truncate) })
	if err != nil {
		return adminFailure(err)
	}
	return rq.Reply(out)
}

func (rq *Request) seq() (uint64, error) {
	seq, err := strconv.ParseUint(rq.Var("seq"), 10, 64)
	if err != nil {
		return 0, NotFound()
	}
	return seq, nil
}

// queuedMessage is a message as it is shown, with at most truncate bytes of its
// payload.
func queuedMessage(f *broker.Found, truncate int) apitype.QueuedMessage {
	m := apitype.QueuedMessage{
		Position: f.Position, Seq: f.Item.Seq, State: "ready", Redelivered: f.Item.Flags&queue.Redelivered != 0,
		DeliveryCount: int(f.Item.Count), Exchange: jsonText(string(f.Message.Exchange)), RoutingKey: jsonText(string(f.Message.RoutingKey)),
		Properties: jsonProperties(&f.Props), PayloadBytes: len(f.Message.Body), Persistent: f.Item.Flags&queue.Persistent != 0,
		Priority: int(f.Item.Prio), EnqueuedAt: f.Item.Time, ExpiresAt: f.Item.Expiry,
	}
	if f.Unacked {
		m.State = "unacked"
	}
	if f.Due != 0 {
		m.State, m.DelayedUntil = "delayed", f.Due
	}
	if v, ok := f.Props.Headers.Get("x-death"); ok {
		m.Deaths = jsonValue(v)
	}
	body := f.Message.Body
	if len(body) > truncate {
		body, m.Truncated = body[:truncate], true
	}
	m.Payload, m.PayloadEncoding = payload(body, m.Truncated)
	return m
}

// payload is a payload as text if it is one. What was cut off may have been the rest
// of a character.
func payload(b []byte, cut bool) (text, encoding string) {
	whole := b
	for i := 0; cut && i < utf8.UTFMax-1 && len(whole) > 0; i++ {
		if r, n := utf8.DecodeLastRune(whole); r != utf8.RuneError || n != 1 {
			break
		}
		whole = whole[:len(whole)-1]
	}
	if utf8.Valid(whole) {
		return string(whole), "string"
	}
	return base64.StdEncoding.EncodeToString(b), "base64"
}

// unpayload is the way back.
func unpayload(text, encoding string) ([]byte, error) {
	switch encoding {
	case "", "string":
		return []byte(text), nil
	case "base64":
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, badRequestf("the payload is not base64: %v", err)
		}
		return b, nil
	}
	return nil, badRequestf("unknown payload_encoding '%s'", encoding)
}

// target checks where messages are to go and whether the user may write there.
func (rq *Request) target(vhost string, t *apitype.MessageTarget) (out broker.MessageTarget, err error) {
	if t == nil {
		return out, nil
	}
	out = broker.MessageTarget{VHost: t.VHost, Queue: t.Queue, Exchange: t.Exchange}
	if t.RoutingKey != nil {
		out.RoutingKey, out.SetKey = *t.RoutingKey, true
		if len(*t.RoutingKey) > 255 {
			return out, BadRequest("the routing key is longer than 255 bytes")
		}
	}
	if t.Queue != "" && (t.Exchange != "" || t.RoutingKey != nil) {
		return out, BadRequest("the destination is a queue, or an exchange with a routing key, not both")
	}
	if t.VHost != "" {
		vhost = t.VHost
	}
	return out, rq.permitted(vhost, auth.Exchange, t.Exchange, auth.Write)
}

func postMessageActions(rq *Request) error {
	vhost, name, err := rq.queueOf()
	if err != nil {
		return err
	}
	var in apitype.MessageActions
	if err := rq.StrictBody(&in, "action"); err != nil {
		return err
	}
	if in.Rate < 0 || in.Limit < 0 {
		return BadRequest("rate and limit are numbers from 0")
	}
	w := broker.MessageWork{Action: broker.MessageAction(in.Action), Seqs: in.Seqs, Rate: int(in.Rate), Limit: int(in.Limit)}
	switch w.Action {
	case broker.MoveMessages, broker.CopyMessages:
		if in.Destination == nil {
			return badRequestf("to %s messages a destination is needed", in.Action)
		}
	case broker.DeleteMessages, broker.ReturnMessages:
		if in.Destination != nil {
			return badRequestf("to %s messages there is no destination", in.Action)
		}
	default:
		return badRequestf("unknown action '%s': move, copy, delete or return", in.Action)
	}
	if !rq.given("seqs") && !rq.given("filter") {
		return BadRequest("seqs or a filter is needed; the filter {} is for all messages")
	}
	if w.Target, err = rq.target(vhost, in.Destination); err != nil {
		return err
	}
	if w.Action == broker.ReturnMessages { // into any queue, as the default exchange would
		if err := rq.permitted(vhost, auth.Exchange, "", auth.Write); err != nil {
			return err
		}
	}
	if f := in.Filter; f != nil {
		w.Filter = broker.MessageFilter{Text: f.Q, Headers: f.Header, Properties: f.Property, Reason: f.Reason, From: int64(f.From), To: int64(f.To)}
	}
	if rq.given("seqs") && len(in.Seqs) == 0 {
		return rq.Reply(apitype.MessagesDone{}) // to the core none would be all
	}
	res, err := rq.API.Broker.ActOnMessages(rq.Context(), rq.Actor(), vhost, name, w)
	if err != nil {
		return coreFailure(err)
	}
	return rq.Reply(apitype.MessagesDone{Matched: res.Matched, Done: res.Done, Failed: res.Failed, Reason: res.Reason})
}

func postMessageEdit(rq *Request) error {
	vhost, name, err := rq.queueOf()
	if err != nil {
		return err
	}
	seq, err := rq.seq()
	if err != nil {
		return err
	}
	var in apitype.EditMessage
	if err := rq.Body(&in, "properties", "payload"); err != nil {
		return err
	}
	props, err := propertiesOf(in.Properties)
	if err != nil {
		return err
	}
	body, err := unpayload(in.Payload, in.PayloadEncoding)
	if err != nil {
		return err
	}
	if in.Destination == nil {
		in.Destination = &apitype.MessageTarget{Queue: name}
	}
	target, err := rq.target(vhost, in.Destination)
	if err != nil {
		return err
	}
	if err := rq.API.Broker.EditMessage(rq.Context(), rq.Actor(), vhost, name, seq, props, body, target); err != nil {
		return coreFailure(err)
	}
	return rq.NoContent()
}

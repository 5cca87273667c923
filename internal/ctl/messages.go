package ctl

import (
	"fmt"
	"strings"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// messageCommands is the place of the commands that work with single messages
// (browse_messages, move_messages, copy_messages, delete_messages,
// return_dead_letters): rows of the table with Group groupMessages.
func messageCommands() []*Command { return nil }

// maxPeek bounds how far behind the head peek looks, as it gets all that are
// before.
const maxPeek = 10_000

// browse shows the message at a position of a queue, from 1; nil if there is none.
func (c *call) browse(queue string, position int64) (*rows, error) {
	if position > maxPeek {
		return nil, failedf(exitUnavailable, "peek looks at the first %d messages only", maxPeek)
	}
	var messages []apitype.Message
	err := c.post(path("queues", c.vhost(), queue, "get"), apitype.Get{Count: apitype.Int(position), AckMode: "ack_requeue_true", Encoding: "auto"}, &messages)
	if err != nil || int64(len(messages)) < position {
		return nil, refused(err)
	}
	m := messages[position-1]
	payload := m.Payload
	if len(payload) > 64 {
		payload = payload[:64]
	}
	out := &rows{columns: []string{"keys", "values"}, list: [][]any{{"routing_keys", m.RoutingKey}, {"exchange", m.Exchange}, {"payload (max 64 bytes)", payload}}}
	props, _ := m.Properties.(map[string]any)
	headers, _ := props["headers"].(map[string]any)
	for _, k := range sortedKeys(headers) {
		out.list = append(out.list, []any{"header." + k, strings.TrimSpace(cell(plainValue(headers[k])))})
	}
	for _, k := range sortedKeys(props) {
		if k != "headers" {
			out.list = append(out.list, []any{"prop." + k, fmt.Sprint(props[k])})
		}
	}
	return out, nil
}

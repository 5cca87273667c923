package apitype

import "encoding/json"

// Messages is the answer to a look into a queue, which changes nothing. It is not
// part of RabbitMQ's API.
type Messages struct {
	Total   int             `json:"total"`   // messages of the state that was asked for
	Offset  int             `json:"offset"`  // position at which the look began
	Scanned int             `json:"scanned"` // messages looked at
	Next    int             `json:"next"`    // offset at which to go on
	More    bool            `json:"more"`    // there are messages from next on
	Damaged int             `json:"damaged"` // messages that could not be read
	Items   []QueuedMessage `json:"items"`
}

// QueuedMessage is a message where it waits.
type QueuedMessage struct {
	Position        int    `json:"position"` // from 0, in the order in which messages leave
	Seq             uint64 `json:"seq"`      // names the message as long as it is in the queue
	State           string `json:"state"`    // ready, delayed or unacked
	Redelivered     bool   `json:"redelivered"`
	DeliveryCount   int    `json:"delivery_count"`
	Exchange        string `json:"exchange"`
	RoutingKey      string `json:"routing_key"`
	Properties      Object `json:"properties"`
	Payload         string `json:"payload"`
	PayloadEncoding string `json:"payload_encoding"` // string or base64
	PayloadBytes    int    `json:"payload_bytes"`    // of the whole payload
	Truncated       bool   `json:"truncated"`
	Persistent      bool   `json:"persistent"`
	Priority        int    `json:"priority"`
	EnqueuedAt      int64  `json:"enqueued_at"`             // ms since 1970
	ExpiresAt       int64  `json:"expires_at,omitempty"`    // ms since 1970
	DelayedUntil    int64  `json:"delayed_until,omitempty"` // ms since 1970; of a quorum queue with delayed retry
	Deaths          any    `json:"deaths,omitempty"`        // the header x-death
}

// MessageFilter says which messages are meant; what is empty means any.
type MessageFilter struct {
	Q        string            `json:"q,omitempty"` // text in the body
	Header   map[string]string `json:"header,omitempty"`
	Property map[string]string `json:"property,omitempty"`
	Reason   string            `json:"reason,omitempty"` // of the last death
	From     Int               `json:"from,omitempty"`   // enqueued, ms since 1970
	To       Int               `json:"to,omitempty"`     // exclusive
}

// MessageTarget is where messages go: a queue, or an exchange.
type MessageTarget struct {
	VHost      string  `json:"vhost,omitempty"`
	Queue      string  `json:"queue,omitempty"`
	Exchange   string  `json:"exchange,omitempty"`
	RoutingKey *string `json:"routing_key,omitempty"` // in place of the message's own
}

// MessageActions is the body of POST …/messages/actions.
type MessageActions struct {
	Action      string         `json:"action"` // move, copy, delete, return
	Seqs        []uint64       `json:"seqs,omitempty"`
	Filter      *MessageFilter `json:"filter,omitempty"` // without seqs: all that match; {} is all
	Destination *MessageTarget `json:"destination,omitempty"`
	Rate        Int            `json:"rate,omitempty"`  // messages per second at most
	Limit       Int            `json:"limit,omitempty"` // messages at most
}

// MessagesDone is the answer.
type MessagesDone struct {
	Matched int    `json:"matched"`
	Done    int    `json:"done"`
	Failed  int    `json:"failed"`
	Reason  string `json:"reason,omitempty"` // of the first failure
}

// EditMessage is the body of POST …/messages/{seq}/edit.
type EditMessage struct {
	Properties      json.RawMessage `json:"properties"`
	Payload         string          `json:"payload"`
	PayloadEncoding string          `json:"payload_encoding"`
	Destination     *MessageTarget  `json:"destination,omitempty"`
}

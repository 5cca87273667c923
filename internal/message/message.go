// Package message holds the protocol-neutral message: what a publisher handed
// over, independent of the protocol that brought it, and its stored form.
//
// A Message is a set of views into bytes that somebody else owns: the read
// buffer of a connection while it is being routed, an Arena chunk or a log
// record afterwards. Nothing in it is copied on the way from the socket to the
// consumer's outbox; whoever wants to keep a message asks an Arena for a copy.
//
// Properties are kept as the AMQP 0-9-1 property list (flag words followed by
// the values, as in a content header, section 2.3.5.2 of the specification).
// Every other protocol maps onto it at its own edge.
package message

import "encoding/binary"

// Message is one message on its way through the broker. All slices are views
// and are valid only as long as their owner says.
type Message struct {
	Exchange   []byte // name of the exchange it was published to; at most 255 bytes
	RoutingKey []byte // at most 255 bytes
	Props      []byte // AMQP 0-9-1 property flags and values
	Body       []byte
}

// StoredSize returns the length of the stored form of m in bytes.
func (m *Message) StoredSize() int {
	return storedHead + len(m.Exchange) + len(m.RoutingKey) + len(m.Props) + len(m.Body)
}

// The stored form: one byte length and bytes of the exchange, the same of the
// routing key, a four byte big-endian length and bytes of the properties, and
// the body up to the end. See docs/format/message.md.
const storedHead = 1 + 1 + 4

// AppendHead appends the stored form of everything but the body, so that a
// store can write head and body without joining them first.
func (m *Message) AppendHead(dst []byte) []byte {
	dst = append(dst, byte(len(m.Exchange)))
	dst = append(dst, m.Exchange...)
	dst = append(dst, byte(len(m.RoutingKey)))
	dst = append(dst, m.RoutingKey...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(m.Props)))
	return append(dst, m.Props...)
}

// Append appends the whole stored form.
func (m *Message) Append(dst []byte) []byte {
	return append(m.AppendHead(dst), m.Body...)
}

// Parse reads the stored form in b; the result's slices are views into b. It
// reports whether b was well-formed.
func Parse(b []byte) (m Message, ok bool) {
	if len(b) < 1 {
		return m, false
	}
	n := int(b[0])
	b = b[1:]
	if len(b) < n+1 {
		return m, false
	}
	m.Exchange, b = b[:n:n], b[n:]
	n = int(b[0])
	b = b[1:]
	if len(b) < n+4 {
		return m, false
	}
	m.RoutingKey, b = b[:n:n], b[n:]
	n = int(binary.BigEndian.Uint32(b))
	b = b[4:]
	if n < 0 || len(b) < n {
		return m, false
	}
	m.Props, m.Body = b[:n:n], b[n:]
	return m, true
}

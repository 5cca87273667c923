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
	// Hidden are the routing keys of a BCC header, which nobody is shown, as
	// AppendKey makes them; most messages have none.
	Hidden []byte
}

// StoredSize returns the length of the stored form of m in bytes.
func (m *Message) StoredSize() int {
	n := storedHead
	if len(m.Hidden) > 0 {
		n += hiddenHead + len(m.Hidden)
	}
	return n + len(m.Exchange) + len(m.RoutingKey) + len(m.Props) + len(m.Body)
}

// The stored form: one byte length and bytes of the exchange, the same of the
// routing key, a four byte big-endian length and bytes of the properties, if the
// highest bit of that length is set the same of the hidden keys, and the body up
// to the end. See docs/format/message.md.
const (
	storedHead = 1 + 1 + 4
	hiddenHead = 4
	hasHidden  = 1 << 31
)

// AppendHead appends the stored form of everything but the body, so that a
// store can write head and body without joining them first.
func (m *Message) AppendHead(dst []byte) []byte {
	dst = append(dst, byte(len(m.Exchange)))
	dst = append(dst, m.Exchange...)
	dst = append(dst, byte(len(m.RoutingKey)))
	dst = append(dst, m.RoutingKey...)
	if len(m.Hidden) > 0 {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(m.Props))|hasHidden)
		dst = append(dst, m.Props...)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(m.Hidden)))
		return append(dst, m.Hidden...)
	}
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
	size := binary.BigEndian.Uint32(b)
	n = int(size &^ hasHidden)
	b = b[4:]
	if len(b) < n {
		return m, false
	}
	m.Props, m.Body = b[:n:n], b[n:]
	if size&hasHidden != 0 {
		return m, m.parseHidden()
	}
	return m, true
}

// parseHidden takes the hidden keys off the front of the body.
func (m *Message) parseHidden() bool {
	b := m.Body
	if len(b) < hiddenHead {
		return false
	}
	n := int(binary.BigEndian.Uint32(b) &^ hasHidden)
	if b = b[hiddenHead:]; n == 0 || len(b) < n || m.Body[0] >= 0x80 {
		return false
	}
	m.Hidden, m.Body = b[:n:n], b[n:]
	return true
}

// AppendKey appends a routing key to hidden ones.
func AppendKey(dst, key []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(key))), key...)
}

// HiddenKeys returns the hidden routing keys, which are views into the message.
func (m *Message) HiddenKeys() (keys [][]byte) {
	for b := m.Hidden; len(b) > 0; {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > uint64(len(b)-k) {
			return keys
		}
		b = b[k:]
		keys = append(keys, b[:n:n])
		b = b[n:]
	}
	return keys
}

package broker

import (
	"github.com/warrenmq/warren/internal/broker/exchange"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// noHeaders is the lookup of a message without headers.
type noHeaders struct{}

func (noHeaders) Lookup(string) (exchange.Value, bool) { return exchange.Value{}, false }

// headerLookup finds headers in an encoded field table.
type headerLookup struct{ table []byte }

// Lookup implements exchange.HeaderLookup.
func (h *headerLookup) Lookup(key string) (exchange.Value, bool) {
	v, ok := wire.TableView(h.table).Lookup(key)
	if !ok {
		return exchange.Value{}, false
	}
	return exchangeValue(v), true
}

// copies collects the extra routing keys of the CC and BCC headers. strip: a
// BCC header has to be removed before delivery; its keys are hidden, as a stored
// message has them.
func copies(table []byte) (keys [][]byte, hidden []byte, strip bool, err error) {
	for _, name := range [...]string{"CC", "BCC"} {
		v, ok := wire.TableView(table).Lookup(name)
		if !ok {
			continue
		}
		arr, ok := v.AsArray()
		if !ok {
			return nil, nil, false, errf(PreconditionFailed, "invalid message: {unacceptable_type_in_header,%q,%s}", name, v.TypeName())
		}
		strip = name == "BCC"
		for it := arr.Iter(); it.Next(); {
			if e := it.Value(); e.Code() == 'S' {
				keys = append(keys, e.Bytes())
				if strip {
					hidden = message.AppendKey(hidden, e.Bytes())
				}
			}
		}
	}
	return keys, hidden, strip, nil
}

// withoutHeader re-encodes properties without one header.
func withoutHeader(props []byte, name string) ([]byte, error) {
	p, err := wire.ParseProperties(props)
	if err != nil {
		return nil, err
	}
	p.Headers.Delete(name)
	return p.Append(nil), nil
}

// withReplyTo re-encodes properties with another reply-to.
func withReplyTo(props []byte, to string) ([]byte, error) {
	p, err := wire.ParseProperties(props)
	if err != nil {
		return nil, err
	}
	p.ReplyTo = to
	return p.Append(nil), nil
}

package broker

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// MessageFilter says which messages are meant. An empty field means any.
type MessageFilter struct {
	Text       string            // in the body, whatever the case of ASCII letters
	Headers    map[string]string // header and its value as text; "": it is there
	Properties map[string]string // property ("correlation_id" …, "exchange", "routing_key") and its value
	Reason     string            // of the last death: rejected, expired, maxlen, delivery_limit
	From, To   int64             // when it came into the queue, ms since 1970; To exclusive

	fold []byte // scratch
}

func (f *MessageFilter) empty() bool {
	return f.Text == "" && len(f.Headers) == 0 && len(f.Properties) == 0 && f.Reason == "" && f.From == 0 && f.To == 0
}

// matches reads the properties and reports whether the filter accepts.
func (f *Found) matches(w *MessageFilter) bool {
	var err error
	if f.Props, err = wire.ParseProperties(f.Message.Props); err != nil {
		f.Props = wire.Properties{}
	}
	if w.From != 0 && f.Item.Time < w.From || w.To != 0 && f.Item.Time >= w.To {
		return false
	}
	for k, want := range w.Properties {
		if got, ok := f.property(k); !ok || want != "" && got != want {
			return false
		}
	}
	for k, want := range w.Headers {
		v, ok := f.Props.Headers.Get(k)
		if !ok || want != "" && headerText(v) != want {
			return false
		}
	}
	if w.Reason != "" {
		d := deaths(&f.Props.Headers)
		if len(d) == 0 || d[0].reason != w.Reason {
			return false
		}
	}
	if w.Text == "" {
		return true
	}
	var ok bool
	ok, w.fold = containsFold(f.Message.Body, w.Text, w.fold)
	return ok
}

func headerText(v wire.Value) string {
	if s, ok := wire.AsString(v); ok {
		return s
	}
	if n, ok := wire.AsInt64(v); ok {
		return strconv.FormatInt(n, 10)
	}
	return fmt.Sprint(v)
}

// containsFold reports whether text is in b, whatever the case of ASCII letters.
// fold is scratch.
func containsFold(b []byte, text string, fold []byte) (bool, []byte) {
	fold = append(fold[:0], b...)
	for i, c := range fold {
		if c-'A' < 26 {
			fold[i] = c + ('a' - 'A')
		}
	}
	return bytes.Contains(fold, []byte(lowerASCII(text))), fold
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}

// property returns a property, or where the message was published to, as text.
func (f *Found) property(name string) (string, bool) {
	p := &f.Props
	switch name {
	case "exchange":
		return string(f.Message.Exchange), true
	case "routing_key":
		return string(f.Message.RoutingKey), true
	case "content_type":
		return p.ContentType, p.Has(wire.FlagContentType)
	case "content_encoding":
		return p.ContentEncoding, p.Has(wire.FlagContentEncoding)
	case "delivery_mode":
		return strconv.Itoa(int(p.DeliveryMode)), p.Has(wire.FlagDeliveryMode)
	case "priority":
		return strconv.Itoa(int(p.Priority)), p.Has(wire.FlagPriority)
	case "correlation_id":
		return p.CorrelationID, p.Has(wire.FlagCorrelationID)
	case "reply_to":
		return p.ReplyTo, p.Has(wire.FlagReplyTo)
	case "expiration":
		return p.Expiration, p.Has(wire.FlagExpiration)
	case "message_id":
		return p.MessageID, p.Has(wire.FlagMessageID)
	case "timestamp":
		return strconv.FormatUint(uint64(p.Timestamp), 10), p.Has(wire.FlagTimestamp)
	case "type":
		return p.Type, p.Has(wire.FlagType)
	case "user_id":
		return p.UserID, p.Has(wire.FlagUserID)
	case "app_id":
		return p.AppID, p.Has(wire.FlagAppID)
	case "cluster_id":
		return p.ClusterID, p.Has(wire.FlagClusterID)
	}
	return "", false
}

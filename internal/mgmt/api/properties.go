package api

import (
	"bytes"
	"encoding/json"
	"math"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// jsonProperties shows a message's properties: those that it has.
func jsonProperties(p *wire.Properties) apitype.Object {
	out := apitype.Object{}
	have := p.Present()
	for _, s := range shortStrings(p) {
		if have&s.flag != 0 {
			out[s.name] = jsonText(*s.value)
		}
	}
	if have&wire.FlagTimestamp != 0 {
		out["timestamp"] = uint64(p.Timestamp)
	}
	if have&wire.FlagPriority != 0 {
		out["priority"] = p.Priority
	}
	if have&wire.FlagDeliveryMode != 0 {
		out["delivery_mode"] = p.DeliveryMode
	}
	if have&wire.FlagHeaders != 0 {
		out["headers"] = jsonTable(p.Headers)
	}
	return out
}

type shortString struct {
	name  string
	flag  wire.PropertyFlags
	value *string
}

func shortStrings(p *wire.Properties) []shortString {
	return []shortString{
		{"content_type", wire.FlagContentType, &p.ContentType},
		{"content_encoding", wire.FlagContentEncoding, &p.ContentEncoding},
		{"correlation_id", wire.FlagCorrelationID, &p.CorrelationID},
		{"reply_to", wire.FlagReplyTo, &p.ReplyTo},
		{"expiration", wire.FlagExpiration, &p.Expiration},
		{"message_id", wire.FlagMessageID, &p.MessageID},
		{"type", wire.FlagType, &p.Type},
		{"user_id", wire.FlagUserID, &p.UserID},
		{"app_id", wire.FlagAppID, &p.AppID},
		{"cluster_id", wire.FlagClusterID, &p.ClusterID},
	}
}

// propertiesOf makes properties of a JSON object. Members of other names are
// passed over.
func propertiesOf(raw json.RawMessage) (p wire.Properties, err error) {
	if s := string(bytes.TrimSpace(raw)); s == "[]" || s == "null" || s == "" {
		return p, nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return p, BadRequest("properties must be an object")
	}
	for _, s := range shortStrings(&p) {
		v, ok := members[s.name]
		if !ok {
			continue
		}
		if json.Unmarshal(v, s.value) != nil || string(v) == "null" {
			return p, BadRequest([]string{"not_string", s.name})
		}
		if len(*s.value) > math.MaxUint8 {
			return p, badRequestf("%s is longer than 255 bytes", s.name)
		}
		p.Flags |= s.flag
	}
	if v, ok := members["headers"]; ok {
		if p.Headers, err = tableOf(v); err != nil {
			return p, err
		}
		p.Flags |= wire.FlagHeaders
	}
	return p, parseNumbers(members, &p)
}

func parseNumbers(members map[string]json.RawMessage, p *wire.Properties) error {
	number := func(name string, max uint64, flag wire.PropertyFlags, set func(uint64)) error {
		v, ok := members[name]
		if !ok {
			return nil
		}
		var n uint64
		if json.Unmarshal(v, &n) != nil || string(v) == "null" {
			return BadRequest([]string{"not_int", name})
		}
		if n > max {
			return badRequestf("%s is %d, not in 0 … %d", name, n, max)
		}
		set(n)
		p.Flags |= flag
		return nil
	}
	if err := number("delivery_mode", math.MaxUint8, wire.FlagDeliveryMode, func(n uint64) { p.DeliveryMode = uint8(n) }); err != nil {
		return err
	}
	if err := number("priority", math.MaxUint8, wire.FlagPriority, func(n uint64) { p.Priority = uint8(n) }); err != nil {
		return err
	}
	return number("timestamp", math.MaxUint64, wire.FlagTimestamp, func(n uint64) { p.Timestamp = wire.Timestamp(n) })
}

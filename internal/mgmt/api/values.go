package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// AMQP values in JSON and back, as RabbitMQ does it: every integer is a number and
// comes back as a 64-bit one, a text as a long string, a time is its seconds.

// jsonTable is a field table as a JSON object.
func jsonTable(t wire.Table) apitype.Object {
	o := make(apitype.Object, len(t))
	for i := range t {
		if _, ok := o[t[i].Key]; !ok { // of two fields with the same key the first counts
			o[t[i].Key] = jsonValue(t[i].Value)
		}
	}
	return o
}

func jsonValue(v wire.Value) any {
	switch v := v.(type) {
	case nil, wire.Void:
		return nil
	case wire.Table:
		return jsonTable(v)
	case wire.Array:
		out := make([]any, len(v))
		for i := range v {
			out[i] = jsonValue(v[i])
		}
		return out
	case wire.Timestamp:
		return uint64(v)
	case wire.Decimal:
		return float64(v.Value) / math.Pow10(int(v.Scale))
	case wire.Binary:
		return jsonText(string(v))
	}
	if b, ok := wire.AsBool(v); ok {
		return b
	}
	if s, ok := wire.AsString(v); ok {
		return jsonText(s)
	}
	if n, ok := wire.AsInt64(v); ok {
		return n
	}
	if f, ok := wire.AsFloat64(v); ok {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Sprint(f)
		}
		return f
	}
	return fmt.Sprint(v)
}

// jsonText is a text, or its base64 if it is none.
func jsonText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return base64.StdEncoding.EncodeToString([]byte(s))
}

// tableOf reads a JSON object as a field table.
func tableOf(raw json.RawMessage) (wire.Table, error) {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || string(raw) == "null" || string(raw) == "[]" {
		return wire.Table{}, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return nil, fmt.Errorf("an object is wanted")
	}
	return tableFrom(d, 0)
}

// maxNesting bounds tables in tables.
const maxNesting = 64

// tableFrom reads the members of an object, in their order.
func tableFrom(d *json.Decoder, depth int) (wire.Table, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("nested more than %d deep", maxNesting)
	}
	t := wire.Table{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		k := key.(string)
		if len(k) > 255 {
			return nil, fmt.Errorf("the key %.20q… is longer than 255 bytes", k)
		}
		v, err := valueFrom(d, depth)
		if err != nil {
			return nil, err
		}
		t = append(t, wire.Field{Key: k, Value: v})
	}
	_, err := d.Token()
	return t, err
}

func valueFrom(d *json.Decoder, depth int) (wire.Value, error) {
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := tok.(type) {
	case nil:
		return wire.Void{}, nil
	case bool:
		return wire.Bool(v), nil
	case string:
		return wire.String(v), nil
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return wire.Int64(n), nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, fmt.Errorf("the number %s is too large", v)
		}
		return wire.Float64(f), nil
	case json.Delim:
		if v == '{' {
			return tableFrom(d, depth+1)
		}
		if depth > maxNesting {
			return nil, fmt.Errorf("nested more than %d deep", maxNesting)
		}
		a := wire.Array{}
		for d.More() {
			e, err := valueFrom(d, depth+1)
			if err != nil {
				return nil, err
			}
			a = append(a, e)
		}
		_, err := d.Token()
		return a, err
	}
	return nil, fmt.Errorf("unexpected %v", tok)
}

// jsonProperties are a message's properties, those that it has.
func jsonProperties(p *wire.Properties) apitype.Object {
	o := apitype.Object{}
	text := func(f wire.PropertyFlags, name, v string) {
		if p.Has(f) {
			o[name] = jsonText(v)
		}
	}
	text(wire.FlagContentType, "content_type", p.ContentType)
	text(wire.FlagContentEncoding, "content_encoding", p.ContentEncoding)
	if p.Has(wire.FlagHeaders) {
		o["headers"] = jsonTable(p.Headers)
	}
	if p.Has(wire.FlagDeliveryMode) {
		o["delivery_mode"] = p.DeliveryMode
	}
	if p.Has(wire.FlagPriority) {
		o["priority"] = p.Priority
	}
	text(wire.FlagCorrelationID, "correlation_id", p.CorrelationID)
	text(wire.FlagReplyTo, "reply_to", p.ReplyTo)
	text(wire.FlagExpiration, "expiration", p.Expiration)
	text(wire.FlagMessageID, "message_id", p.MessageID)
	if p.Has(wire.FlagTimestamp) {
		o["timestamp"] = uint64(p.Timestamp)
	}
	text(wire.FlagType, "type", p.Type)
	text(wire.FlagUserID, "user_id", p.UserID)
	text(wire.FlagAppID, "app_id", p.AppID)
	text(wire.FlagClusterID, "cluster_id", p.ClusterID)
	return o
}

// propertiesOf reads properties. The error is an answer to the client.
func propertiesOf(raw json.RawMessage) (p wire.Properties, err error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" || string(raw) == "[]" {
		return p, nil
	}
	var in struct {
		ContentType     *string         `json:"content_type"`
		ContentEncoding *string         `json:"content_encoding"`
		Headers         json.RawMessage `json:"headers"`
		DeliveryMode    *apitype.Int    `json:"delivery_mode"`
		Priority        *apitype.Int    `json:"priority"`
		CorrelationID   *string         `json:"correlation_id"`
		ReplyTo         *string         `json:"reply_to"`
		Expiration      *string         `json:"expiration"`
		MessageID       *string         `json:"message_id"`
		Timestamp       *apitype.Int    `json:"timestamp"`
		Type            *string         `json:"type"`
		UserID          *string         `json:"user_id"`
		AppID           *string         `json:"app_id"`
		ClusterID       *string         `json:"cluster_id"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return p, wrongType(err)
	}
	text := func(f wire.PropertyFlags, name string, to *string, v *string) {
		if v == nil {
			return
		}
		if len(*v) > 255 && err == nil {
			err = badRequestf("%s is longer than 255 bytes", name)
		}
		*to, p.Flags = *v, p.Flags|f
	}
	small := func(f wire.PropertyFlags, name string, to *uint8, v *apitype.Int) {
		if v == nil {
			return
		}
		if (*v < 0 || *v > 255) && err == nil {
			err = badRequestf("%s is %d, not in 0 … 255", name, *v)
		}
		*to, p.Flags = uint8(*v), p.Flags|f
	}
	text(wire.FlagContentType, "content_type", &p.ContentType, in.ContentType)
	text(wire.FlagContentEncoding, "content_encoding", &p.ContentEncoding, in.ContentEncoding)
	if in.Headers != nil {
		t, terr := tableOf(in.Headers)
		if terr != nil {
			return p, badRequestf("headers: %v", terr)
		}
		p.Headers, p.Flags = t, p.Flags|wire.FlagHeaders
	}
	small(wire.FlagDeliveryMode, "delivery_mode", &p.DeliveryMode, in.DeliveryMode)
	small(wire.FlagPriority, "priority", &p.Priority, in.Priority)
	text(wire.FlagCorrelationID, "correlation_id", &p.CorrelationID, in.CorrelationID)
	text(wire.FlagReplyTo, "reply_to", &p.ReplyTo, in.ReplyTo)
	text(wire.FlagExpiration, "expiration", &p.Expiration, in.Expiration)
	text(wire.FlagMessageID, "message_id", &p.MessageID, in.MessageID)
	if in.Timestamp != nil {
		if *in.Timestamp < 0 && err == nil {
			err = badRequestf("timestamp is %d, less than 0", *in.Timestamp)
		}
		p.Timestamp, p.Flags = wire.Timestamp(*in.Timestamp), p.Flags|wire.FlagTimestamp
	}
	text(wire.FlagType, "type", &p.Type, in.Type)
	text(wire.FlagUserID, "user_id", &p.UserID, in.UserID)
	text(wire.FlagAppID, "app_id", &p.AppID, in.AppID)
	text(wire.FlagClusterID, "cluster_id", &p.ClusterID, in.ClusterID)
	return p, err
}

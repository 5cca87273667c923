package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// jsonTable shows a field table as JSON.
func jsonTable(t wire.Table) apitype.Object {
	out := make(apitype.Object, len(t))
	for _, f := range t {
		if _, twice := out[f.Key]; !twice { // the first counts
			out[f.Key] = jsonValue(f.Value)
		}
	}
	return out
}

// ArgsObject shows the arguments of a definition as JSON.
func ArgsObject(a meta.Args) apitype.Object {
	if len(a) == 0 {
		return apitype.Object{}
	}
	t, err := wire.ParseTable(a)
	if err != nil {
		return apitype.Object{}
	}
	return jsonTable(t)
}

func jsonValue(v wire.Value) any {
	switch v := v.(type) {
	case nil, wire.Void:
		return nil
	case wire.Bool:
		return bool(v)
	case wire.String:
		return jsonText(string(v))
	case wire.Binary:
		return jsonText(string(v))
	case wire.Timestamp:
		return uint64(v)
	case wire.Decimal:
		return json.Number(decimal(v))
	case wire.Array:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = jsonValue(e)
		}
		return list
	case wire.Table:
		return jsonTable(v)
	}
	if n, ok := wire.AsInt64(v); ok {
		return n
	}
	f, _ := wire.AsFloat64(v)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'g', -1, 64) // JSON has no number for it
	}
	return f
}

func decimal(d wire.Decimal) string {
	digits := strconv.FormatUint(uint64(d.Value), 10)
	if d.Scale == 0 {
		return digits
	}
	return digits + "e-" + strconv.Itoa(int(d.Scale))
}

// jsonText shows bytes as text, or says what they are.
func jsonText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return "Not UTF-8, base64 is: " + base64.StdEncoding.EncodeToString([]byte(s))
}

// maxNesting bounds how deep a JSON value may be that becomes a field table.
const maxNesting = 64

// tableOf makes a field table of a JSON object. Integers are signed 64-bit, as
// RabbitMQ makes them, which has nothing for null; here it is void. The error is
// an answer.
func tableOf(raw json.RawMessage) (wire.Table, error) {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || string(raw) == "null" || string(raw) == "[]" {
		return wire.Table{}, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	t, err := decodeTable(d)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// decodeTable keeps the order of the members, which a map would lose.
func decodeTable(d *json.Decoder) (wire.Table, error) {
	tok, err := d.Token()
	if err != nil {
		return nil, BadRequest("not_json")
	}
	if tok != json.Delim('{') {
		return nil, BadRequest("an object is wanted")
	}
	return decodeMembers(d, 0)
}

func decodeMembers(d *json.Decoder, depth int) (wire.Table, error) {
	t := wire.Table{}
	if depth > maxNesting {
		return nil, BadRequest("the value is nested too deeply")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, BadRequest("not_json")
		}
		name := key.(string)
		if len(name) > math.MaxUint8 {
			return nil, badRequestf("the name %.20q… is longer than 255 bytes", name)
		}
		v, err := decodeValue(d, depth)
		if err != nil {
			return nil, err
		}
		t.Set(name, v)
	}
	_, err := d.Token()
	return t, err
}

func decodeValue(d *json.Decoder, depth int) (wire.Value, error) {
	tok, err := d.Token()
	if err != nil {
		return nil, BadRequest("not_json")
	}
	switch tok := tok.(type) {
	case nil:
		return wire.Void{}, nil
	case bool:
		return wire.Bool(tok), nil
	case string:
		return wire.String(tok), nil
	case json.Number:
		return decodeNumber(tok)
	case json.Delim:
		if tok == '{' {
			return decodeMembers(d, depth+1)
		}
		return decodeList(d, depth+1)
	}
	return nil, BadRequest("not_json")
}

func decodeNumber(n json.Number) (wire.Value, error) {
	if i, err := n.Int64(); err == nil {
		return wire.Int64(i), nil
	}
	f, err := n.Float64()
	if err != nil {
		return nil, badRequestf("the number %s is too large", n)
	}
	return wire.Float64(f), nil
}

func decodeList(d *json.Decoder, depth int) (wire.Value, error) {
	if depth > maxNesting {
		return nil, BadRequest("the value is nested too deeply")
	}
	list := wire.Array{}
	for d.More() {
		v, err := decodeValue(d, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

// noVoid refuses null where RabbitMQ does.
func noVoid(v wire.Value) error {
	switch v := v.(type) {
	case nil, wire.Void:
		return BadRequest("null_not_allowed")
	case wire.Table:
		for i := range v {
			if err := noVoid(v[i].Value); err != nil {
				return err
			}
		}
	case wire.Array:
		for i := range v {
			if err := noVoid(v[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// argsOf makes the arguments of a definition.
func argsOf(raw json.RawMessage) (meta.Args, error) {
	t, err := tableOf(raw)
	if err == nil {
		err = noVoid(t)
	}
	if err != nil || len(t) == 0 {
		return nil, err
	}
	return wire.AppendTableContent(nil, t), nil
}

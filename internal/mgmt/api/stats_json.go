package api

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// tableJSON writes a field table as RabbitMQ shows it: numbers of all kinds as
// numbers, times as seconds, bytes that are no text in base64.
func tableJSON(t wire.TableView) json.RawMessage {
	if len(t) == 0 {
		return json.RawMessage("{}")
	}
	return appendTable(nil, t)
}

// wireTableJSON is tableJSON of a table that is not encoded.
func wireTableJSON(t wire.Table) json.RawMessage {
	if len(t) == 0 {
		return json.RawMessage("{}")
	}
	return tableJSON(wire.TableView(wire.AppendTable(nil, t)[4:]))
}

func appendTable(dst []byte, t wire.TableView) []byte {
	dst = append(dst, '{')
	first := true
	for it := t.Iter(); it.Next(); {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendText(dst, it.Key())
		dst = append(dst, ':')
		dst = appendValue(dst, it.Value())
	}
	return append(dst, '}')
}

func appendText(dst, s []byte) []byte {
	if !utf8.Valid(s) {
		q, _ := json.Marshal(s) // base64
		return append(dst, q...)
	}
	return apitype.AppendText(dst, string(s))
}

func appendValue(dst []byte, v wire.ValueView) []byte {
	switch v.Code() {
	case 'S', 'x':
		return appendText(dst, v.Bytes())
	case 't':
		b, _ := v.AsBool()
		return strconv.AppendBool(dst, b)
	case 'f', 'd':
		f, _ := v.AsFloat64()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return append(dst, "null"...)
		}
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	case 'F':
		t, _ := v.AsTable()
		return appendTable(dst, t)
	case 'A':
		return appendArray(dst, v)
	case 'V':
		return append(dst, "null"...)
	case 'D', 'T':
		return appendOther(dst, v)
	}
	n, _ := v.AsInt64()
	return strconv.AppendInt(dst, n, 10)
}

func appendArray(dst []byte, v wire.ValueView) []byte {
	a, _ := v.AsArray()
	dst = append(dst, '[')
	first := true
	for it := a.Iter(); it.Next(); {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendValue(dst, it.Value())
	}
	return append(dst, ']')
}

func appendOther(dst []byte, v wire.ValueView) []byte {
	x, err := v.Value()
	if err != nil {
		return append(dst, "null"...)
	}
	switch x := x.(type) {
	case wire.Timestamp:
		return strconv.AppendInt(dst, int64(x), 10)
	case wire.Decimal:
		return strconv.AppendFloat(dst, float64(x.Value)/math.Pow10(int(x.Scale)), 'g', -1, 64)
	}
	return append(dst, "null"...)
}

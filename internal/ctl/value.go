package ctl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Values that commands print, beside string, bool, int, int64, float64 and nil
// (which is Erlang's undefined). Each formatter has its own way with them.
type (
	atom  string
	pid   string
	list  []any
	tuple []any
	// pairs is a list of {key, value}, in order.
	pairs []pair
	pair  struct {
		key   string
		value any
	}
	// erlMap is a map of the Erlang kind.
	erlMap []pair
	// arguments is an AMQP table.
	arguments []argument
	argument  struct {
		name, kind string
		value      any
	}
)

// argumentsOf reads the table that stands in JSON as an object. JSON does not
// tell in which order or as which type of AMQP a value was given; the order is
// that of the names, the types those that clients use.
func argumentsOf(v any) arguments {
	m, _ := v.(map[string]any)
	out := arguments{}
	for _, k := range sortedKeys(m) {
		kind, value := argumentKind(m[k])
		out = append(out, argument{k, kind, value})
	}
	return out
}

func argumentKind(v any) (string, any) {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			if n > math.MaxInt32 || n < math.MinInt32 {
				return "long", n
			}
			return "signedint", n
		}
		f, _ := v.Float64()
		return "double", f
	case bool:
		return "bool", v
	case string:
		return "longstr", v
	case map[string]any:
		return "table", argumentsOf(v)
	case []any:
		out := list{}
		for _, e := range v {
			kind, value := argumentKind(e)
			out = append(out, tuple{atom(kind), value})
		}
		return "array", out
	}
	return "void", atom("undefined")
}

// plainValue turns what JSON brought into values of this package.
func plainValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case []any:
		out := list{}
		for _, e := range v {
			out = append(out, plainValue(e))
		}
		return out
	case map[string]any:
		out := erlMap{}
		for _, k := range sortedKeys(v) {
			out = append(out, pair{k, plainValue(v[k])})
		}
		return out
	}
	return v
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// atoms makes a list of atoms.
func atoms(names []string) list {
	out := list{}
	for _, n := range names {
		out = append(out, atom(n))
	}
	return out
}

// jsonText is a value as JSON, with the keys of objects in order.
func jsonText(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return ""
	}
	return strings.TrimRight(b.String(), "\n")
}

// cell is a value in a table.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return escapeCell(v)
	case atom:
		return escapeCell(string(v))
	case pid:
		return string(v)
	case float64:
		return floatText(v)
	case list:
		out := make([]string, len(v))
		for i, e := range v {
			out[i] = cell(e)
		}
		return "[" + strings.Join(out, ", ") + "]"
	case erlMap:
		out := make([]string, len(v))
		for i, e := range v {
			out[i] = e.key + " => " + cell(e.value)
		}
		return "#{" + strings.Join(out, ", ") + "}"
	case arguments:
		return v.short()
	case pairs:
		out := make([]string, len(v))
		for i, p := range v {
			out[i] = "{" + atomText(atom(p.key), '\'') + ", " + cell(p.value) + "}"
		}
		return "[" + strings.Join(out, ", ") + "]"
	case tuple:
		return flat(v)
	}
	return fmt.Sprint(v)
}

// short writes a table as {"name",value} pairs.
func (a arguments) short() string {
	out := make([]string, len(a))
	for i, f := range a {
		out[i] = "{" + quoted(f.name) + "," + shortValue(f.value) + "}"
	}
	return "[" + strings.Join(out, ",") + "]"
}

func shortValue(v any) string {
	switch v := v.(type) {
	case arguments:
		return v.short()
	case string:
		return quoted(v)
	case list:
		out := make([]string, len(v))
		for i, e := range v {
			if t, ok := e.(tuple); ok && len(t) == 2 {
				e = t[1]
			}
			out[i] = shortValue(e)
		}
		return "[" + strings.Join(out, ",") + "]"
	}
	return flat(v)
}

func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch i := strings.IndexRune("\"\\\n\t\r\b\v\f\x1b\x7f", r); {
		case i >= 0:
			b.WriteString(`\` + `"\ntrbvfed`[i:i+1])
		case control(r):
			fmt.Fprintf(&b, `\%03o`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// control reports whether a terminal does something at r instead of showing it.
func control(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }

// escapeCell keeps a value in its line and its column.
func escapeCell(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return control(r) || r == '\\' }) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case control(r):
			fmt.Fprintf(&b, `\%03o`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// floatText is a float as Erlang and Elixir write it: always with a point.
func floatText(f float64) string {
	if f != 0 && (math.Abs(f) < 1e-5 || math.Abs(f) >= 1e16) {
		s := strconv.FormatFloat(f, 'e', -1, 64)
		mantissa, exp, _ := strings.Cut(s, "e")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		n, _ := strconv.Atoi(exp)
		return mantissa + "e" + strconv.Itoa(n)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// asJSON is a value as encoding/json takes it.
func asJSON(v any) any {
	switch v := v.(type) {
	case nil:
		return ""
	case atom:
		return string(v)
	case pid:
		return string(v)
	case list:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = asJSON(e)
		}
		return out
	case tuple:
		return asJSON(list(v))
	case float64:
		return json.RawMessage(floatText(v))
	case arguments:
		out := make([]any, len(v))
		for i, f := range v {
			out[i] = []any{f.name, f.kind, asJSON(f.value)}
		}
		return out
	case pairs:
		return orderedObject(v)
	case erlMap:
		sorted := slices.Clone(v)
		slices.SortStableFunc(sorted, func(a, b pair) int { return strings.Compare(a.key, b.key) })
		return orderedObject(sorted)
	}
	return v
}

// orderedObject is a JSON object whose members keep their order.
type orderedObject []pair

func (o orderedObject) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(jsonText(p.key) + ":" + jsonText(asJSON(p.value)))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// inspect is a value as Elixir shows it.
func inspect(v any) string {
	switch v := v.(type) {
	case nil:
		return ":undefined"
	case string:
		return quoted(v)
	case atom:
		if v == "true" || v == "false" || v == "nil" {
			return string(v)
		}
		return ":" + atomText(v, '"')
	case pid:
		return "#PID" + string(v)
	case float64:
		return floatText(v)
	case list:
		return "[" + inspectAll(v) + "]"
	case tuple:
		return "{" + inspectAll(v) + "}"
	case arguments:
		out := make([]string, len(v))
		for i, f := range v {
			out[i] = inspect(tuple{f.name, atom(f.kind), f.value})
		}
		return "[" + strings.Join(out, ", ") + "]"
	case pairs:
		out := make([]string, len(v))
		for i, p := range v {
			out[i] = atomText(atom(p.key), '"') + ": " + inspect(p.value)
		}
		return "[" + strings.Join(out, ", ") + "]"
	case erlMap:
		out := make([]string, len(v))
		for i, p := range v {
			out[i] = quoted(p.key) + " => " + inspect(p.value)
		}
		return "%{" + strings.Join(out, ", ") + "}"
	}
	return fmt.Sprint(v)
}

func inspectAll(vs []any) string {
	out := make([]string, len(vs))
	for i, e := range vs {
		out[i] = inspect(e)
	}
	return strings.Join(out, ", ")
}

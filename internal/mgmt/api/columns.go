package api

import (
	"bytes"
	"encoding"
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// columns is what a request wants of an object: nil is everything; a member
// whose value is nil is wanted as a whole.
type columns map[string]columns

// maxColumns bounds what a request may ask for.
const maxColumns = 200

func parseColumns(q url.Values) columns {
	if !q.Has("columns") {
		return nil
	}
	out := columns{}
	n := 0
	for c := range strings.SplitSeq(q.Get("columns"), ",") {
		if n++; n > maxColumns {
			break
		}
		out.add(strings.FieldsFunc(c, func(r rune) bool { return r == '.' }))
	}
	return out
}

func (c columns) add(path []string) {
	if len(path) == 0 {
		return
	}
	sub, ok := c[path[0]]
	switch {
	case len(path) == 1:
		c[path[0]] = nil
	case ok && sub == nil: // all of it is wanted already
	default:
		if sub == nil {
			sub = columns{}
			c[path[0]] = sub
		}
		sub.add(path[1:])
	}
}

// structInfo is how a struct becomes a JSON object.
type structInfo struct {
	fields []field
	byName map[string]*field
}

type field struct {
	name      string
	key       string // "name":
	index     []int
	omitEmpty bool
	omitZero  bool
}

func (a *API) structOf(t reflect.Type) *structInfo {
	if i, ok := a.types.Load(t); ok {
		return i.(*structInfo)
	}
	info := &structInfo{byName: map[string]*field{}}
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("json")
		if !f.IsExported() || tag == "-" || f.Anonymous && tag == "" {
			continue
		}
		name, opts, _ := strings.Cut(tag, ",")
		if name == "" {
			name = f.Name
		}
		quoted, _ := json.Marshal(name)
		info.fields = append(info.fields, field{
			name: name, key: string(quoted) + ":", index: f.Index,
			omitEmpty: slices.Contains(strings.Split(opts, ","), "omitempty"),
			omitZero:  slices.Contains(strings.Split(opts, ","), "omitzero"),
		})
	}
	for i := range info.fields {
		info.byName[info.fields[i].name] = &info.fields[i]
	}
	a.types.Store(t, info)
	return info
}

// get finds the field in a struct; ok is false if it is left out.
func (f *field) get(v reflect.Value) (reflect.Value, bool) {
	for _, i := range f.index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, !(f.omitEmpty && emptyValue(v) || f.omitZero && v.IsZero())
}

func emptyValue(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Slice, reflect.String, reflect.Array:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// encode appends v as JSON, or what the columns want of it.
func (a *API) encode(dst []byte, v any, want columns) ([]byte, error) {
	if want == nil {
		return appendJSON(dst, v)
	}
	return a.prune(dst, reflect.ValueOf(v), want)
}

func appendJSON(dst []byte, v any) ([]byte, error) {
	b := bytes.NewBuffer(dst)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return dst, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// prune appends the wanted members of v. An object with none of them is [], as
// in RabbitMQ; a list is pruned one by one; other values are whole.
func (a *API) prune(dst []byte, v reflect.Value, want columns) ([]byte, error) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		if v.Kind() == reflect.Pointer && marshals(v) {
			break
		}
		v = v.Elem()
	}
	if want == nil || !v.IsValid() {
		if !v.IsValid() {
			return append(dst, "null"...), nil
		}
		return appendJSON(dst, v.Interface())
	}
	switch {
	case marshals(v):
		return a.pruneOpaque(dst, v, want)
	case v.Kind() == reflect.Struct:
		return a.pruneStruct(dst, v, want)
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		return a.pruneMap(dst, v, want)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		return a.pruneList(dst, v, want)
	}
	return appendJSON(dst, v.Interface())
}

func marshals(v reflect.Value) bool {
	if !v.CanInterface() {
		return false
	}
	switch v.Interface().(type) {
	case json.Marshaler, encoding.TextMarshaler:
		return true
	}
	return false
}

// pruneOpaque is for values that write themselves.
func (a *API) pruneOpaque(dst []byte, v reflect.Value, want columns) ([]byte, error) {
	raw, err := json.Marshal(v.Interface())
	if err != nil {
		return dst, err
	}
	var x any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&x); err != nil {
		return dst, err
	}
	switch x.(type) {
	case map[string]any, []any:
		return a.prune(dst, reflect.ValueOf(x), want)
	}
	return append(dst, raw...), nil
}

func (a *API) pruneStruct(dst []byte, v reflect.Value, want columns) ([]byte, error) {
	info := a.structOf(v.Type())
	start := len(dst)
	for i := range info.fields {
		f := &info.fields[i]
		sub, ok := want[f.name]
		if !ok {
			continue
		}
		x, ok := f.get(v)
		if !ok {
			continue
		}
		dst = append(append(dst, separator(len(dst) == start)), f.key...)
		var err error
		if dst, err = a.prune(dst, x, sub); err != nil {
			return dst, err
		}
	}
	return closeObject(dst, start), nil
}

func (a *API) pruneMap(dst []byte, v reflect.Value, want columns) ([]byte, error) {
	start := len(dst)
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
	for _, k := range keys {
		sub, ok := want[k.String()]
		if !ok {
			continue
		}
		dst = append(dst, separator(len(dst) == start))
		var err error
		if dst, err = appendJSON(dst, k.String()); err != nil {
			return dst, err
		}
		if dst, err = a.prune(append(dst, ':'), v.MapIndex(k), sub); err != nil {
			return dst, err
		}
	}
	return closeObject(dst, start), nil
}

func (a *API) pruneList(dst []byte, v reflect.Value, want columns) ([]byte, error) {
	dst = append(dst, '[')
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = a.prune(dst, v.Index(i), want); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func separator(first bool) byte {
	if first {
		return '{'
	}
	return ','
}

func closeObject(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, "[]"...)
	}
	return append(dst, '}')
}

package apitype

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// Rows that write themselves look as encoding/json would write them, whatever is
// in them.
func TestRowsAreThoseOfEncodingJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 3000 {
		for _, v := range []Appender{&Queue{}, &Connection{}, &Channel{}} {
			fill(r, reflect.ValueOf(v).Elem())
			var want bytes.Buffer
			e := json.NewEncoder(&want)
			e.SetEscapeHTML(false)
			if err := e.Encode(v); err != nil {
				t.Fatal(err)
			}
			if got := v.AppendJSON([]byte("before,")); string(got)+"\n" != "before,"+want.String() {
				t.Fatalf("%T:\n%s\nwant\n%s", v, got[7:], want.String())
			}
		}
	}
}

// fill puts something into a value; now and then nothing.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Interface().(type) {
	case json.RawMessage:
		v.SetBytes([][]byte{nil, []byte("{}"), []byte(`{"a":["b",1.5,null]}`)}[r.IntN(3)])
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	case reflect.Pointer:
		if r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem())
		}
	case reflect.Slice:
		if n := r.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
			for i := range n - 1 {
				fill(r, v.Index(i))
			}
		}
	case reflect.Map:
		if r.IntN(2) > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf("k<"), reflect.ValueOf(r.IntN(9)).Convert(v.Type().Elem()))
		}
	case reflect.Interface:
		values := []any{nil, "text", "<\u00fc\u2028\"\\\n\x7f\xff>", json.RawMessage(`{"x":"<"}`), 7, int64(-3), 2.5, true, []string{"a"}, map[string]int{"z": 1}}
		if x := values[r.IntN(len(values))]; x != nil {
			v.Set(reflect.ValueOf(x))
		}
	case reflect.String:
		v.SetString([]string{"", "plain", "with \"quotes\" \\", "ümlaut <&>", "\u2028\x01\x7f", "bad \xff"}[r.IntN(6)])
	case reflect.Bool:
		v.SetBool(r.IntN(2) > 0)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, 12345}[r.IntN(6)])
	case reflect.Uint64:
		v.SetUint([]uint64{0, math.MaxUint64, 99}[r.IntN(3)])
	case reflect.Float64:
		v.SetFloat([]float64{0, math.Copysign(0, -1), 1, 0.2, -1.4, 1e-7, 1e21, 123456.789, 1e20, 1e-6, math.MaxFloat64}[r.IntN(11)])
	}
}

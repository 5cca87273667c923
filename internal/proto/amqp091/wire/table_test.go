package wire

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

// oneOfEach is a table with a value of every type.
func oneOfEach() Table {
	return Table{
		{"t", Bool(true)}, {"b", Int8(-1)}, {"B", Uint8(200)}, {"s", Int16(-2)}, {"u", Uint16(60000)},
		{"I", Int32(-3)}, {"i", Uint32(4e9)}, {"l", Int64(-4)}, {"L", LongInt(math.MinInt64)},
		{"f", Float32(1.5)}, {"d", Float64(-2.5)}, {"D", Decimal{2, 314}}, {"S", String("ü")}, {"x", Binary{0, 255}},
		{"T", Timestamp(1 << 40)}, {"V", Void{}},
		{"A", Array{Int8(1), String("two"), Array{}, Table{{"k", Void{}}}}},
		{"F", Table{{"inner", Table{{"innermost", Bool(false)}}}, {"", Int32(0)}}},
	}
}

// nested is the content of tables within tables, depth of them in all.
func nested(depth int) []byte {
	t := Table{}
	for range depth - 1 {
		t = Table{{"t", t}}
	}
	return AppendTableContent(nil, t)
}

func TestTableRoundTrip(t *testing.T) {
	want := oneOfEach()
	content := AppendTableContent(nil, want)
	have, err := ParseTable(content)
	if err != nil || !reflect.DeepEqual(have, want) {
		t.Fatalf("%v\nhave %v\nwant %v", err, have, want)
	}
	for _, f := range want {
		if string(f.Value.Code()) != f.Key {
			t.Errorf("%T has code %q, want %s", f.Value, f.Value.Code(), f.Key)
		}
	}
	if err := ValidateTable(content); err != nil {
		t.Error(err)
	}
}

// Cut anywhere, a table is either whole up to there or refused; never misread.
func TestTableCutShort(t *testing.T) {
	content := AppendTableContent(nil, oneOfEach())
	edges := 0
	for n := range content {
		have, err := ParseTable(content[:n])
		if verr := ValidateTable(content[:n]); (err == nil) != (verr == nil) {
			t.Fatalf("%d bytes: %v, but %v", n, err, verr)
		}
		if err == nil {
			edges++
			if !bytes.Equal(AppendTableContent(nil, have), content[:n]) {
				t.Fatalf("%d bytes: %v", n, have)
			}
		}
	}
	if edges != len(oneOfEach()) {
		t.Errorf("%d edges", edges)
	}
}

func TestTableErrors(t *testing.T) {
	if _, err := ParseTable(nested(MaxTableDepth)); err != nil {
		t.Error(err)
	}
	array := Array{}
	for range MaxTableDepth {
		array = Array{array}
	}
	for _, c := range []struct {
		content []byte
		want    error
	}{
		{nested(MaxTableDepth + 1), ErrTooDeep},
		{AppendTableContent(nil, Table{{"a", array}}), ErrTooDeep},
		{[]byte("\x01kS\xff\xff\xff\xffx"), ErrTruncated},
		{[]byte("\x01kA\x00\x00\x00\x02Ix"), ErrTruncated},
		{[]byte("\xffk"), ErrTruncated},
		{[]byte("\x00"), ErrTruncated},
	} {
		if _, err := ParseTable(c.content); !errors.Is(err, c.want) {
			t.Errorf("%x: parse says %v, want %v", c.content, err, c.want)
		}
		if err := ValidateTable(c.content); !errors.Is(err, c.want) {
			t.Errorf("%x: validate says %v, want %v", c.content, err, c.want)
		}
	}
	var code *FieldTypeError
	if _, err := ParseTable([]byte("\x01kZ")); !errors.As(err, &code) || code.Code != 'Z' {
		t.Error(err)
	}
}

func TestTableEditing(t *testing.T) {
	tab := Table{{"a", Int32(1)}, {"b", Int32(2)}, {"a", Int32(3)}}
	tab.Set("b", Bool(true))
	tab.Set("c", nil)
	tab.Delete("a")
	if want := (Table{{"b", Bool(true)}, {"c", nil}}); !reflect.DeepEqual(tab, want) {
		t.Error(tab)
	}
	if v, ok := tab.Get("c"); !ok || TypeName(v) != "void" {
		t.Error(v, ok)
	}
	if _, ok := tab.Get("a"); ok {
		t.Error("a is still there")
	}
	read, err := ParseTable(AppendTableContent(nil, tab))
	if err != nil || !Equivalent(read, tab) {
		t.Error(read, err)
	}
}

func TestTypeNames(t *testing.T) {
	want := "bool byte unsignedbyte short unsignedshort signedint unsignedint long long " +
		"float double decimal longstr binary timestamp void array table"
	var have []string
	for _, f := range oneOfEach() {
		have = append(have, TypeName(f.Value))
	}
	if strings.Join(have, " ") != want {
		t.Error(have)
	}
}

func TestEquivalent(t *testing.T) {
	for _, f := range oneOfEach() {
		for _, g := range oneOfEach() {
			if have := Equivalent(f.Value, g.Value); have != (f.Key == g.Key) {
				t.Errorf("%s and %s: %v", f.Key, g.Key, have)
			}
		}
	}
	for _, c := range []struct {
		a, b Value
		want bool
	}{
		{Int8(5), LongInt(5), true},
		{Uint32(5), Int64(5), true},
		{Int64(5), Timestamp(5), false},
		{Int64(5), Float64(5), false},
		{Float32(0.5), Float64(0.5), true},
		{String("a"), Binary("a"), false},
		{Binary("a"), String("a"), false},
		{nil, Void{}, true},
		{Void{}, nil, true},
		{String(""), nil, false},
		{Array{Int8(1)}, Array{Int64(1)}, true},
		{Array{Int8(1)}, Array{}, false},
		{Table{{"a", Int8(1)}}, Table{{"a", Int64(1)}}, true},
		{Table{{"a", Int8(1)}}, Table{{"b", Int8(1)}}, false},
	} {
		if have := Equivalent(c.a, c.b); have != c.want {
			t.Errorf("%#v and %#v: %v", c.a, c.b, have)
		}
	}
}

func TestTableView(t *testing.T) {
	v := TableView(AppendTableContent(nil, oneOfEach()))
	it := v.Iter()
	for _, want := range oneOfEach() {
		if !it.Next() || string(it.Key()) != want.Key {
			t.Fatalf("%s: have %q, %v", want.Key, it.Key(), it.Err())
		}
		checkView(t, it.Value(), want.Value)
		found, ok := v.Lookup(want.Key)
		if !ok {
			t.Errorf("%s: not found", want.Key)
		}
		checkView(t, found, want.Value)
	}
	if it.Next() || it.Err() != nil {
		t.Error("the walk goes on", it.Err())
	}
	if _, ok := v.Lookup("none"); ok {
		t.Error("found what is not there")
	}
	without, err := TableView(v.AppendWithout(nil, "S")).Table()
	want := oneOfEach()
	want.Delete("S")
	if err != nil || !reflect.DeepEqual(without, want) {
		t.Error(without, err)
	}
}

// checkView holds every accessor of a view against the decoded value.
func checkView(t *testing.T, v ValueView, want Value) {
	t.Helper()
	if v.Code() != want.Code() || v.TypeName() != TypeName(want) {
		t.Errorf("%q %s, want %q", v.Code(), v.TypeName(), want.Code())
	}
	if have, err := v.Value(); err != nil || !bytes.Equal(AppendValue(nil, have), AppendValue(nil, want)) {
		t.Errorf("have %v, want %v, %v", have, want, err)
	}
	checkBytes(t, v, want)
	i, ok := v.AsInt64()
	if wi, wok := AsInt64(want); i != wi || ok != wok {
		t.Errorf("%q: integer %d, %v, want %d, %v", v.Code(), i, ok, wi, wok)
	}
	f, ok := v.AsFloat64()
	if wf, wok := AsFloat64(want); math.Float64bits(f) != math.Float64bits(wf) || ok != wok {
		t.Errorf("%q: float %g, %v, want %g, %v", v.Code(), f, ok, wf, wok)
	}
	s, ok := v.AsString()
	if ws, wok := AsString(want); s != ws || ok != wok {
		t.Errorf("%q: string %q, %v, want %q, %v", v.Code(), s, ok, ws, wok)
	}
	b, ok := v.AsBool()
	if wb, wok := AsBool(want); b != wb || ok != wok {
		t.Errorf("%q: bool %v, %v, want %v, %v", v.Code(), b, ok, wb, wok)
	}
	if a, ok := v.AsArray(); ok {
		n := 0
		for it := a.Iter(); it.Next(); n++ {
			checkView(t, it.Value(), want.(Array)[n])
		}
		if n != len(want.(Array)) {
			t.Errorf("%d elements", n)
		}
	}
	if tab, ok := v.AsTable(); ok {
		n := 0
		for it := tab.Iter(); it.Next(); n++ {
			checkView(t, it.Value(), want.(Table)[n].Value)
		}
		if n != len(want.(Table)) {
			t.Errorf("%d fields", n)
		}
	}
}

// checkBytes holds a view's bytes against the encoder, except for bools and what may contain them: any octet
// but 0 is true, and is written again as 1.
func checkBytes(t *testing.T, v ValueView, want Value) {
	t.Helper()
	switch v.Code() {
	case 't', 'A', 'F':
		return
	}
	encoded := AppendValue(nil, want)[1:]
	if v.Code() == 'S' || v.Code() == 'x' {
		encoded = encoded[4:]
	}
	if !bytes.Equal(v.Bytes(), encoded) {
		t.Errorf("%q: bytes %x, want %x", v.Code(), v.Bytes(), encoded)
	}
}

func TestZeroValueView(t *testing.T) {
	var v ValueView
	_, i := v.AsInt64()
	_, f := v.AsFloat64()
	_, s := v.AsString()
	_, b := v.AsBool()
	if _, err := v.Value(); i || f || s || b || err == nil {
		t.Error("no value is taken for one")
	}
}

func FuzzTable(f *testing.F) {
	f.Add(AppendTableContent(nil, oneOfEach()))
	f.Add(nested(5))
	f.Add(nested(MaxTableDepth + 1))
	for _, field := range oneOfEach() {
		f.Add(AppendTableContent(nil, Table{field, field}))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		table, err := ParseTable(content)
		if verr := ValidateTable(content); (err == nil) != (verr == nil) {
			t.Fatalf("parse says %v, validate says %v", err, verr)
		}
		view := TableView(content)
		view.AppendWithout(nil, "k")
		it := view.Iter()
		if err != nil {
			for it.Next() {
			}
			view.Lookup("k")
			return
		}
		first := AppendTableContent(nil, table)
		again, err := ParseTable(first)
		if err != nil {
			t.Fatalf("%x became %x: %v", content, first, err)
		}
		if second := AppendTableContent(nil, again); !bytes.Equal(first, second) {
			t.Fatalf("%x became %x became %x", content, first, second)
		}
		for _, field := range table {
			if !it.Next() || string(it.Key()) != field.Key {
				t.Fatalf("the view has key %q, want %q", it.Key(), field.Key)
			}
			checkView(t, it.Value(), field.Value)
			found, ok := view.Lookup(field.Key)
			want, _ := table.Get(field.Key)
			if !ok {
				t.Fatalf("%q is not in the view", field.Key)
			}
			checkView(t, found, want)
		}
		if it.Next() || it.Err() != nil {
			t.Fatal("the view has more", it.Err())
		}
	})
}

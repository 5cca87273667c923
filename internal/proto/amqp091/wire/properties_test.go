package wire

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

func allProps() Properties {
	return Properties{
		Flags: allProperties, ContentType: "ct", ContentEncoding: "ce", Headers: oneOfEach(), DeliveryMode: 2, Priority: 9,
		CorrelationID: "ci", ReplyTo: "rt", Expiration: "1000", MessageID: "mi", Timestamp: 1 << 33, Type: "ty",
		UserID: "guest", AppID: "ai", ClusterID: "cl",
	}
}

func TestPropertiesRoundTrip(t *testing.T) {
	for name, want := range map[string]Properties{
		"all":            allProps(),
		"none":           {},
		"present, empty": {Flags: FlagExpiration | FlagPriority | FlagTimestamp | FlagHeaders, Headers: Table{}},
		"one":            {Flags: FlagUserID, UserID: "guest"},
	} {
		raw := want.Append(nil)
		have, err := ParseProperties(raw)
		if err != nil || !reflect.DeepEqual(have, want) {
			t.Errorf("%s: %v\nhave %+v\nwant %+v", name, err, have, want)
		}
		if err := ValidatePropertiesDeep(raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for n := 1; n < len(raw); n++ {
			if err := ValidateProperties(raw[:n]); !errors.Is(err, ErrTruncated) {
				t.Errorf("%s cut to %d bytes: %v", name, n, err)
			}
		}
		if err := ValidateProperties(append(raw, 0)); !errors.Is(err, ErrTrailingBytes) {
			t.Errorf("%s with a byte more: %v", name, err)
		}
	}
}

// A field that is set is sent without its flag, a flag that is set sends an empty field.
func TestPropertiesPresence(t *testing.T) {
	p := Properties{DeliveryMode: 2, Flags: FlagType}
	if p.Present() != FlagDeliveryMode|FlagType || !p.Has(FlagType) || p.Has(FlagType|FlagAppID) {
		t.Errorf("%04x", p.Present())
	}
	p = allProps()
	p.Remove(FlagExpiration | FlagHeaders)
	if p.Present() != allProperties&^(FlagExpiration|FlagHeaders) || p.Expiration != "" || p.Headers != nil {
		t.Errorf("%04x", p.Present())
	}
}

func TestNoProperties(t *testing.T) {
	p, err := ParseProperties(nil)
	if err != nil || p.Present() != 0 {
		t.Error(p, err)
	}
	v, err := ParsePropertiesView(nil)
	if err != nil || v.Flags() != 0 || v.Persistent() || ValidatePropertiesDeep(nil) != nil {
		t.Error(v, err)
	}
}

func TestUnknownPropertyFlags(t *testing.T) {
	for _, raw := range [][]byte{{0, 1}, {0, 2}, {0, 1, 0, 0}} {
		var bad *PropertiesError
		if err := ValidateProperties(raw); !errors.As(err, &bad) || !errors.Is(err, ErrUnknownProperty) {
			t.Errorf("%x: %v", raw, err)
		}
		if _, err := ParseProperties(raw); !errors.Is(err, ErrUnknownProperty) {
			t.Errorf("%x: %v", raw, err)
		}
	}
}

// Damage inside of headers is found by the deep check only, and by decoding.
func TestDamagedHeaders(t *testing.T) {
	raw := append(appendShort(nil, uint16(FlagHeaders)), 0, 0, 0, 3, 1, 'k', 'Z')
	if err := ValidateProperties(raw); err != nil {
		t.Error(err)
	}
	var code *FieldTypeError
	if err := ValidatePropertiesDeep(raw); !errors.As(err, &code) {
		t.Error(err)
	}
	if _, err := ParseProperties(raw); !errors.As(err, &code) {
		t.Error(err)
	}
}

func TestPropertiesView(t *testing.T) {
	p := allProps()
	raw := p.Append(nil)
	v, err := ParsePropertiesView(raw)
	if err != nil {
		t.Fatal(err)
	}
	checkPropertiesView(t, &v, &p)
	if !v.Persistent() || !v.Has(FlagHeaders|FlagUserID) || !bytes.Equal(v.Raw(), raw) {
		t.Error("persistent, has or raw")
	}
	if err := v.Parse([]byte{0x80}); err == nil || v.Flags() != 0 {
		t.Error("a failed parse leaves properties", err)
	}
	if _, ok := v.ContentType(); ok {
		t.Error("a failed parse leaves a content type")
	}
}

// checkPropertiesView holds every accessor of the view against the decoded properties.
func checkPropertiesView(t *testing.T, v *PropertiesView, p *Properties) {
	t.Helper()
	for flag, c := range map[PropertyFlags]struct {
		get  func() ([]byte, bool)
		want string
	}{
		FlagContentType: {v.ContentType, p.ContentType}, FlagContentEncoding: {v.ContentEncoding, p.ContentEncoding},
		FlagCorrelationID: {v.CorrelationID, p.CorrelationID}, FlagReplyTo: {v.ReplyTo, p.ReplyTo},
		FlagExpiration: {v.Expiration, p.Expiration}, FlagMessageID: {v.MessageID, p.MessageID},
		FlagType: {v.Type, p.Type}, FlagUserID: {v.UserID, p.UserID}, FlagAppID: {v.AppID, p.AppID},
		FlagClusterID: {v.ClusterID, p.ClusterID},
	} {
		if have, ok := c.get(); string(have) != c.want || ok != p.Has(flag) {
			t.Errorf("flag %04x: %q, %v, want %q", flag, have, ok, c.want)
		}
	}
	if m, ok := v.DeliveryMode(); m != p.DeliveryMode || ok != p.Has(FlagDeliveryMode) {
		t.Error("delivery mode", m, ok)
	}
	if n, ok := v.Priority(); n != p.Priority || ok != p.Has(FlagPriority) {
		t.Error("priority", n, ok)
	}
	if ts, ok := v.Timestamp(); ts != p.Timestamp || ok != p.Has(FlagTimestamp) {
		t.Error("timestamp", ts, ok)
	}
	h, ok := v.Headers()
	table, err := h.Table()
	if err != nil || ok != p.Has(FlagHeaders) || !bytes.Equal(AppendTableContent(nil, table), AppendTableContent(nil, p.Headers)) {
		t.Error("headers", table, ok, err)
	}
}

func TestAppendEditedProperties(t *testing.T) {
	full := allProps()
	newHeaders := Table{{"x-death", Array{Table{{"count", Int64(1)}}}}}
	for name, c := range map[string]struct {
		props []byte
		edit  PropertyEdit
		want  func(*Properties)
	}{
		"nothing":        {full.Append(nil), PropertyEdit{}, func(*Properties) {}},
		"dead letter":    {full.Append(nil), PropertyEdit{Remove: FlagExpiration, Headers: AppendTableContent(nil, newHeaders)}, func(p *Properties) { p.Remove(FlagExpiration); p.Headers = newHeaders }},
		"no headers":     {full.Append(nil), PropertyEdit{Remove: FlagHeaders}, func(p *Properties) { p.Remove(FlagHeaders) }},
		"reply-to":       {full.Append(nil), PropertyEdit{Set: &Properties{ReplyTo: "r", Headers: newHeaders}}, func(p *Properties) { p.ReplyTo, p.Headers = "r", newHeaders }},
		"set wins":       {full.Append(nil), PropertyEdit{Remove: allProperties, Set: &Properties{Priority: 1}}, func(p *Properties) { *p = Properties{Flags: FlagPriority, Priority: 1} }},
		"from nothing":   {nil, PropertyEdit{Headers: TableView{}}, func(p *Properties) { *p = Properties{Flags: FlagHeaders, Headers: Table{}} }},
		"remove nothing": {nil, PropertyEdit{Remove: FlagExpiration}, func(p *Properties) { *p = Properties{} }},
	} {
		want := allProps()
		c.want(&want)
		raw, err := AppendEditedProperties([]byte("before"), c.props, c.edit)
		if err != nil || !bytes.Equal(raw, append([]byte("before"), want.Append(nil)...)) {
			t.Errorf("%s: %v\nhave %x\nwant %x", name, err, raw, want.Append(nil))
		}
	}
	if dst, err := AppendEditedProperties([]byte("before"), []byte{0x80}, PropertyEdit{}); err == nil || string(dst) != "before" {
		t.Error(dst, err)
	}
}

func FuzzProperties(f *testing.F) {
	full := allProps()
	f.Add(full.Append(nil))
	f.Add(typicalProps())
	f.Add([]byte{0, 0})
	f.Add((&Properties{Flags: allProperties}).Append(nil))
	f.Add([]byte{0x20, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, props []byte) {
		var v PropertiesView
		verr, shallow := v.Parse(props), ValidateProperties(props)
		if (verr == nil) != (shallow == nil) || verr != nil && verr.Error() != shallow.Error() {
			t.Fatalf("view says %v, validate says %v", verr, shallow)
		}
		p, err := ParseProperties(props)
		if deep := ValidatePropertiesDeep(props); (err == nil) != (deep == nil) {
			t.Fatalf("parse says %v, validate says %v", err, deep)
		}
		if err != nil {
			v.Headers()
			return
		}
		checkPropertiesView(t, &v, &p)
		first := p.Append(nil)
		again, err := ParseProperties(first)
		if err != nil {
			t.Fatalf("%x became %x: %v", props, first, err)
		}
		if second := again.Append(nil); !bytes.Equal(first, second) {
			t.Fatalf("%x became %x became %x", props, first, second)
		}
		same, err := AppendEditedProperties(nil, props, PropertyEdit{})
		if err != nil || len(props) > 0 && !bytes.Equal(same, props) {
			t.Fatalf("%x became %x, %v", props, same, err)
		}
	})
}

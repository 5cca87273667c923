package wire

import "testing"

// The hot path: each must report 0 allocs/op.

func BenchmarkHotParsePublish(b *testing.B) {
	in := AppendBasicPublishFrames(nil, 1, "ex", "routing.key", false, typicalProps(), make([]byte, 1024), 131072)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		parsePublish(b, in)
	}
}

func BenchmarkHotParseAck(b *testing.B) {
	in := AppendBasicAckFrame(nil, 1, 77, false)
	b.ReportAllocs()
	for b.Loop() {
		f, _, err := ParseFrame(in, 131072)
		if err != nil {
			b.Fatal(err)
		}
		if id, _ := PeekMethod(f.Payload); id != MethodBasicAck {
			b.Fatal(id)
		}
		if a, err := ParseBasicAck(f.Payload); err != nil || a.DeliveryTag != 77 {
			b.Fatal(a, err)
		}
	}
}

func BenchmarkHotAppendDeliver(b *testing.B) {
	props, body, key := typicalProps(), make([]byte, 1024), []byte("routing.key")
	buf := make([]byte, 0, 4096)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendBasicDeliverFrames(buf[:0], 1, "amq.ctag-0123456789", 5, false, "ex", key, props, body, 131072)
	}
}

func BenchmarkHotAppendAck(b *testing.B) {
	buf := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendBasicAckFrame(buf[:0], 1, 5, true)
	}
}

func BenchmarkValidateProperties(b *testing.B) {
	props := typicalProps()
	b.ReportAllocs()
	for b.Loop() {
		if err := ValidateProperties(props); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidatePropertiesDeep(b *testing.B) {
	props := typicalProps()
	b.ReportAllocs()
	for b.Loop() {
		if err := ValidatePropertiesDeep(props); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHotLookupHeader(b *testing.B) {
	v, err := ParsePropertiesView(typicalProps())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		h, _ := v.Headers()
		if _, ok := h.Lookup("tenant"); !ok {
			b.Fatal("not found")
		}
	}
}

package wire

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// splitFrames parses frames until nothing is left.
func splitFrames(t testing.TB, b []byte, maxFrame uint32) []Frame {
	t.Helper()
	var frames []Frame
	for len(b) > 0 {
		f, n, err := ParseFrame(b, maxFrame)
		if err != nil || n == 0 {
			t.Fatalf("after %d frames: %d, %v", len(frames), n, err)
		}
		frames = append(frames, f)
		b = b[n:]
	}
	return frames
}

// TestContentFrames holds the fast encoders against the slow parsers, for bodies around the chunk's edges.
func TestContentFrames(t *testing.T) {
	const ch, maxFrame = 12, FrameMinSize
	chunk := BodyChunk(maxFrame)
	props := (&Properties{DeliveryMode: 2, MessageID: "m"}).Append(nil)
	for _, size := range []int{0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 3*chunk + 1} {
		for _, props := range [][]byte{nil, props} {
			body := bytes.Repeat([]byte{'b'}, size)
			deliver := &BasicDeliver{ConsumerTag: "ctag", DeliveryTag: 1 << 40, Redelivered: true, Exchange: "ex", RoutingKey: "key"}
			for _, c := range []struct {
				want Method
				have []byte
			}{
				{deliver, AppendBasicDeliverFrames(nil, ch, "ctag", 1<<40, true, "ex", []byte("key"), props, body, maxFrame)},
				{deliver, AppendBasicDeliverFrames(nil, ch, "ctag", 1<<40, true, []byte("ex"), "key", props, body, maxFrame)},
				{deliver, AppendBodyFrames(AppendBasicDeliverHead(nil, ch, "ctag", 1<<40, true, "ex", "key", props, uint64(size)), ch, body, maxFrame)},
				{&BasicGetOk{DeliveryTag: 9, Redelivered: true, Exchange: "", RoutingKey: "key", MessageCount: 77},
					AppendBasicGetOkFrames(nil, ch, 9, true, "", "key", 77, props, body, maxFrame)},
				{&BasicReturn{ReplyCode: NoRoute, ReplyText: "NO_ROUTE", Exchange: "ex", RoutingKey: "key"},
					AppendBasicReturnFrames(nil, ch, NoRoute, "NO_ROUTE", "ex", "key", props, body, maxFrame)},
				{&BasicPublish{Exchange: "ex", RoutingKey: "key", Mandatory: true},
					AppendBasicPublishFrames(nil, ch, "ex", "key", true, props, body, maxFrame)},
			} {
				checkContent(t, splitFrames(t, c.have, maxFrame-FrameOverhead), c.want, props, body)
			}
		}
	}
}

func checkContent(t *testing.T, frames []Frame, want Method, props, body []byte) {
	t.Helper()
	for i, f := range frames {
		if f.Channel != 12 || f.Type != []FrameType{FrameMethod, FrameHeader, FrameBody}[min(i, 2)] {
			t.Errorf("frame %d of %d: type %d, channel %d", i, len(frames), f.Type, f.Channel)
		}
	}
	m, err := ParseMethod(frames[0].Payload)
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("%v\nhave %+v\nwant %+v", err, m, want)
	}
	if props == nil {
		props = []byte{0, 0}
	}
	h, err := ParseContentHeader(frames[1].Payload)
	if err != nil || !reflect.DeepEqual(h, ContentHeader{ClassID: ClassBasic, BodySize: uint64(len(body)), Props: props}) {
		t.Errorf("%+v, %v", h, err)
	}
	var have []byte
	for _, f := range frames[2:] {
		if len(f.Payload) == 0 {
			t.Error("an empty body frame")
		}
		have = append(have, f.Payload...)
	}
	if !bytes.Equal(have, body) {
		t.Errorf("body of %d bytes, want %d", len(have), len(body))
	}
}

func TestAcknowledgementFrames(t *testing.T) {
	for want, b := range map[Method][]byte{
		BasicAck{DeliveryTag: 7, Multiple: true}:                 AppendBasicAckFrame(nil, 12, 7, true),
		BasicNack{DeliveryTag: 8, Requeue: true}:                 AppendBasicNackFrame(nil, 12, 8, false, true),
		BasicNack{DeliveryTag: 9, Multiple: true, Requeue: true}: AppendBasicNackFrame(nil, 12, 9, true, true),
		BasicReject{DeliveryTag: 10, Requeue: true}:              AppendBasicRejectFrame(nil, 12, 10, true),
	} {
		if w := AppendMethodFrame(nil, 12, want); !bytes.Equal(b, w) {
			t.Errorf("%+v: have %x, want %x", want, b, w)
		}
	}
}

func TestContentHeaderTooShort(t *testing.T) {
	whole := AppendContentHeader(nil, ContentHeader{ClassID: ClassBasic, BodySize: 5})
	for n := range whole {
		var short *ContentHeaderError
		if _, err := ParseContentHeader(whole[:n]); !errors.As(err, &short) || short.Size != n {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// Nothing of what the hot path does may allocate once its buffer has grown.
func TestHotPathDoesNotAllocate(t *testing.T) {
	props := typicalProps()
	body := make([]byte, 1024)
	key := []byte("routing.key")
	buf := make([]byte, 0, 1<<16)
	publish := AppendBasicPublishFrames(nil, 1, "ex", key, false, props, body, 131072)
	for name, run := range map[string]func(){
		"parse publish": func() { parsePublish(t, publish) },
		"deliver":       func() { AppendBasicDeliverFrames(buf, 1, "ctag", 5, false, "ex", key, props, body, 131072) },
		"deliver head":  func() { AppendBasicDeliverHead(buf, 1, "ctag", 5, false, "ex", key, props, 1<<20) },
		"get-ok":        func() { AppendBasicGetOkFrames(buf, 1, 5, false, "ex", key, 4, props, body, 131072) },
		"return":        func() { AppendBasicReturnFrames(buf, 1, NoRoute, "NO_ROUTE", "ex", key, props, body, 131072) },
		"ack":           func() { AppendBasicAckFrame(buf, 1, 5, false) },
		"validate":      func() { ValidatePropertiesDeep(props) },
		"edit":          func() { AppendEditedProperties(buf, props, PropertyEdit{Remove: FlagExpiration, Headers: TableView{}}) },
	} {
		if n := testing.AllocsPerRun(100, run); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// typicalProps are properties with everything that a broker looks at.
func typicalProps() []byte {
	return (&Properties{
		ContentType: "application/json", DeliveryMode: 2, Priority: 3, Expiration: "60000", CorrelationID: "1b4e28ba",
		Headers: Table{{"x-retry", Int32(3)}, {"tenant", String("acme")}, {"x-match", String("all")}},
	}).Append(nil)
}

// parsePublish does what a session does with a publish of up to one body frame.
func parsePublish(t testing.TB, b []byte) int {
	f, n, err := ParseFrame(b, 131072)
	if err != nil {
		t.Fatal(err)
	}
	v, err := ParseBasicPublish(f.Payload)
	if err != nil {
		t.Fatal(err)
	}
	b = b[n:]
	if f, n, err = ParseFrame(b, 131072); err != nil {
		t.Fatal(err)
	}
	h, err := ParseContentHeader(f.Payload)
	if err != nil {
		t.Fatal(err)
	}
	var props PropertiesView
	if err := props.Parse(h.Props); err != nil {
		t.Fatal(err)
	}
	size := len(v.RoutingKey)
	if props.Persistent() {
		size++
	}
	if e, ok := props.Expiration(); ok {
		size += len(e)
	}
	if f, _, err = ParseFrame(b[n:], 131072); err != nil {
		t.Fatal(err)
	}
	return size + len(f.Payload)
}

func FuzzContentHeader(f *testing.F) {
	f.Add(AppendContentHeader(nil, ContentHeader{ClassID: ClassBasic, BodySize: 1 << 40, Props: typicalProps()}))
	f.Add(AppendContentHeader(nil, ContentHeader{ClassID: ClassTx, Weight: 1}))
	f.Fuzz(func(t *testing.T, payload []byte) {
		h, err := ParseContentHeader(payload)
		if err != nil {
			return
		}
		if again := AppendContentHeader(nil, h); !bytes.Equal(again, payload) {
			t.Fatalf("have %x, want %x", again, payload)
		}
		b := AppendContentHeaderFrame(nil, 4, h.BodySize, h.Props)
		frames := splitFrames(t, b, 0)
		h2, err := ParseContentHeader(frames[0].Payload)
		if err != nil || len(frames) != 1 || h2.BodySize != h.BodySize || !bytes.Equal(h2.Props, h.Props) {
			t.Fatalf("%+v became %+v, %v", h, h2, err)
		}
	})
}

package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// allMethods is an empty struct of every method there is.
func allMethods() []parsable {
	var all []parsable
	for class := range MethodID(100) {
		for method := range MethodID(130) {
			if m := newMethod(class<<16 | method); m != nil {
				all = append(all, m)
			}
		}
	}
	return all
}

// fill gives every field of a method a value of its own.
func fill(m Method) Method {
	v := reflect.ValueOf(m).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("ünï" + v.Type().Field(i).Name)
		case reflect.Bool:
			f.SetBool(i%2 == 1)
		case reflect.Slice:
			f.Set(reflect.ValueOf(oneOfEach()))
		default:
			f.SetUint(uint64(i + 5))
		}
	}
	return m
}

func TestMethodsRoundTrip(t *testing.T) {
	all := allMethods()
	if len(all) != 66 {
		t.Errorf("%d methods", len(all))
	}
	for _, m := range all {
		if !m.ID().Known() || !m.ID().ToServer() && !m.ID().ToClient() {
			t.Errorf("%s: known %v, to server %v, to client %v", m.ID(), m.ID().Known(), m.ID().ToServer(), m.ID().ToClient())
		}
		want := fill(m)
		payload := want.Append(nil)
		have, err := ParseMethod(payload)
		if err != nil || !reflect.DeepEqual(have, want) {
			t.Errorf("%s: %v\nhave %+v\nwant %+v", m.ID(), err, have, want)
		}
		// Every way of cutting it short, and of adding to it, is an error of the one kind.
		for n := range payload {
			var syntax *MethodSyntaxError
			if _, err := ParseMethod(payload[:n]); !errors.As(err, &syntax) || !errors.Is(err, ErrTruncated) {
				t.Errorf("%s cut to %d bytes: %v", m.ID(), n, err)
			}
		}
		if _, err := ParseMethod(append(payload, 0)); !errors.Is(err, ErrTrailingBytes) {
			t.Errorf("%s with a byte more: %v", m.ID(), err)
		}
	}
}

// Payloads written out by hand from the specification, section 4.2.5 and the tables of methods.
func TestMethodBytes(t *testing.T) {
	for _, c := range []struct {
		m    Method
		want string
	}{
		{QueueDeclare{Queue: "q", Durable: true, AutoDelete: true, Arguments: Table{{"x-max-length", Int32(10)}}},
			"0032 000a 0000 01 71 0a 00000012 0c 782d6d61782d6c656e677468 49 0000000a"},
		{ConnectionTune{ChannelMax: 2047, FrameMax: 131072, Heartbeat: 60}, "000a 001e 07ff 00020000 003c"},
		{ConnectionOpen{VirtualHost: "/"}, "000a 0028 01 2f 00 00"},
		{ConnectionOpenOk{}, "000a 0029 00"},
		{ChannelOpenOk{}, "0014 000b 00000000"},
		{ConnectionBlocked{Reason: "low"}, "000a 003c 03 6c6f77"},
		{ConnectionUpdateSecret{NewSecret: "s", Reason: "r"}, "000a 0046 00000001 73 01 72"},
		{BasicConsume{Queue: "q", ConsumerTag: "c", NoLocal: true, Exclusive: true}, "003c 0014 0000 01 71 01 63 05 00000000"},
		{ExchangeUnbindOk{}, "0028 0033"},
		{ConfirmSelect{NoWait: true}, "0055 000a 01"},
		{ChannelClose{ReplyCode: NotFound, ReplyText: "x", ClassID: ClassQueue, MethodID: 10}, "0014 0028 0194 01 78 0032 000a"},
		{BasicNack{DeliveryTag: 1, Multiple: true, Requeue: true}, "003c 0078 0000000000000001 03"},
	} {
		if have := hex.EncodeToString(c.m.Append(nil)); have != strings.ReplaceAll(c.want, " ", "") {
			t.Errorf("%s: have %s, want %s", c.m.ID(), have, c.want)
		}
	}
}

func TestParseMethodErrors(t *testing.T) {
	var unknown *UnknownMethodError
	if _, err := ParseMethod([]byte{0, 60, 0, 99}); !errors.As(err, &unknown) || unknown.Method != 60<<16|99 {
		t.Error(err)
	}
	for want, payload := range map[error][]byte{
		ErrTruncated:     {0, 50},
		ErrMalformedUTF8: QueuePurge{Queue: "\xff"}.Append(nil),
		ErrTooDeep:       append(append([]byte{0, 50, 0, 10, 0, 0, 0, 0}, appendLong(nil, uint32(len(nested(MaxTableDepth+1))))...), nested(MaxTableDepth+1)...),
	} {
		if _, err := ParseMethod(payload); !errors.Is(err, want) {
			t.Errorf("have %v, want %v", err, want)
		}
	}
	if _, err := ParseMethod(BasicPublish{RoutingKey: "\xff"}.Append(nil)); err != nil {
		t.Errorf("a routing key may be any bytes: %v", err)
	}
}

func TestNames(t *testing.T) {
	for have, want := range map[string]string{
		MethodBasicGetEmpty.String():               "basic.get-empty",
		MethodID(10<<16 | 99).String():             "method 10.99",
		ClassExchange.String():                     "exchange",
		ClassID(7).String():                        "class 7",
		ReplyCode(999).String():                    "reply code 999",
		NotFound.Text("no queue 'q' in vhost '/'"): "NOT_FOUND - no queue 'q' in vhost '/'",
		NoRoute.Text(""):                           "NO_ROUTE",
	} {
		if have != want {
			t.Errorf("have %q, want %q", have, want)
		}
	}
	if s := InternalError.Text(strings.Repeat("x", 300)); len(s) != 255 || !strings.HasSuffix(s, "x...") {
		t.Errorf("%d bytes: %s", len(s), s)
	}
	if !InternalError.Hard() || InternalError.Soft() || !NotFound.Soft() || ReplySuccess.Hard() {
		t.Error("hard and soft errors are mixed up")
	}
}

func TestAppendMethodFrame(t *testing.T) {
	b := AppendMethodFrame([]byte("before"), 9, &QueueDeclareOk{Queue: "q", MessageCount: 1, ConsumerCount: 2})
	f, n, err := ParseFrame(b[6:], FrameMinSize)
	if err != nil || n != len(b)-6 || f.Type != FrameMethod || f.Channel != 9 {
		t.Fatalf("%+v, %d, %v", f, n, err)
	}
	m, err := ParseMethod(f.Payload)
	if ok, is := m.(*QueueDeclareOk); err != nil || !is || ok.Queue != "q" || ok.MessageCount != 1 || ok.ConsumerCount != 2 {
		t.Errorf("%+v, %v", m, err)
	}
}

// Names beyond a short string are cut rather than sent with a wrong length.
func TestLongNamesAreCut(t *testing.T) {
	long := strings.Repeat("n", 300)
	m, err := ParseMethod(QueuePurge{Queue: long}.Append(nil))
	if err != nil || m.(*QueuePurge).Queue != long[:255] {
		t.Errorf("%+v, %v", m, err)
	}
	frames := splitFrames(t, AppendBasicDeliverFrames(nil, 1, long, 1, false, long, []byte(long), nil, nil, 0), 0)
	m, err = ParseMethod(frames[0].Payload)
	if err != nil || !reflect.DeepEqual(m, &BasicDeliver{ConsumerTag: long[:255], DeliveryTag: 1, Exchange: long[:255], RoutingKey: long[:255]}) {
		t.Errorf("%+v, %v", m, err)
	}
}

func FuzzMethod(f *testing.F) {
	for _, m := range allMethods() {
		f.Add(m.Append(nil))
		f.Add(fill(m).Append(nil))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := ParseMethod(payload)
		sameAsGeneral(t, payload, m, err)
		if err != nil {
			return
		}
		first := m.Append(nil)
		again, err := ParseMethod(first)
		if err != nil {
			t.Fatalf("%x became %x: %v", payload, first, err)
		}
		if second := again.Append(nil); !bytes.Equal(first, second) {
			t.Fatalf("%x became %x became %x", payload, first, second)
		}
	})
}

// sameAsGeneral holds the parsers of the hot path against ParseMethod.
func sameAsGeneral(t *testing.T, payload []byte, m Method, err error) {
	var have Method
	var hotErr error
	switch id, _ := PeekMethod(payload); id {
	case MethodBasicPublish:
		var v BasicPublishView
		v, hotErr = ParseBasicPublish(payload)
		have = &BasicPublish{Exchange: string(v.Exchange), RoutingKey: string(v.RoutingKey), Mandatory: v.Mandatory, Immediate: v.Immediate}
	case MethodBasicAck:
		var v BasicAck
		v, hotErr = ParseBasicAck(payload)
		have = &v
	case MethodBasicNack:
		var v BasicNack
		v, hotErr = ParseBasicNack(payload)
		have = &v
	case MethodBasicReject:
		var v BasicReject
		v, hotErr = ParseBasicReject(payload)
		have = &v
	default:
		return
	}
	if (err == nil) != (hotErr == nil) || err != nil && err.Error() != hotErr.Error() {
		t.Fatalf("%x: have %v, want %v", payload, hotErr, err)
	}
	if err == nil && !reflect.DeepEqual(have, m) {
		t.Fatalf("%x: have %+v, want %+v", payload, have, m)
	}
}

package wire

import (
	"bytes"
	"errors"
	"testing"
)

func TestParseFrameWaitsForTheRest(t *testing.T) {
	whole := AppendFrame(nil, FrameBody, 7, []byte("hello"))
	for n := range whole {
		f, used, err := ParseFrame(whole[:n], FrameMinSize)
		if used != 0 || err != nil || f.Payload != nil {
			t.Fatalf("%d of %d bytes: %v, %d, %v", n, len(whole), f, used, err)
		}
		if size, ok := FrameLen(whole[:n]); ok != (n >= 7) || ok && size != uint64(len(whole)) {
			t.Fatalf("%d of %d bytes: length %d, %v", n, len(whole), size, ok)
		}
	}
	f, n, err := ParseFrame(append(whole, 1, 2, 3), FrameMinSize)
	if err != nil || n != len(whole) || f.Type != FrameBody || f.Channel != 7 || string(f.Payload) != "hello" {
		t.Fatalf("%+v, %d, %v", f, n, err)
	}
	if cap(f.Payload) != len(f.Payload) {
		t.Error("appending to the payload would overwrite the next frame")
	}
}

// The header alone must be enough: whoever announces 4 GB must not make us wait for them.
func TestParseFrameTooLarge(t *testing.T) {
	for _, c := range []struct {
		size, max uint32
		want      *FrameTooLargeError
	}{
		{size: 4096, max: 4096}, // 8 bytes of slack, as in RabbitMQ
		{size: 4097, max: 4096, want: &FrameTooLargeError{FrameHeader, 3, 4097, 4088}},
		{size: 0xffffffff, max: 131072, want: &FrameTooLargeError{FrameHeader, 3, 0xffffffff, 131064}},
		{size: 0xffffffff, max: 0},
		{size: 5, max: 4, want: &FrameTooLargeError{FrameHeader, 3, 5, 0}},
	} {
		_, n, err := ParseFrame(AppendFrameHeader(nil, FrameHeader, 3, c.size), c.max)
		var tooLarge *FrameTooLargeError
		if errors.As(err, &tooLarge) != (c.want != nil) || n != 0 || c.want != nil && *tooLarge != *c.want {
			t.Errorf("size %d, max %d: %d, %v", c.size, c.max, n, err)
		}
	}
}

func TestParseFrameBadEnd(t *testing.T) {
	b := AppendFrame(nil, FrameMethod, 1, []byte("abc"))
	b[len(b)-1] = 'X'
	_, _, err := ParseFrame(b, 0)
	var bad *FrameEndError
	if !errors.As(err, &bad) || *bad != (FrameEndError{FrameMethod, 1, 3, 'X'}) {
		t.Error(err)
	}
}

func TestHeartbeatFrame(t *testing.T) {
	if b := AppendHeartbeatFrame(nil); !bytes.Equal(b, []byte{8, 0, 0, 0, 0, 0, 0, 206}) {
		t.Error(b)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(AppendHeartbeatFrame(nil), uint32(0))
	f.Add(AppendFrame(nil, FrameBody, 1, []byte("body")), FrameMinSize)
	f.Add(AppendFrameHeader(nil, FrameBody, 1, 1<<31), uint32(0))
	f.Add(AppendBasicAckFrame(nil, 1, 5, true), uint32(12))
	f.Fuzz(func(t *testing.T, b []byte, maxFrame uint32) {
		for len(b) > 0 {
			frame, n, err := ParseFrame(b, maxFrame)
			if err != nil || n == 0 {
				if n != 0 || frame.Payload != nil {
					t.Fatalf("%+v, %d, %v", frame, n, err)
				}
				return
			}
			if maxFrame != 0 && len(frame.Payload) > int(maxFrame) {
				t.Fatalf("payload of %d, max %d", len(frame.Payload), maxFrame)
			}
			if again := AppendFrame(nil, frame.Type, frame.Channel, frame.Payload); !bytes.Equal(again, b[:n]) {
				t.Fatalf("have %x, want %x", again, b[:n])
			}
			b = b[n:]
		}
	})
}

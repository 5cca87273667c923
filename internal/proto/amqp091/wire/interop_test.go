package wire

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// camel is how pika writes our name of a method: Connection.StartOk.
func camel(name string) string {
	var b strings.Builder
	up := true
	for _, r := range name {
		switch {
		case r == '-':
			up = true
			continue
		case up:
			b.WriteString(strings.ToUpper(string(r)))
		default:
			b.WriteRune(r)
		}
		up = r == '.'
	}
	return b.String()
}

// TestFramesOfPika reads frames of an encoder that is not ours and writes them again, byte for byte.
func TestFramesOfPika(t *testing.T) {
	text, err := os.ReadFile("testdata/pika.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[MethodID]bool{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, digits, _ := strings.Cut(strings.TrimSpace(line), " ")
		want, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		f, n, err := ParseFrame(want, FrameMinSize)
		if err != nil || n != len(want) || f.Channel != 3 {
			t.Errorf("%s: %d, %v", name, n, err)
			continue
		}
		var have []byte
		if f.Type == FrameHeader {
			have = againHeader(t, f)
		} else {
			m, err := ParseMethod(f.Payload)
			if err != nil || camel(m.ID().String()) != name {
				t.Errorf("%s: %v, %v", name, m, err)
				continue
			}
			seen[m.ID()] = true
			have = AppendMethodFrame(nil, f.Channel, m)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s:\nhave %x\nwant %x", name, have, want)
		}
	}
	for _, m := range allMethods() {
		switch m.ID() {
		case MethodAccessRequest, MethodAccessRequestOk, MethodConnectionUpdateSecret, MethodConnectionUpdateSecretOk:
			continue // not in that pika
		}
		if !seen[m.ID()] {
			t.Errorf("no %s among the frames", m.ID())
		}
	}
}

func againHeader(t *testing.T, f Frame) []byte {
	h, err := ParseContentHeader(f.Payload)
	if err != nil {
		t.Error(err)
	}
	p, err := ParseProperties(h.Props)
	if err != nil {
		t.Error(err)
	}
	return AppendContentHeaderFrame(nil, f.Channel, h.BodySize, p.Append(nil))
}

package hosts

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Printable shows a command's output as well as can be: UTF-8 as it is, UTF-16
// with its mark decoded, other bytes above 127 as Latin-1. Characters that
// would do something to a terminal are written out, and of what is no text at
// all the beginning is shown in hexadecimal.
func Printable(raw []byte) string {
	s, ok := utf16Text(raw)
	switch {
	case ok:
	case utf8.Valid(raw):
		s = string(raw)
	case binaryData(raw):
		return hexDump(raw)
	default:
		s = latin1(raw)
	}
	if binaryData([]byte(s)) {
		return hexDump(raw)
	}
	return escapeControls(s)
}

func utf16Text(raw []byte) (string, bool) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return "", false
	}
	units := make([]uint16, 0, len(raw)/2)
	for i := 2; i+1 < len(raw); i += 2 {
		units = append(units, order.Uint16(raw[i:]))
	}
	return string(utf16.Decode(units)), true
}

// binaryData: a text has no NUL, and few other control characters.
func binaryData(raw []byte) bool {
	controls := 0
	for _, c := range raw {
		if c == 0 {
			return true
		}
		if c < 0x20 && !strings.ContainsRune("\t\n\r\x1b\b\f", rune(c)) {
			controls++
		}
	}
	return controls*10 > len(raw)
}

func latin1(raw []byte) string {
	var b strings.Builder
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		if r == utf8.RuneError && size == 1 {
			r = rune(raw[0])
		}
		b.WriteRune(r)
		raw = raw[size:]
	}
	return b.String()
}

func escapeControls(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	bad := func(r rune) bool { return r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 }
	if strings.IndexFunc(s, bad) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\r':
			b.WriteByte('\n')
		case bad(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Line is Printable for what has to stay on one line: names, reasons, who did
// something.
func Line(s string) string {
	return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(escapeControls(strings.ToValidUTF8(s, "\ufffd")))
}

const hexShown = 256

func hexDump(raw []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[binary, %d bytes; --raw shows them as they are]\n", len(raw))
	for i := 0; i < min(len(raw), hexShown); i += 16 {
		line := raw[i:min(i+16, len(raw))]
		fmt.Fprintf(&b, "%08x  % x\n", i, line)
	}
	return b.String()
}

package conformance

import (
	"encoding/binary"
)

func frameBytes(typ byte, ch uint16, p []byte) []byte {
	b := make([]byte, 0, len(p)+8)
	b = append(b, typ)
	b = binary.BigEndian.AppendUint16(b, ch)
	b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
	b = append(b, p...)
	return append(b, 0xCE)
}

func methodFrame(ch uint16, name string, a Args) []byte {
	return frameBytes(1, ch, encodeMethod(specs[name], a))
}

func contentFrames(ch uint16, class uint16, props Args, body []byte, frameMax int) []byte {
	h := binary.BigEndian.AppendUint16(nil, class)
	h = append(h, 0, 0)
	h = binary.BigEndian.AppendUint64(h, uint64(len(body)))
	h = append(h, encodeProps(props)...)
	b := frameBytes(2, ch, h)
	max := frameMax - 8
	if frameMax == 0 {
		max = 1 << 30
	}
	for len(body) > 0 {
		n := min(len(body), max)
		b = append(b, frameBytes(3, ch, body[:n])...)
		body = body[n:]
	}
	return b
}

package wire

import "encoding/binary"

// contentHeaderMin is class, weight, body size and one word of property flags.
const contentHeaderMin = 2 + 2 + 8 + 2

// ContentHeader is the payload of a header frame (section 4.2.6.1).
type ContentHeader struct {
	ClassID  ClassID
	Weight   uint16 // must be 0; RabbitMQ takes anything else for an unexpected frame
	BodySize uint64
	Props    []byte // flags and property list as received; points into the payload
}

// ParseContentHeader reads the payload of a header frame. Props are not looked into: call ValidateProperties,
// ValidatePropertiesDeep or PropertiesView.Parse. The error is a *ContentHeaderError.
func ParseContentHeader(payload []byte) (ContentHeader, error) {
	if len(payload) < contentHeaderMin {
		return ContentHeader{}, &ContentHeaderError{Size: len(payload)}
	}
	return ContentHeader{
		ClassID:  ClassID(binary.BigEndian.Uint16(payload)),
		Weight:   binary.BigEndian.Uint16(payload[2:]),
		BodySize: binary.BigEndian.Uint64(payload[4:]),
		Props:    payload[12:],
	}, nil
}

// AppendContentHeader adds the payload of a header frame to dst.
func AppendContentHeader(dst []byte, h ContentHeader) []byte {
	dst = appendShort(dst, uint16(h.ClassID))
	dst = appendShort(dst, h.Weight)
	dst = appendLonglong(dst, h.BodySize)
	if len(h.Props) == 0 {
		return append(dst, 0, 0)
	}
	return append(dst, h.Props...)
}

// AppendContentHeaderFrame adds a whole header frame of class basic. Empty props stand for no properties.
func AppendContentHeaderFrame(dst []byte, ch ChannelID, bodySize uint64, props []byte) []byte {
	at := len(dst)
	dst = extend(dst, headerFrameLen(props))
	putHeaderFrame(dst[at:], ch, bodySize, props)
	return dst
}

func headerFrameLen(props []byte) int {
	return FrameOverhead + contentHeaderMin - 2 + max(len(props), 2)
}

// putHeaderFrame writes headerFrameLen bytes and returns what follows them.
func putHeaderFrame(b []byte, ch ChannelID, bodySize uint64, props []byte) []byte {
	size := headerFrameLen(props) - FrameOverhead
	putFrameHeader(b, FrameHeader, ch, uint32(size))
	binary.BigEndian.PutUint32(b[7:], uint32(ClassBasic)<<16) // weight 0
	binary.BigEndian.PutUint64(b[11:], bodySize)
	if len(props) == 0 {
		b[19], b[20] = 0, 0
	} else {
		copy(b[19:], props)
	}
	b[7+size] = FrameEnd
	return b[FrameOverhead+size:]
}

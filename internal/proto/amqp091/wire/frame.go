package wire

import "encoding/binary"

const (
	// FrameOverhead is what a frame costs beyond its payload: type, channel, size and end octet.
	FrameOverhead = frameHeaderSize + 1

	frameHeaderSize = 7
)

// Frame is one frame. Payload points into the buffer that it was parsed from.
type Frame struct {
	Type    FrameType
	Channel ChannelID
	Payload []byte
}

// ParseFrame reads the frame at the start of b (section 4.2.3). n is its length; 0 without an error means
// that b does not hold all of it yet.
//
// maxFrame is the negotiated frame-max. As in RabbitMQ the payload alone may be that large, which leaves 8
// bytes of slack, and 0 means no limit: hand down FrameMinSize or more until tuning is done, or a stranger
// decides how much is buffered.
func ParseFrame(b []byte, maxFrame uint32) (f Frame, n int, err error) {
	if len(b) < frameHeaderSize {
		return Frame{}, 0, nil
	}
	size := binary.BigEndian.Uint32(b[3:])
	if size > maxFrame && maxFrame != 0 {
		return Frame{}, 0, frameTooLarge(b, maxFrame)
	}
	if uint64(len(b)) < uint64(size)+FrameOverhead {
		return Frame{}, 0, nil
	}
	end := frameHeaderSize + int(size)
	if b[end] != FrameEnd {
		return Frame{}, 0, badFrameEnd(b, b[end])
	}
	f.Type = FrameType(b[0])
	f.Channel = ChannelID(binary.BigEndian.Uint16(b[1:]))
	f.Payload = b[frameHeaderSize:end:end]
	return f, end + 1, nil
}

// FrameLen is the length of the frame at the start of b, end octet included, as soon as its header is there:
// a reader whose buffer is smaller knows what to grow to. It checks nothing; ask ParseFrame first.
func FrameLen(b []byte) (n uint64, ok bool) {
	if len(b) < frameHeaderSize {
		return 0, false
	}
	return uint64(binary.BigEndian.Uint32(b[3:])) + FrameOverhead, true
}

func frameTooLarge(b []byte, maxFrame uint32) error {
	return &FrameTooLargeError{
		Type:    FrameType(b[0]),
		Channel: ChannelID(binary.BigEndian.Uint16(b[1:])),
		Size:    binary.BigEndian.Uint32(b[3:]),
		Max:     max(maxFrame, FrameOverhead) - FrameOverhead,
	}
}

func badFrameEnd(b []byte, end byte) error {
	return &FrameEndError{
		Type:    FrameType(b[0]),
		Channel: ChannelID(binary.BigEndian.Uint16(b[1:])),
		Size:    binary.BigEndian.Uint32(b[3:]),
		End:     end,
	}
}

// AppendFrame adds a frame with any payload to dst.
func AppendFrame(dst []byte, t FrameType, ch ChannelID, payload []byte) []byte {
	dst = AppendFrameHeader(dst, t, ch, uint32(len(payload)))
	dst = append(dst, payload...)
	return append(dst, FrameEnd)
}

// AppendFrameHeader adds what stands before a payload of the given size. The caller adds the payload and
// FrameEnd: so a large body is sent without being copied.
func AppendFrameHeader(dst []byte, t FrameType, ch ChannelID, size uint32) []byte {
	return append(dst, byte(t), byte(ch>>8), byte(ch), byte(size>>24), byte(size>>16), byte(size>>8), byte(size))
}

// AppendHeartbeatFrame adds a heartbeat (section 4.2.7).
func AppendHeartbeatFrame(dst []byte) []byte {
	return append(dst, byte(FrameHeartbeat), 0, 0, 0, 0, 0, 0, FrameEnd)
}

// putFrameHeader is AppendFrameHeader into a slice that is long enough.
func putFrameHeader(b []byte, t FrameType, ch ChannelID, size uint32) {
	_ = b[6]
	b[0] = byte(t)
	binary.BigEndian.PutUint16(b[1:], uint16(ch))
	binary.BigEndian.PutUint32(b[3:], size)
}

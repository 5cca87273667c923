package wire

import "math"

// BodyChunk is how many bytes of a body fit into one frame of a connection with this frame-max; 0 means no
// limit. Nobody may negotiate less than FrameMinSize, so less is taken for that.
func BodyChunk(maxFrame uint32) int {
	if maxFrame == 0 || maxFrame > math.MaxInt32 {
		return math.MaxInt32 - FrameOverhead
	}
	return int(max(maxFrame, FrameMinSize)) - FrameOverhead
}

// AppendBodyFrames adds a body in as few frames as maxFrame allows; an empty body has none (section 4.2.6.2).
func AppendBodyFrames(dst []byte, ch ChannelID, body []byte, maxFrame uint32) []byte {
	at := len(dst)
	dst = extend(dst, bodyFramesLen(len(body), maxFrame))
	putBodyFrames(dst[at:], ch, body, maxFrame)
	return dst
}

func bodyFramesLen(size int, maxFrame uint32) int {
	chunk := BodyChunk(maxFrame)
	if size <= chunk {
		if size == 0 {
			return 0
		}
		return FrameOverhead + size
	}
	return size + (size+chunk-1)/chunk*FrameOverhead
}

func putBodyFrames(b []byte, ch ChannelID, body []byte, maxFrame uint32) {
	chunk := BodyChunk(maxFrame)
	for len(body) > 0 {
		n := min(len(body), chunk)
		putFrameHeader(b, FrameBody, ch, uint32(n))
		copy(b[frameHeaderSize:], body[:n])
		b[frameHeaderSize+n] = FrameEnd
		b, body = b[FrameOverhead+n:], body[n:]
	}
}

// contentLen is the length of the header frame and the body frames.
func contentLen(props []byte, bodySize int, maxFrame uint32) int {
	return headerFrameLen(props) + bodyFramesLen(bodySize, maxFrame)
}

// putContent writes the header frame and the body frames.
func putContent(b []byte, ch ChannelID, props, body []byte, maxFrame uint32) {
	b = putHeaderFrame(b, ch, uint64(len(body)), props)
	putBodyFrames(b, ch, body, maxFrame)
}

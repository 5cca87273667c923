package wire

import "encoding/binary"

// AppendBasicReturnFrames adds a returned message with its content. text is the reply text as it is sent:
// RabbitMQ sends the bare name, NO_ROUTE. See AppendBasicDeliverFrames for props, body and maxFrame.
func AppendBasicReturnFrames[E, K Bytes](dst []byte, ch ChannelID, code ReplyCode, text string, exchange E, routingKey K, props, body []byte, maxFrame uint32) []byte {
	lt, le, lk := shortLen(text), shortLen(exchange), shortLen(routingKey)
	size := 4 + 2 + 1 + lt + 1 + le + 1 + lk
	at := len(dst)
	dst = extend(dst, FrameOverhead+size+contentLen(props, len(body), maxFrame))
	b := dst[at:]
	putMethodHeader(b, ch, MethodBasicReturn, size)
	binary.BigEndian.PutUint16(b[11:], uint16(code))
	b = putShortstr(b[13:], text, lt)
	b = putShortstr(b, exchange, le)
	b = putShortstr(b, routingKey, lk)
	b[0] = FrameEnd
	putContent(b[1:], ch, props, body, maxFrame)
	return dst
}

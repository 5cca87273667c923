package wire

import "encoding/binary"

// AppendBasicGetOkFrames adds the answer to basic.get with its content; messageCount is how many messages
// remain ready in the queue. See AppendBasicDeliverFrames for props, body and maxFrame.
func AppendBasicGetOkFrames[E, K Bytes](dst []byte, ch ChannelID, tag DeliveryTag, redelivered bool, exchange E, routingKey K, messageCount uint32, props, body []byte, maxFrame uint32) []byte {
	size := 4 + 8 + 1 + 1 + shortLen(exchange) + 1 + shortLen(routingKey) + 4
	at := len(dst)
	dst = extend(dst, FrameOverhead+size+contentLen(props, len(body), maxFrame))
	b := dst[at:]
	putMethodHeader(b, ch, MethodBasicGetOk, size)
	b = putDeliverArgs(b[11:], tag, redelivered, exchange, routingKey)
	binary.BigEndian.PutUint32(b, messageCount)
	b[4] = FrameEnd
	putContent(b[5:], ch, props, body, maxFrame)
	return dst
}

package wire

import "encoding/binary"

// AppendBasicDeliverFrames adds a delivery with its content: method, header and body frames. props are the
// flags and the property list as they stand in a content header; empty props stand for no properties. A
// header frame is never split, even beyond maxFrame: the protocol has no way to.
//
// Nothing is prepared per consumer: writing the tag each time measured no slower than copying a ready prefix.
func AppendBasicDeliverFrames[E, K Bytes](dst []byte, ch ChannelID, consumerTag string, tag DeliveryTag, redelivered bool, exchange E, routingKey K, props, body []byte, maxFrame uint32) []byte {
	more := contentLen(props, len(body), maxFrame)
	dst = appendDeliver(dst, ch, consumerTag, tag, redelivered, exchange, routingKey, more)
	putContent(dst[len(dst)-more:], ch, props, body, maxFrame)
	return dst
}

// AppendBasicDeliverHead adds the method and header frame of a delivery whose body of bodySize bytes the
// caller sends by itself, in frames of at most BodyChunk bytes: a large body is then not copied.
func AppendBasicDeliverHead[E, K Bytes](dst []byte, ch ChannelID, consumerTag string, tag DeliveryTag, redelivered bool, exchange E, routingKey K, props []byte, bodySize uint64) []byte {
	more := headerFrameLen(props)
	dst = appendDeliver(dst, ch, consumerTag, tag, redelivered, exchange, routingKey, more)
	putHeaderFrame(dst[len(dst)-more:], ch, bodySize, props)
	return dst
}

// appendDeliver adds the method frame and room for more bytes, which the caller fills.
func appendDeliver[E, K Bytes](dst []byte, ch ChannelID, consumerTag string, tag DeliveryTag, redelivered bool, exchange E, routingKey K, more int) []byte {
	lt := shortLen(consumerTag)
	size := 4 + 1 + lt + 8 + 1 + 1 + shortLen(exchange) + 1 + shortLen(routingKey)
	at := len(dst)
	dst = extend(dst, FrameOverhead+size+more)
	b := dst[at:]
	putMethodHeader(b, ch, MethodBasicDeliver, size)
	b = putShortstr(b[11:], consumerTag, lt)
	b = putDeliverArgs(b, tag, redelivered, exchange, routingKey)
	b[0] = FrameEnd
	return dst
}

// putDeliverArgs writes what basic.deliver and basic.get-ok have in common.
func putDeliverArgs[E, K Bytes](b []byte, tag DeliveryTag, redelivered bool, exchange E, routingKey K) []byte {
	_ = b[8]
	binary.BigEndian.PutUint64(b, uint64(tag))
	b[8] = bit(redelivered, 0)
	b = putShortstr(b[9:], exchange, shortLen(exchange))
	return putShortstr(b, routingKey, shortLen(routingKey))
}

package wire

import "encoding/binary"

// AppendBasicDeliverFrames adds a delivery with its content: method, header and body frames. props are the
// flags and the property list as they stand in a content header; empty props stand for no properties. A
// header frame is never split, even beyond maxFrame: the protocol has no way to.
func AppendBasicDeliverFrames[E, K Bytes](dst []byte, ch ChannelID, consumerTag string, tag DeliveryTag, redelivered bool, exchange E, routingKey K, props, body []byte, maxFrame uint32) []byte {
	lt := shortLen(consumerTag)
	size := deliverSize(lt, shortLen(exchange), shortLen(routingKey))
	at := len(dst)
	dst = extend(dst, FrameOverhead+size+contentLen(props, len(body), maxFrame))
	b := dst[at:]
	putMethodHeader(b, ch, MethodBasicDeliver, size)
	b = putShortstr(b[11:], consumerTag, lt)
	b = putDeliverArgs(b, tag, redelivered, exchange, routingKey)
	b[0] = FrameEnd
	putContent(b[1:], ch, props, body, maxFrame)
	return dst
}

// DeliverPrefix is the part of a delivery that is the same for all deliveries to one consumer.
type DeliverPrefix struct {
	bytes []byte // frame header with the size still open, class and method, consumer tag
	ch    ChannelID
}

// NewDeliverPrefix prepares deliveries to a consumer.
func NewDeliverPrefix(ch ChannelID, consumerTag string) DeliverPrefix {
	b := AppendFrameHeader(make([]byte, 0, 12+shortLen(consumerTag)), FrameMethod, ch, 0)
	b = appendMethodID(b, MethodBasicDeliver)
	return DeliverPrefix{bytes: appendShortstr(b, consumerTag), ch: ch}
}

// AppendDeliverFrames is AppendBasicDeliverFrames for a consumer prepared with NewDeliverPrefix.
func AppendDeliverFrames[E, K Bytes](dst []byte, p *DeliverPrefix, tag DeliveryTag, redelivered bool, exchange E, routingKey K, props, body []byte, maxFrame uint32) []byte {
	dst, rest := appendDeliverMethod(dst, p, tag, redelivered, exchange, routingKey, contentLen(props, len(body), maxFrame))
	putContent(dst[len(dst)-rest:], p.ch, props, body, maxFrame)
	return dst
}

// AppendDeliverHead adds the method and header frame of a delivery whose body of bodySize bytes the caller
// sends by itself, in frames of at most BodyChunk bytes: a large body is then not copied.
func AppendDeliverHead[E, K Bytes](dst []byte, p *DeliverPrefix, tag DeliveryTag, redelivered bool, exchange E, routingKey K, props []byte, bodySize uint64) []byte {
	dst, rest := appendDeliverMethod(dst, p, tag, redelivered, exchange, routingKey, headerFrameLen(props))
	putHeaderFrame(dst[len(dst)-rest:], p.ch, bodySize, props)
	return dst
}

// appendDeliverMethod adds the method frame and room for more bytes, which the caller fills.
func appendDeliverMethod[E, K Bytes](dst []byte, p *DeliverPrefix, tag DeliveryTag, redelivered bool, exchange E, routingKey K, more int) ([]byte, int) {
	size := deliverSize(len(p.bytes)-12, shortLen(exchange), shortLen(routingKey))
	at := len(dst)
	dst = extend(dst, FrameOverhead+size+more)
	b := dst[at:]
	copy(b, p.bytes)
	binary.BigEndian.PutUint32(b[3:], uint32(size))
	b = putDeliverArgs(b[len(p.bytes):], tag, redelivered, exchange, routingKey)
	b[0] = FrameEnd
	return dst, more
}

// deliverSize is the size of basic.deliver's payload for names of these lengths.
func deliverSize(consumerTag, exchange, routingKey int) int {
	return 4 + 1 + consumerTag + 8 + 1 + 1 + exchange + 1 + routingKey
}

// putDeliverArgs writes what basic.deliver and basic.get-ok have in common.
func putDeliverArgs[E, K Bytes](b []byte, tag DeliveryTag, redelivered bool, exchange E, routingKey K) []byte {
	_ = b[8]
	binary.BigEndian.PutUint64(b, uint64(tag))
	b[8] = bit(redelivered, 0)
	b = putShortstr(b[9:], exchange, shortLen(exchange))
	return putShortstr(b, routingKey, shortLen(routingKey))
}

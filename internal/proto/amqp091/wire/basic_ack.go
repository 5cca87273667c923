package wire

import "encoding/binary"

// The acknowledgements are all a delivery tag and an octet of bits; by value they cost no allocation. Each
// parser reads the payload of a method frame that PeekMethod took for its method, as strictly as ParseMethod;
// the error is a *MethodSyntaxError.

// ParseBasicAck reads basic.ack.
func ParseBasicAck(payload []byte) (BasicAck, error) {
	tag, bits, err := parseAck(payload, MethodBasicAck)
	return BasicAck{DeliveryTag: tag, Multiple: bits&1 != 0}, err
}

// ParseBasicNack reads basic.nack.
func ParseBasicNack(payload []byte) (BasicNack, error) {
	tag, bits, err := parseAck(payload, MethodBasicNack)
	return BasicNack{DeliveryTag: tag, Multiple: bits&1 != 0, Requeue: bits&2 != 0}, err
}

// ParseBasicReject reads basic.reject.
func ParseBasicReject(payload []byte) (BasicReject, error) {
	tag, bits, err := parseAck(payload, MethodBasicReject)
	return BasicReject{DeliveryTag: tag, Requeue: bits&1 != 0}, err
}

const ackSize = 4 + 8 + 1

func parseAck(payload []byte, id MethodID) (DeliveryTag, byte, error) {
	if len(payload) != ackSize {
		err := ErrTruncated
		if len(payload) > ackSize {
			err = ErrTrailingBytes
		}
		return 0, 0, &MethodSyntaxError{Method: id, Err: err}
	}
	return DeliveryTag(binary.BigEndian.Uint64(payload[4:])), payload[12], nil
}

// AppendBasicAckFrame adds a basic.ack frame: an acknowledgement, or a publisher confirm.
func AppendBasicAckFrame(dst []byte, ch ChannelID, tag DeliveryTag, multiple bool) []byte {
	return appendAckFrame(dst, ch, MethodBasicAck, tag, bit(multiple, 0))
}

// AppendBasicNackFrame adds a basic.nack frame.
func AppendBasicNackFrame(dst []byte, ch ChannelID, tag DeliveryTag, multiple, requeue bool) []byte {
	return appendAckFrame(dst, ch, MethodBasicNack, tag, bit(multiple, 0)|bit(requeue, 1))
}

// AppendBasicRejectFrame adds a basic.reject frame.
func AppendBasicRejectFrame(dst []byte, ch ChannelID, tag DeliveryTag, requeue bool) []byte {
	return appendAckFrame(dst, ch, MethodBasicReject, tag, bit(requeue, 0))
}

func appendAckFrame(dst []byte, ch ChannelID, id MethodID, tag DeliveryTag, bits byte) []byte {
	at := len(dst)
	dst = extend(dst, FrameOverhead+ackSize)
	b := dst[at : at+FrameOverhead+ackSize]
	putMethodHeader(b, ch, id, ackSize)
	binary.BigEndian.PutUint64(b[11:], uint64(tag))
	b[19], b[20] = bits, FrameEnd
	return dst
}

// putMethodHeader writes a frame header and the method's number: 11 bytes.
func putMethodHeader(b []byte, ch ChannelID, id MethodID, size int) {
	putFrameHeader(b, FrameMethod, ch, uint32(size))
	binary.BigEndian.PutUint32(b[7:], uint32(id))
}

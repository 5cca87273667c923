package wire

// BasicPublishView is basic.publish without copies: the names point into the payload.
type BasicPublishView struct {
	Exchange   []byte
	RoutingKey []byte
	Mandatory  bool
	Immediate  bool
}

// ParseBasicPublish reads the payload of a method frame that PeekMethod took for basic.publish. It is as
// strict as ParseMethod; the error is a *MethodSyntaxError.
func ParseBasicPublish(payload []byte) (BasicPublishView, error) {
	const exchangeAt = 4 + 2 + 1 // class and method, reserved-1, length octet
	var v BasicPublishView
	if len(payload) < exchangeAt {
		return v, publishError(ErrTruncated)
	}
	keyAt := exchangeAt + int(payload[exchangeAt-1]) + 1
	if len(payload) < keyAt {
		return v, publishError(ErrTruncated)
	}
	end := keyAt + int(payload[keyAt-1])
	if len(payload) != end+1 {
		if len(payload) > end+1 {
			return v, publishError(ErrTrailingBytes)
		}
		return v, publishError(ErrTruncated)
	}
	v.Exchange = payload[exchangeAt : keyAt-1 : keyAt-1]
	v.RoutingKey = payload[keyAt:end:end]
	v.Mandatory = payload[end]&1 != 0
	v.Immediate = payload[end]&2 != 0
	return v, nil
}

func publishError(err error) error { return &MethodSyntaxError{Method: MethodBasicPublish, Err: err} }

// AppendBasicPublishFrames adds a publish with its content, as a client (a shovel, a load generator) sends it.
func AppendBasicPublishFrames[E, K Bytes](dst []byte, ch ChannelID, exchange E, routingKey K, mandatory bool, props, body []byte, maxFrame uint32) []byte {
	le, lk := shortLen(exchange), shortLen(routingKey)
	size := 4 + 2 + 1 + le + 1 + lk + 1
	at := len(dst)
	dst = extend(dst, FrameOverhead+size+contentLen(props, len(body), maxFrame))
	b := dst[at:]
	putMethodHeader(b, ch, MethodBasicPublish, size)
	b[11], b[12] = 0, 0
	b = putShortstr(b[13:], exchange, le)
	b = putShortstr(b, routingKey, lk)
	b[0], b[1] = bit(mandatory, 0), FrameEnd
	putContent(b[2:], ch, props, body, maxFrame)
	return dst
}

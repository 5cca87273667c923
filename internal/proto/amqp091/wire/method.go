package wire

import "encoding/binary"

// Method is one method with its arguments. Structs satisfy it by value and by pointer.
type Method interface {
	ID() MethodID
	// Append adds the method frame's payload to dst: class, method, arguments.
	Append(dst []byte) []byte
}

// parsable is the pointer to a method's struct.
type parsable interface {
	Method
	parse(*reader)
}

// PeekMethod reads which method the payload of a method frame holds.
func PeekMethod(payload []byte) (MethodID, bool) {
	if len(payload) < 4 {
		return 0, false
	}
	return MethodID(binary.BigEndian.Uint32(payload)), true
}

// ParseMethod reads the payload of a method frame into a new struct and returns the pointer to it, as in
// *QueueDeclare. The error is an *UnknownMethodError or a *MethodSyntaxError.
//
// Bytes after the last argument are an error, as in RabbitMQ (501 FRAME_ERROR "cannot decode ..."): its
// decoder matches the arguments exactly. Unused bits of an octet are ignored, also as there. Short strings
// must be UTF-8 except in methods with content, where RabbitMQ spares the check for speed.
func ParseMethod(payload []byte) (Method, error) {
	id, ok := PeekMethod(payload)
	if !ok {
		return nil, &MethodSyntaxError{Err: ErrTruncated}
	}
	m := newMethod(id)
	if m == nil {
		return nil, &UnknownMethodError{Method: id}
	}
	r := reader{b: payload[4:], utf8: !id.HasContent()}
	m.parse(&r)
	if err := r.finish(); err != nil {
		return nil, &MethodSyntaxError{Method: id, Err: err}
	}
	return m, nil
}

// AppendMethodFrame adds a method frame to dst.
func AppendMethodFrame(dst []byte, ch ChannelID, m Method) []byte {
	at := len(dst)
	dst = AppendFrameHeader(dst, FrameMethod, ch, 0)
	dst = m.Append(dst)
	binary.BigEndian.PutUint32(dst[at+3:], uint32(len(dst)-at-frameHeaderSize))
	return append(dst, FrameEnd)
}

package wire

import (
	"errors"
	"fmt"
)

// What can be wrong with a value; the errors below wrap these.
var (
	// ErrTruncated: a length points past the end of what was received.
	ErrTruncated = errors.New("value runs past the end")
	// ErrTrailingBytes: something follows the last value.
	ErrTrailingBytes = errors.New("bytes after the last value")
	// ErrTooDeep: tables and arrays are nested deeper than MaxTableDepth.
	ErrTooDeep = fmt.Errorf("tables nested deeper than %d", MaxTableDepth)
	// ErrMalformedUTF8: a short string of a method without content is not UTF-8.
	ErrMalformedUTF8 = errors.New("malformed UTF-8 in shortstr")
	// ErrUnknownProperty: a flag is set that no property belongs to.
	ErrUnknownProperty = errors.New("unknown property flag")
)

// FrameTooLargeError is a frame beyond the negotiated size, noticed from its first seven bytes. RabbitMQ
// closes the connection with 501 FRAME_ERROR and names {frame_too_large,Size,Max}.
type FrameTooLargeError struct {
	Type    FrameType
	Channel ChannelID
	Size    uint32 // of the payload, as announced
	Max     uint32 // of the payload: the negotiated frame-max without the frame's own 8 bytes
}

func (e *FrameTooLargeError) Error() string {
	return fmt.Sprintf("frame too large: payload of %d bytes, limit %d (type %d, channel %d)",
		e.Size, e.Max, e.Type, e.Channel)
}

// FrameEndError is a frame whose last octet is not FrameEnd: the stream is out of step, nothing after it can
// be trusted. RabbitMQ closes with 501 FRAME_ERROR and names {invalid_frame_end_marker,End}.
type FrameEndError struct {
	Type    FrameType
	Channel ChannelID
	Size    uint32
	End     byte
}

func (e *FrameEndError) Error() string {
	return fmt.Sprintf("invalid frame end octet %d (type %d, channel %d, payload of %d bytes)",
		e.End, e.Type, e.Channel, e.Size)
}

// UnknownMethodError is a method frame for a class or method that the protocol does not have.
type UnknownMethodError struct{ Method MethodID }

func (e *UnknownMethodError) Error() string {
	return fmt.Sprintf("unknown method: class %d, method %d", uint16(e.Method.Class()), e.Method.Method())
}

// MethodSyntaxError is a known method whose arguments cannot be read. Method is 0 when even the number is
// missing.
type MethodSyntaxError struct {
	Method MethodID
	Err    error
}

func (e *MethodSyntaxError) Error() string {
	return fmt.Sprintf("cannot decode %s: %v", e.Method, e.Err)
}
func (e *MethodSyntaxError) Unwrap() error { return e.Err }

// ContentHeaderError is a header frame that is too short for its fixed part.
type ContentHeaderError struct{ Size int }

func (e *ContentHeaderError) Error() string {
	return fmt.Sprintf("content header of %d bytes, at least %d needed", e.Size, contentHeaderMin)
}

// PropertiesError is a property list that contradicts its flags, or a headers table that cannot be read.
type PropertiesError struct{ Err error }

func (e *PropertiesError) Error() string { return fmt.Sprintf("malformed properties: %v", e.Err) }
func (e *PropertiesError) Unwrap() error { return e.Err }

// FieldTypeError is a table value of a type that nobody defined.
type FieldTypeError struct{ Code byte }

func (e *FieldTypeError) Error() string { return fmt.Sprintf("unknown field type %q", e.Code) }

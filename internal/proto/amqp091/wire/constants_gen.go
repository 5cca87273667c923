// Code generated from spec/amqp0-9-1.json by internal/proto/amqp091/gen. DO NOT EDIT.

package wire

// Protocol version and registered port.
const (
	VersionMajor    = 0
	VersionMinor    = 9
	VersionRevision = 1
	Port            = 5672
)

// Frame types (specification section 4.2.3).
const (
	FrameMethod    FrameType = 1
	FrameHeader    FrameType = 2
	FrameBody      FrameType = 3
	FrameHeartbeat FrameType = 8
)

const (
	// FrameMinSize is the frame size that every peer must accept, before and after tuning.
	FrameMinSize uint32 = 4096
	// FrameEnd is the octet after every frame's payload.
	FrameEnd byte = 206
)

// Reply codes (specification section 1.8, and RabbitMQ's no-route).
const (
	ReplySuccess       ReplyCode = 200
	ContentTooLarge    ReplyCode = 311
	NoRoute            ReplyCode = 312
	NoConsumers        ReplyCode = 313
	ConnectionForced   ReplyCode = 320
	InvalidPath        ReplyCode = 402
	AccessRefused      ReplyCode = 403
	NotFound           ReplyCode = 404
	ResourceLocked     ReplyCode = 405
	PreconditionFailed ReplyCode = 406
	FrameError         ReplyCode = 501
	SyntaxError        ReplyCode = 502
	CommandInvalid     ReplyCode = 503
	ChannelError       ReplyCode = 504
	UnexpectedFrame    ReplyCode = 505
	ResourceError      ReplyCode = 506
	NotAllowed         ReplyCode = 530
	NotImplemented     ReplyCode = 540
	InternalError      ReplyCode = 541
)

// String is the constant's name as RabbitMQ puts it before an error's text: NOT_FOUND.
func (c ReplyCode) String() string {
	switch c {
	case ReplySuccess:
		return "REPLY_SUCCESS"
	case ContentTooLarge:
		return "CONTENT_TOO_LARGE"
	case NoRoute:
		return "NO_ROUTE"
	case NoConsumers:
		return "NO_CONSUMERS"
	case ConnectionForced:
		return "CONNECTION_FORCED"
	case InvalidPath:
		return "INVALID_PATH"
	case AccessRefused:
		return "ACCESS_REFUSED"
	case NotFound:
		return "NOT_FOUND"
	case ResourceLocked:
		return "RESOURCE_LOCKED"
	case PreconditionFailed:
		return "PRECONDITION_FAILED"
	case FrameError:
		return "FRAME_ERROR"
	case SyntaxError:
		return "SYNTAX_ERROR"
	case CommandInvalid:
		return "COMMAND_INVALID"
	case ChannelError:
		return "CHANNEL_ERROR"
	case UnexpectedFrame:
		return "UNEXPECTED_FRAME"
	case ResourceError:
		return "RESOURCE_ERROR"
	case NotAllowed:
		return "NOT_ALLOWED"
	case NotImplemented:
		return "NOT_IMPLEMENTED"
	case InternalError:
		return "INTERNAL_ERROR"
	}
	return unknownReplyName(c)
}

// Hard says whether the specification lets this error close the connection.
func (c ReplyCode) Hard() bool {
	switch c {
	case ConnectionForced,
		InvalidPath,
		FrameError,
		SyntaxError,
		CommandInvalid,
		ChannelError,
		UnexpectedFrame,
		ResourceError,
		NotAllowed,
		NotImplemented,
		InternalError:
		return true
	}
	return false
}

// Soft says whether the specification lets this error close only the channel.
func (c ReplyCode) Soft() bool {
	switch c {
	case ContentTooLarge,
		NoRoute,
		NoConsumers,
		AccessRefused,
		NotFound,
		ResourceLocked,
		PreconditionFailed:
		return true
	}
	return false
}

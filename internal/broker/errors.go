package broker

import "fmt"

// Kind says what went wrong in the core's terms; each protocol maps it to its
// own codes (AMQP 0-9-1: reply codes of section 1.1 of the specification).
type Kind uint8

const (
	InternalError      Kind = iota // 541
	NotFound                       // 404
	PreconditionFailed             // 406
	AccessRefused                  // 403
	ResourceLocked                 // 405
	NotAllowed                     // 530
	NotImplemented                 // 540
	CommandInvalid                 // 503
	NoConsumers                    // 313
	ContentTooLarge                // 311
	ResourceError                  // 506
	ConnectionForced               // 320
	Malformed                      // 502
)

// Error is a refusal with RabbitMQ's text, without the code's name in front.
type Error struct {
	Kind Kind
	Text string
}

func (e *Error) Error() string { return e.Text }

func errf(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Text: fmt.Sprintf(format, args...)}
}

func noQueue(name, vhost string) *Error {
	return errf(NotFound, "no queue '%s' in vhost '%s'", name, vhost)
}

func noExchange(name, vhost string) *Error {
	return errf(NotFound, "no exchange '%s' in vhost '%s'", name, vhost)
}

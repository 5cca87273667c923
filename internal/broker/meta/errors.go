package meta

import "fmt"

// Kind says what is wrong with a command.
type Kind uint8

const (
	InternalError      Kind = iota // 541 in AMQP 0-9-1
	NotFound                       // 404
	PreconditionFailed             // 406
	AccessRefused                  // 403
	ResourceLocked                 // 405
	NotAllowed                     // 530
	NotImplemented                 // 540
	CommandInvalid                 // 503
	Invalid                        // a management command with bad values (HTTP 400)
)

// Error is a refused command. Text is RabbitMQ's, without "NOT_FOUND - " before it.
type Error struct {
	Kind Kind
	Text string
}

func (e *Error) Error() string { return e.Text }

func errf(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Text: fmt.Sprintf(format, args...)}
}

func noQueue(vhost, name string) *Error {
	return errf(NotFound, "no queue '%s' in vhost '%s'", name, vhost)
}

func noExchange(vhost, name string) *Error {
	return errf(NotFound, "no exchange '%s' in vhost '%s'", name, vhost)
}

func noVHost(name string) *Error {
	return errf(NotFound, "virtual host '%s' does not exist", name)
}

func noUser(name string) *Error {
	return errf(NotFound, "user '%s' does not exist", name)
}

package api

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
)

// Error is an answer that is not a success. Code and Reason are the members of
// its body.
type Error struct {
	Status int
	Code   string
	Reason any // a text, or a list as RabbitMQ makes of its tuples
}

func (e *Error) Error() string { return fmt.Sprintf("%d %s: %v", e.Status, e.Code, e.Reason) }

// NotFound is the answer to a GET or DELETE of something that is not there.
func NotFound() *Error {
	return &Error{http.StatusNotFound, "Object Not Found", "Not Found"}
}

// noSuch is the answer to a request that refers to something that is not there.
func noSuch(reason string) *Error { return &Error{http.StatusNotFound, "not_found", reason} }

// BadRequest is the answer to a request that makes no sense.
func BadRequest(reason any) *Error { return &Error{http.StatusBadRequest, "bad_request", reason} }

func badRequestf(format string, args ...any) *Error {
	return BadRequest(fmt.Sprintf(format, args...))
}

// notAuthorised is for somebody who is known but may not: 401, not 403.
func notAuthorised(reason string) *Error {
	return &Error{http.StatusUnauthorized, "not_authorised", reason}
}

func accessRefused() *Error { return notAuthorised("Access refused.") }

func unavailable(reason any) *Error {
	return &Error{http.StatusServiceUnavailable, "service_unavailable", reason}
}

// coreFailure is the answer to a definition that the core refused.
func coreFailure(err error) error {
	var e *broker.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case broker.NotFound:
		return noSuch(e.Text)
	case broker.AccessRefused, broker.NotAllowed:
		return accessRefused()
	case broker.InternalError:
		return err
	}
	return BadRequest(e.Text)
}

// adminFailure is the answer to a change of users, virtual hosts, policies and
// parameters that the core refused.
func adminFailure(err error) error {
	var e *broker.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case broker.NotFound:
		return NotFound()
	case broker.InternalError:
		return err
	}
	return BadRequest(escape(e.Text))
}

// escape takes the teeth out of texts that quote what somebody sent; RabbitMQ's
// validation errors look like that.
func escape(s string) string {
	if !strings.HasPrefix(s, "Validation failed") {
		return s
	}
	return strings.NewReplacer("&#34;", `"`, "&#39;", "'").Replace(html.EscapeString(s))
}

var replyCodes = map[broker.Kind]string{
	broker.NotFound:           "404 NOT_FOUND",
	broker.PreconditionFailed: "406 PRECONDITION_FAILED",
	broker.AccessRefused:      "403 ACCESS_REFUSED",
	broker.ResourceLocked:     "405 RESOURCE_LOCKED",
	broker.NotAllowed:         "530 NOT_ALLOWED",
	broker.NotImplemented:     "540 NOT_IMPLEMENTED",
	broker.CommandInvalid:     "503 COMMAND_INVALID",
	broker.ContentTooLarge:    "311 CONTENT_TOO_LARGE",
	broker.ResourceError:      "506 RESOURCE_ERROR",
	broker.ConnectionForced:   "320 CONNECTION_FORCED",
	broker.Malformed:          "502 SYNTAX_ERROR",
	broker.InternalError:      "541 INTERNAL_ERROR",
}

// channelFailure is the answer to what was done on a channel on the user's
// behalf: the reason is that with which the channel was closed.
func channelFailure(err error) error {
	var e *broker.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Kind == broker.NotImplemented { // which closes the connection: there the reason is the text alone
		return badRequestf("540 %s", e.Text)
	}
	code, word, _ := strings.Cut(replyCodes[e.Kind], " ")
	return badRequestf("%s %s - %s", code, word, e.Text)
}

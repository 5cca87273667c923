package ctl

import (
	"fmt"
	"strings"
)

// Exit codes, those of sysexits.h as RabbitMQ's tools use them.
const (
	exitOK          = 0
	exitUsage       = 64
	exitData        = 65
	exitNoUser      = 67
	exitUnavailable = 69
	exitSoftware    = 70
	exitTempFail    = 75
)

// exitError ends a command: its text goes to stderr as it is.
type exitError struct {
	code  int
	text  string
	cause error // nil: the text says it all
}

func (e *exitError) Error() string { return e.text }
func (e *exitError) Unwrap() error { return e.cause }

// blank is how many empty lines follow: validation errors of the node end with one.
func (e *exitError) blank() int {
	if strings.Contains(e.text, "Validation failed\n") {
		return 1
	}
	return 0
}

// failed is an error of the operation.
func failed(code int, text string) *exitError { return &exitError{code: code, text: "Error:\n" + text} }

func failedf(code int, format string, args ...any) *exitError {
	return failed(code, fmt.Sprintf(format, args...))
}

// plain is an error without the word.
func plain(code int, format string, args ...any) *exitError {
	return &exitError{code: code, text: fmt.Sprintf(format, args...)}
}

// wrong is an error of the arguments; the usage follows.
func (c *call) wrong(code int, text string) *exitError {
	return &exitError{code: code, text: "Error (argument validation): " + text + c.given()}
}

// unfit is an error of the circumstances.
func (c *call) unfit(text string) *exitError {
	return &exitError{code: exitUsage, text: "Error: " + text + c.given()}
}

func (c *call) badArgument(text string) *exitError {
	if text != "" {
		text = ": " + text
	} else {
		text = "."
	}
	return c.wrong(exitData, "Bad argument"+text)
}

func (c *call) given() string {
	return "\nArguments given:\n\t" + strings.Join(c.raw, " ") + "\n\n" + bold("Usage") + "\n\n" + c.usageLine(c.cmd)
}

func noVHost(v string) *exitError { return plain(exitData, "Virtual host '%s' does not exist", v) }
func noVHost2(v string) *exitError {
	return failedf(exitUnavailable, "Virtual host %s does not exist", v)
}
func noUser(u string) *exitError  { return failedf(exitNoUser, "User %q does not exist", u) }
func noUser2(u string) *exitError { return failedf(exitUnavailable, "{:no_such_user, %q}", u) }
func noUser3(u string) *exitError { return failedf(exitNoUser, "User %s does not exist", u) }
func noParam() *exitError         { return failed(exitUnavailable, "Parameter does not exist") }
func badJSON() *exitError         { return failed(exitUnavailable, "JSON decoding error. Reason: badarg") }

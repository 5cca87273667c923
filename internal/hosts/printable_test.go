package hosts

import (
	"context"
	"io"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

func TestPrintable(t *testing.T) {
	for _, c := range [][2]string{
		{"plain\n\ttext\n", "plain\n\ttext\n"},
		{"ä € 日本\n", "ä € 日本\n"},
		{"caf\xe9 gr\xfc\xdfe\n", "café grüße\n"},
		{"\xff\xfea\x00\xe4\x00\n\x00", "aä\n"},
		{"\xfe\xff\x00a\x20\xac", "a€"},
		{"a\r\nb\rc\n", "a\nb\nc\n"},
		{"\x1b[31mred\x1b]0;title\a bell bell bell\n", `\x1b[31mred\x1b]0;title\x07 bell bell bell` + "\n"},
		{"\u009b31m csi", `\x9b31m csi`},
		{"", ""},
		{"\x00\x01", "[binary, 2 bytes; --raw shows them as they are]\n00000000  00 01\n"},
	} {
		if got := Printable([]byte(c[0])); got != c[1] {
			t.Errorf("%q: %q, want %q", c[0], got, c[1])
		}
	}
}

func TestNearest(t *testing.T) {
	list := []Host{}
	for _, name := range []string{"web1", "web2", "web10", "database"} {
		h := Host{}
		h.Name = name
		list = append(list, h)
	}
	for name, want := range map[string]string{"wbe1": "; nearest: web1, web2, web10", "WEB2": "; nearest: web2, web1, web10", "databse": "; nearest: database", "mail": ""} {
		if got := hint(name, list); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if natural("web2", "web10") >= 0 || natural("a", "b") >= 0 || natural("a1", "a1") != 0 {
		t.Error("order of names")
	}
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"web1": "web1", "grün": "grün", "": "",
		"a\nb\tc":            `a\nb\tc`,
		"\x1b]0;x\x07":       `\x1b]0;x\x07`,
		"\u009b31m\xff\x00x": "\\x9b31m\ufffd\\x00x",
	} {
		if got := Line(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// Another connection helps when one was lost, and only then.
func TestRetriable(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{io.EOF, true}, {amqp.ErrClosed, true}, {&amqp.Error{Code: amqp.ConnectionForced}, true},
		{errTooLate, false}, {refusef("no"), false}, {context.Canceled, false}, {&amqp.Error{Code: amqp.AccessRefused}, false},
	} {
		if got := retriable(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

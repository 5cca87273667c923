package meta

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
)

var codes = map[Kind]int{NotFound: 404, PreconditionFailed: 406, AccessRefused: 403, ResourceLocked: 405,
	NotAllowed: 530, NotImplemented: 540, CommandInvalid: 503, InternalError: 541, Invalid: 400}

// answer is what a client would see of an error: code and text.
func answer(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return "ok"
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("a %T: %v", err, err)
	}
	return strconv.Itoa(codes[e.Kind]) + " " + e.Text
}

func newState(t testing.TB, o Options) *State {
	t.Helper()
	s := NewWith(o)
	must(t, s, &PutVHost{Name: "/"})
	return s
}

func must(t testing.TB, s *State, c Command) Result {
	t.Helper()
	r, err := s.Apply(c)
	if err != nil {
		t.Fatalf("%T %+v: %v", c, c, err)
	}
	return r
}

// TestDeclareRecorded declares queues with arguments of all types and values,
// and compares with what RabbitMQ said.
func TestDeclareRecorded(t *testing.T) {
	raw, err := os.ReadFile("testdata/declare.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(raw), "\n== ")[1:] {
		name, rest, _ := strings.Cut(part, "\n")
		t.Run(name, func(t *testing.T) {
			s := newState(t, Options{})
			lines := strings.Split(strings.TrimSuffix(rest, "\n"), "\n")
			for i := 0; i+1 < len(lines); i += 2 {
				cmd, want := lines[i], strings.TrimPrefix(lines[i+1], "  ")
				_, err := s.Apply(declaration(t, cmd, uint64(i+1)))
				got := answer(t, err)
				if want == "541" { // RabbitMQ crashes; we say what is wrong
					if !strings.HasPrefix(got, "406 invalid arg ") {
						t.Errorf("%s\n got %s\nwant an invalid argument", cmd, got)
					}
					continue
				}
				if got != want {
					t.Errorf("%s\n got %s\nwant %s", cmd, got, want)
				}
			}
		})
	}
}

func declaration(t testing.TB, line string, id uint64) *DeclareQueue {
	c := &DeclareQueue{VHost: "/", ID: id, Owner: "conn"}
	for i, w := range strings.Fields(line)[1:] {
		args, isArgs := strings.CutPrefix(w, "args=")
		switch {
		case i == 0 && w == "-":
			c.Name, c.Generated = "amq.gen-x", true
		case i == 0:
			c.Name = w
		case w == "durable":
			c.Durable = true
		case w == "exclusive":
			c.Exclusive = true
		case w == "auto-delete":
			c.AutoDelete = true
		case isArgs:
			c.Args = table(t, args)
		default:
			t.Fatalf("what is %q in %q", w, line)
		}
	}
	return c
}

package meta

import (
	"fmt"
	"slices"
	"testing"
)

// A copy has everything, also what no snapshot holds, and lives its own life.
func TestClone(t *testing.T) {
	s := New()
	must := func(c Command) {
		t.Helper()
		if _, err := s.Apply(c); err != nil {
			t.Fatalf("%T: %v", c, err)
		}
	}
	for _, c := range Bootstrap(&PutUser{Name: "guest", PasswordHash: "hash", Algorithm: "rabbit_password_hashing_sha256", Tags: []string{"administrator"}},
		&SetPermissions{User: "guest", VHost: "/", Configure: ".*", Write: ".*", Read: ".*"}) {
		must(c)
	}
	must(&SetPolicy{VHost: "/", Name: "p", Pattern: "^t", ApplyTo: "all", Definition: []byte(`{"max-length":5}`)})
	must(&DeclareExchange{VHost: "/", Name: "fleeting", Type: "topic", AutoDelete: true})
	must(&DeclareQueue{VHost: "/", Name: "kept", Durable: true, ID: 1})
	must(&DeclareQueue{VHost: "/", Name: "mine", Exclusive: true, Owner: "c1", ID: 2})
	must(&DeclareQueue{VHost: "/", Name: "amq.gen-x", Generated: true, AutoDelete: true, ID: 3})
	must(&Bind{VHost: "/", Source: "fleeting", Dest: "mine", Key: "a.#", Conn: "c1"})
	must(&Bind{VHost: "/", Source: "amq.topic", DestKind: ToExchange, Dest: "fleeting", Key: "b"})

	all := func(s *State) (out []string) {
		s.commands(true, func(c Command) { out = append(out, fmt.Sprintf("%T%+v", c, c)) })
		return out
	}
	before := all(s)
	c := s.Clone()
	if got := all(c); !slices.Equal(got, before) {
		t.Fatalf("the copy differs:\n%v\n%v", got, before)
	}
	if _, err := c.Apply(&DeleteVHost{Name: "/"}); err != nil {
		t.Fatal(err)
	}
	if got := all(s); !slices.Equal(got, before) {
		t.Error("a command on the copy changed the original")
	}
	if len(s.QueuesOwnedBy("c1")) != 1 {
		t.Error("the exclusive queue lost its owner")
	}
}

package topology

import (
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts/record"
)

// An agent that the broker keeps to its own keys tells of itself only.
func TestReadEvent(t *testing.T) {
	for _, c := range []struct {
		e   record.Event
		key string
		ok  bool
	}{
		{record.Event{Kind: record.Running, Task: 5, Host: "web1"}, "task.5.web1", true},
		{record.Event{Kind: record.Running, Task: 5, Host: "web1.example"}, "task.5.web1.example", true},
		{record.Event{Kind: record.Running, Task: 5, Host: "web2"}, "task.5.web1", false},
		{record.Event{Kind: record.Running, Task: 6, Host: "web1"}, "task.5.web1", false},
		{record.Event{Kind: record.Running, Task: 5}, "task.5.", false},
		{record.Event{Kind: record.Running, Task: 5}, "task.5", false},
		{record.Event{Kind: record.Output, Task: 5, Host: "web1"}, "task.5.web1", true},
		{record.Event{Kind: record.Close, Task: 5}, "task.5", true},
		{record.Event{Kind: record.Close, Task: 5}, "task.5.web1", false},
		{record.Event{Kind: record.Close, Task: 5, Host: "web1"}, "task.5.web1", false},
		{record.Event{Kind: record.Silent, Task: 5, Hosts: []string{"web2"}}, "task.5.web1", false},
		{record.Event{Kind: record.Cancelling, Task: 5, Host: "web1"}, "task.5.web1", false},
		{record.Event{Kind: record.Created, Task: 5, Spec: &record.Task{ID: 5}}, "task.5", true},
		{record.Event{Kind: record.Created, Task: 5, Spec: &record.Task{ID: 5}}, "task.5.web1", false},
		{record.Event{Kind: record.Created, Task: 5, Spec: &record.Task{ID: 6}}, "task.5", false},
	} {
		msg, err := EventMessage(&c.e)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ReadEvent(amqp.Delivery{Type: msg.Type, Headers: msg.Headers, Body: msg.Body, RoutingKey: c.key})
		if (err == nil) != c.ok {
			t.Errorf("%s of %q under %s: %v", c.e.Kind, c.e.Host, c.key, err)
		}
	}
}

package browser

import (
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A stream is declared, looked into and read; what would take messages out is not offered.
func TestStream(t *testing.T) {
	b := broker(t)
	_, ch := connect(t, b, "reader")
	p := open(t, b).often().login()

	p.visit("#/queues")
	p.press("Add a queue")
	p.fill("name", "events")
	p.choose("type", "stream")
	p.until("the arguments", "[...document.querySelectorAll('dialog[open] details')].forEach((d) => { d.open = true }) || true")
	p.fill("x-max-age", "7D")
	p.pressIn("dialog[open] .dialog-foot", "Add a queue")
	p.dialog("")
	p.within("tr", "events")

	for _, body := range []string{"first", "second"} {
		publish(t, ch, "events", amqp.Publishing{Body: []byte(body)})
	}
	p.visit("#/queues/%2F/events")
	p.sees("x-max-age", "7D", "Nobody reads the stream.", "Segments", "Committed offset")

	if err := ch.Qos(10, 0, false); err != nil {
		t.Fatal(err)
	}
	read, err := ch.Consume("events", "tag-1", false, false, false, false, amqp.Table{"x-stream-offset": "first"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		m := <-read
		if err := m.Ack(false); err != nil {
			t.Fatal(err)
		}
	}
	p.sees("tag-1", "Messages are being delivered")

	p.visit("#/queues/%2F/events/messages")
	p.sees("first", "second", "Copy all")
	for _, text := range []string{"Move all", "Delete all", "Purge"} {
		if evaluate[bool](p, "document.body.innerText.includes('"+text+"')") {
			t.Errorf("a stream offers %q", text)
		}
	}
	p.press("Get")
	p.sees("Messages cannot be got from a stream.")
}

package browser

import (
	"context"
	"fmt"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Declare, bind, publish, get: each with the forms.
func TestDeclareBindPublishGet(t *testing.T) {
	b := broker(t)
	_, ch := connect(t, b, "test")
	p := open(t, b).login()

	p.visit("#/queues")
	p.press("Add a queue")
	p.dialog("Add a queue")
	p.fill("name", "letters")
	p.within("dialog[open]", "Length")
	p.until("the arguments", "(document.querySelector('dialog[open] details').open = true)")
	p.within("dialog[open]", "How many messages may wait.") // every argument is explained
	p.fill("x-max-length", "7")
	p.pressIn("dialog[open] .dialog-foot", "Add a queue")
	p.dialog("")
	p.within("tr", "letters")
	p.within("tr", "Lim")

	p.visit("#/exchanges")
	p.press("Add an exchange")
	p.fill("name", "post")
	p.choose("type", "topic")
	p.within("dialog[open]", "* for one word")
	p.pressIn("dialog[open] .dialog-foot", "Add an exchange")
	p.dialog("")
	p.press("post")
	p.sees("No bindings.")

	p.press("Bind")
	p.dialog("Bind to post")
	p.fill("other", "letters")
	p.fill("key", "a.*")
	p.pressIn("dialog[open] .dialog-foot", "Bind")
	p.dialog("")
	p.within("table", "a.*")

	p.press("Publish a message")
	p.fill("routing_key", "a.b")
	p.fill("payload", `{"greeting": "grüß dich"}`)
	p.press("Add a header")
	p.do("a header", typeInto("dialog[open] .row input[placeholder=Name]", "tenant"), typeInto("dialog[open] .row input[placeholder=Value]", "acme"))
	p.pressIn("dialog[open] .dialog-foot", "Publish a message")
	p.dialog("")
	p.sees("Published.")
	if n := count(t, ch, "letters"); n != 1 {
		t.Fatalf("%d messages, want 1", n)
	}

	// One that nothing routes is said to be so.
	p.press("Publish a message")
	p.fill("routing_key", "nowhere")
	p.pressIn("dialog[open] .dialog-foot", "Publish a message")
	p.dialog("")
	p.sees("no queue got it")

	p.visit("#/queues/%2F/letters/messages?mode=get")
	p.press("Get messages")
	p.until("the message", "document.querySelector('[data-got] pre')?.innerText.includes('grüß dich')")
	p.within("[data-got]", "tenant")
	p.within("[data-got]", "acme")

	// Deleting says what will be lost, and does it.
	p.press("Delete")
	p.dialog("Delete the queue")
	p.within("dialog[open]", "1 messages")
	p.pressIn("dialog[open] .dialog-foot", "Delete")
	p.until("the list", "location.hash === '#/queues'")
	p.sees("No queues yet.")
}

func TestRefusedInWords(t *testing.T) {
	b := broker(t)
	p := open(t, b).login()
	p.expect("status of 400")
	p.visit("#/queues")
	for range 2 {
		p.press("Add a queue")
		p.fill("name", "q")
		if evaluate[bool](p, "[...document.querySelectorAll('tbody tr')].some((e) => e.innerText.includes('q'))") {
			p.click("dialog[open] input[name=durable]")
		}
		p.pressIn("dialog[open] .dialog-foot", "Add a queue")
		p.until("an answer", "!document.querySelector('dialog[open]') || document.querySelector('dialog[open] .notice')")
		p.until("the list", "[...document.querySelectorAll('tbody tr')].some((e) => e.innerText.includes('q'))")
	}
	p.within("dialog[open] .notice", "It exists already, with other properties.")
	p.within("dialog[open] .notice", "inequivalent arg 'durable'")
	p.within("dialog[open] .notice", "choose another name")
	p.press("Cancel")
	p.dialog("")
}

func TestBrowseAndSearch(t *testing.T) {
	b := broker(t)
	_, ch := connect(t, b, "test")
	declare(t, ch, "orders", nil)
	for i := range 200 {
		tenant := "acme"
		if i%10 == 3 {
			tenant = "zenith"
		}
		publish(t, ch, "orders", amqp.Publishing{
			DeliveryMode: amqp.Persistent, ContentType: "application/json", MessageId: fmt.Sprintf("m%d", i),
			Headers: amqp.Table{"tenant": tenant}, Body: fmt.Appendf(nil, `{"order": %d, "customer": "customer-%d"}`, i, i%7),
		})
	}
	settled(t, ch, "orders")
	p := open(t, b).login()

	p.visit("#/queues/%2F/orders/messages")
	p.until("the first page", "document.querySelectorAll('tr[data-seq]').length === 50")
	p.within("tbody", `"order": 0,`)
	p.press("Next page")
	p.within("tbody", `"order": 50,`)

	// Text in bodies.
	p.fill("q", "customer-5")
	p.press("Search")
	p.until("what matches", "[...document.querySelectorAll('tr[data-seq]')].length > 20 && [...document.querySelectorAll('tr[data-seq]')].every((e) => e.innerText.includes('customer-5'))")

	// And by header, from a link that can be sent to others.
	p.visit("#/queues/%2F/orders/messages?header=tenant%3Dzenith")
	p.until("what matches", "document.querySelectorAll('tr[data-seq]').length === 20")

	p.click("tr[data-seq] button")
	p.until("the body as JSON", `document.querySelector('.message pre')?.innerText.includes('"order": 3')`)
	p.within(".message", "zenith")
	p.within(".message", "m3")
	p.press("Hex")
	p.until("the body in hex", "document.querySelector('.message pre').innerText.startsWith('00000000  7b 22')")

	// Nothing about the queue has changed.
	m, ok, err := ch.Get("orders", true)
	if err != nil || !ok || m.Redelivered || string(m.Body[:11]) != `{"order": 0` {
		t.Errorf("after browsing the head is %q, redelivered %v (%v, %v)", m.Body, m.Redelivered, ok, err)
	}
}

// A dead letter is moved back to where it died, others elsewhere.
func TestReturnAndMove(t *testing.T) {
	b := broker(t)
	_, ch := connect(t, b, "test")
	declare(t, ch, "dead", nil)
	declare(t, ch, "elsewhere", nil)
	declare(t, ch, "work", amqp.Table{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})
	for i := range 3 {
		publish(t, ch, "work", amqp.Publishing{DeliveryMode: amqp.Persistent, Body: fmt.Appendf(nil, "job %d", i)})
	}
	settled(t, ch, "work")
	for range 3 {
		m, ok, err := ch.Get("work", false)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if err := m.Reject(false); err != nil {
			t.Fatal(err)
		}
	}
	settled(t, ch, "dead")
	p := open(t, b).login()

	p.visit("#/queues/%2F/dead/messages")
	p.until("the dead letters", "document.querySelectorAll('tr[data-seq]').length === 3")
	p.within("tr[data-seq]", "rejected")
	p.click("tr[data-seq]:nth-of-type(1) input[type=checkbox]")
	p.press("Return to where it died")
	p.dialog("Return to where it died")
	p.pressIn("dialog[open] .dialog-foot", "Return to where it died")
	p.dialog("")
	p.until("two left", "document.querySelectorAll('tr[data-seq]').length === 2")
	m, ok, err := ch.Get("work", true)
	if err != nil || !ok || string(m.Body) != "job 0" {
		t.Errorf("back is %q (%v, %v)", m.Body, ok, err)
	}

	p.press("Move all")
	p.dialog("Move")
	p.fill("queue", "elsewhere")
	p.pressIn("dialog[open] .dialog-foot", "Move")
	p.dialog("")
	p.sees("2 of 2 done.", "The queue has no waiting messages.")
	if n := count(t, ch, "elsewhere"); n != 2 {
		t.Errorf("%d moved, want 2", n)
	}

	// Edit and republish.
	p.visit("#/queues/%2F/elsewhere/messages")
	p.click("tr[data-seq] button")
	p.press("Edit and republish")
	p.fill("payload", "job 1, corrected")
	p.pressIn("dialog[open] .dialog-foot", "Republish")
	p.dialog("")
	p.within("tbody", "job 1, corrected")
	p.until("as many as before", "document.querySelectorAll('tr[data-seq]').length === 2")
}

func TestPurge(t *testing.T) {
	b := broker(t)
	_, ch := connect(t, b, "test")
	declare(t, ch, "full", nil)
	for range 5 {
		publish(t, ch, "full", amqp.Publishing{})
	}
	settled(t, ch, "full")
	p := open(t, b).often().login()
	p.visit("#/queues/%2F/full")
	p.until("the length", "document.querySelector('[data-tile=ready]')?.innerText === '5'")
	p.press("Purge")
	p.dialog("Purge")
	p.within("dialog[open]", "The 5 waiting messages")
	p.pressIn("dialog[open] .dialog-foot", "Purge")
	p.dialog("")
	p.until("the length", "document.querySelector('[data-tile=ready]').innerText === '0'")
	if n := count(t, ch, "full"); n != 0 {
		t.Errorf("%d messages left", n)
	}
}

// What is in names and messages stays text.
func TestNothingIsMarkup(t *testing.T) {
	b := broker(t)
	_, ch := connect(t, b, "<b>bold</b>")
	const evil = `<img src=x onerror="window.broken=1"><script>window.broken=1</script>`
	declare(t, ch, evil, amqp.Table{"x-note": evil})
	// What the page makes its elements of inside, in a header that it shows in parts.
	element := amqp.Table{"tag": "img", "cls": "", "props": amqp.Table{"src": "x"}, "kids": []any{}}
	deaths := []any{int32(5), amqp.Table{"queue": element, "exchange": element, "reason": element, "count": element, "time": element, "routing-keys": element}}
	publish(t, ch, evil, amqp.Publishing{Headers: amqp.Table{evil: evil, "x-death": deaths}, Type: evil, Body: []byte(evil)})
	settled(t, ch, evil)
	if _, err := ch.ConsumeWithContext(context.Background(), evil, evil, false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	p := open(t, b).login()
	p.visit("#/queues")
	p.within("tbody", evil)
	p.press(evil)
	p.within("h1", evil)
	p.within("code", evil)
	p.click(".tabs a[href$=messages]")
	p.until("the message", "document.querySelector('tr[data-seq] button')")
	p.click("tr[data-seq] button")
	p.within(".message", evil)
	p.within(".deaths", `"tag":"img"`)
	p.visit("#/connections")
	p.within("tbody", "<b>bold</b>")
	if evaluate[bool](p, "'broken' in window || !!document.querySelector('main img, main b, main script')") {
		t.Error("a name became markup")
	}
}

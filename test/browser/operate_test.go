package browser

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The chart of rates moves when there is load, and the lengths with it.
func TestChartMoves(t *testing.T) {
	b := broker(t)
	_, ch := connect(t, b, "load")
	declare(t, ch, "q", nil)
	p := open(t, b).often().login()
	p.until("a chart", "document.querySelector('[data-series=publish]')?.innerText === '0/s'")
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if err := ch.PublishWithContext(ctx, "", "q", false, false, amqp.Publishing{Body: make([]byte, 100)}); err != nil && ctx.Err() == nil {
				done <- err
				return
			}
			if _, err := ch.QueueDeclarePassive("q", true, false, false, false, nil); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	p.until("a rate", "/^[1-9]/.test(document.querySelector('[data-series=publish]').innerText)")
	p.until("a line that rises", `(() => {
		const line = document.querySelector('figure[aria-label="Messages per second"] path.line.c1');
		const ys = [...(line?.getAttribute('d') || '').matchAll(/[ML][\d.]+ ([\d.]+)/g)].map((m) => Number(m[1]));
		return ys.length > 1 && Math.max(...ys) - Math.min(...ys) > 20;
	})()`)
	p.until("a queue that grows", "/^[1-9]/.test(document.querySelector('[data-tile=ready]').innerText)")
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPolicy(t *testing.T) {
	b := broker(t)
	_, ch := connect(t, b, "test")
	declare(t, ch, "orders.new", nil)
	for range 10 {
		publish(t, ch, "orders.new", amqp.Publishing{})
	}
	settled(t, ch, "orders.new")
	p := open(t, b).often().login()

	p.visit("#/admin/policies")
	p.press("Add a policy")
	p.fill("name", "short")
	p.fill("pattern", `^orders\.`)
	p.choose("apply", "queues")
	p.until("the keys", "(document.querySelector('dialog[open] details').open = true)")
	p.fill("max-length", "8")
	p.press("Save")
	p.dialog("")
	p.within("tr", "short")
	if n := count(t, ch, "orders.new"); n != 8 {
		t.Errorf("%d messages under max-length 8", n)
	}

	p.press("Change")
	p.dialog("Change policy short")
	p.fill("max-length", "4")
	p.press("Save")
	p.dialog("")
	p.until("the new value", "document.querySelector('tbody .arg-value')?.innerText === '4'")
	if n := count(t, ch, "orders.new"); n != 4 {
		t.Errorf("%d messages under max-length 4", n)
	}

	p.visit("#/queues/%2F/orders.new")
	p.within("dl.facts", "short")
	p.until("its effect", "[...document.querySelectorAll('.arg')].some((e) => e.innerText.replace(/\\s/g, '') === 'max-length4')")
}

func TestDefinitions(t *testing.T) {
	b := broker(t)
	_, ch := connect(t, b, "test")
	dir := t.TempDir()
	file := filepath.Join(dir, "definitions.json")
	if err := os.WriteFile(file, []byte(`{"queues": [{"name": "imported", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {"x-max-length": 3}}],
		"exchanges": [{"name": "in", "vhost": "/", "type": "fanout", "durable": true, "auto_delete": false, "internal": false, "arguments": {}}],
		"bindings": [{"source": "in", "vhost": "/", "destination": "imported", "destination_type": "queue", "routing_key": "", "arguments": {}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken.json")
	if err := os.WriteFile(broken, []byte("queues: no"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := open(t, b).login()
	p.visit("#/admin/definitions")
	p.do("a file", upload("input[type=file]", broken))
	p.sees("broken.json is not a definitions file")
	p.do("a file", upload("input[type=file]", file))
	p.within(".file-contents", "definitions.json")
	p.pressIn(".file-contents", "Import")
	p.sees("definitions.json is imported.")
	if err := ch.PublishWithContext(context.Background(), "in", "", false, false, amqp.Publishing{}); err != nil {
		t.Fatal(err)
	}
	if n := count(t, ch, "imported"); n != 1 {
		t.Errorf("%d messages through what was imported, want 1", n)
	}
	p.visit("#/queues")
	p.within("tbody", "imported")

	p.visit("#/admin/definitions")
	p.do("downloads into a directory", downloadsTo(dir))
	p.press("Download")
	waitFor(t, "the file", func() bool {
		found, err := filepath.Glob(filepath.Join(dir, "definitions-*.json"))
		if err != nil || len(found) == 0 {
			return false
		}
		data, err := os.ReadFile(found[0])
		return err == nil && contains(data, `"name": "imported"`)
	})
}

func TestCloseConnection(t *testing.T) {
	b := broker(t)
	conn, _ := connect(t, b, "billing worker")
	closed := conn.NotifyClose(make(chan *amqp.Error, 1))
	p := open(t, b).often().login()
	p.visit("#/connections")
	p.press("billing worker")
	p.within("h1", "billing worker")
	p.press("Close")
	p.dialog("Close the connection")
	p.fill("reason", "maintenance tonight (50%), 维护")
	p.pressIn("dialog[open] .dialog-foot", "Close")
	err := <-closed
	var closure *amqp.Error
	if !errors.As(err, &closure) || closure.Code != amqp.ConnectionForced || closure.Reason != "CONNECTION_FORCED - maintenance tonight (50%), 维护" {
		t.Errorf("the client was told %v", err)
	}
	p.until("the list", "location.hash === '#/connections'")
	p.sees("Nobody is connected.")
}

// Why a consumer gets nothing, in words.
func TestWhy(t *testing.T) {
	b := broker(t)
	_, ch := connect(t, b, "slow")
	declare(t, ch, "q", nil)
	for range 10 {
		publish(t, ch, "q", amqp.Publishing{})
	}
	settled(t, ch, "q")
	p := open(t, b).often().login()
	p.visit("#/queues/%2F/q")
	p.sees("Nobody consumes from this queue.", "Start a consumer")

	if err := ch.Qos(3, 0, false); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.ConsumeWithContext(context.Background(), "q", "lazybones", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	p.until("the reason", "document.querySelector('[data-why]')?.dataset.why.includes('prefetch_full')")
	p.within(".why", "lazybones")
	p.within(".why", "raise its prefetch")
}

func TestUsersAndPermissions(t *testing.T) {
	b := broker(t)
	p := open(t, b).login()
	p.visit("#/admin/users")
	p.press("Add a user")
	p.fill("name", "reader")
	p.fill("password", "secret")
	p.click("dialog[open] input[name='tag management']")
	p.click("dialog[open] input[name=grant]")
	p.pressIn("dialog[open] .dialog-foot", "Add a user")
	p.dialog("")
	p.press("reader")
	p.sees("This user may not use any virtual host")
	p.press("Set permissions")
	p.fill("configure", "")
	p.fill("write", "")
	p.pressIn("dialog[open] .dialog-foot", "Set permissions")
	p.dialog("")
	p.within("tbody", ".*")
	p.within("tbody", "nothing")

	// The default exchange's is one of two: the other stays.
	evaluate[bool](p, `['', 'amq.topic'].forEach((x) => fetch('api/topic-permissions/%2F/reader', { method: 'PUT',
		headers: { 'X-Requested-With': 'warren' }, body: JSON.stringify({ exchange: x, write: '^a', read: '^b' }) })) || true`)
	p.visit("#/queues")
	p.visit("#/admin/users/reader")
	p.until("both topic permissions", "/default exchange/i.test(document.body.innerText) && document.body.innerText.includes('amq.topic')")
	evaluate[bool](p, `[...document.querySelectorAll('tr')].find((r) => /default exchange/i.test(r.innerText)).querySelectorAll('button')[1].click() || true`)
	p.pressIn("dialog[open] .dialog-foot", "Remove the permissions")
	p.dialog("")
	p.until("one of them", "!/default exchange/i.test(document.body.innerText) && document.body.innerText.includes('amq.topic')")

	p.press("Log out")
	p.signIn("reader", "secret")
	p.until("the overview", "document.querySelector('[data-tile=queues]')")
	if evaluate[bool](p, "[...document.querySelectorAll('a.nav')].some((e) => /Admin|Nodes|Users/.test(e.innerText))") {
		t.Error("a user with the tag management is offered what is for others")
	}
	p.expect("status of 401")
	p.visit("#/admin/users")
	p.sees("This page needs a user with the tag “administrator”.")
	p.visit("#/queues")
	p.press("Add a queue")
	p.fill("name", "mine")
	p.pressIn("dialog[open] .dialog-foot", "Add a queue")
	p.within("dialog[open] .notice", "You may not do this.")
}

// The node's trouble is said in words, and what to do.
func TestAlarm(t *testing.T) {
	b := broker(t, diskAlarm())
	p := open(t, b).often().login()
	p.sees("is short of disk space", "Publishers are blocked until there is more.")
}

func TestUnreachable(t *testing.T) {
	b := broker(t)
	p := open(t, b).often().login()
	p.expect("net::ERR", "status of 401", "status of 503")
	b.Stop()
	p.sees("The server cannot be reached.", "This page tries again by itself")
	b.Restart()
	p.until("that it is back", "!document.body.innerText.includes('cannot be reached')")
}

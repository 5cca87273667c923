package browser

import (
	"fmt"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/brokertest"
	"github.com/warrenmq/warren/server"
)

func withManagement(change func(*server.Management)) brokertest.Option {
	return brokertest.Configure(func(c *server.Config) { change(&c.Management) })
}

// Without rates the page shows counts, and says why there are no rates.
func TestNoRates(t *testing.T) {
	b := broker(t, withManagement(func(m *server.Management) { m.RatesMode = "none" }))
	_, ch := connect(t, b, "test")
	declare(t, ch, "q", nil)
	publish(t, ch, "q", amqp.Publishing{})
	p := open(t, b).often().login()
	p.until("the count", "document.querySelector('[data-tile=ready]').innerText === '1'")
	p.within(`figure[aria-label="Messages per second"]`, "management.rates_mode = none")
	p.until("the words within their frame", `(() => {
		const frame = document.querySelector('figure[aria-label="Messages per second"]').getBoundingClientRect();
		const words = document.querySelector('figure[aria-label="Messages per second"] p').getBoundingClientRect();
		return words.width > frame.width / 3 && words.left >= frame.left && words.right <= frame.right && words.bottom <= frame.bottom;
	})()`)
	p.until("the chart of lengths", `document.querySelector('figure[aria-label="Queued messages"] svg')`)
	p.visit("#/queues")
	p.until("no columns of rates", "document.querySelector('table.list') && !/Published/.test(document.querySelector('thead').innerText) && /Ready/i.test(document.querySelector('thead').innerText)")
	p.visit("#/queues/%2F/q")
	p.within(`figure[aria-label="Messages per second"]`, "management.rates_mode = none")
	p.visit("#/channels")
	p.visit("#/exchanges/%2F/amq.default")
	p.check()
}

// With detailed rates objects show what passes between them and others.
func TestDetailedRates(t *testing.T) {
	b := broker(t, withManagement(func(m *server.Management) { m.RatesMode = "detailed" }))
	conn, ch := connect(t, b, "test")
	declare(t, ch, "q", nil)
	if err := ch.QueueBind("q", "", "amq.fanout", false, nil); err != nil {
		t.Fatal(err)
	}
	publish(t, ch, "q", amqp.Publishing{})
	if err := ch.PublishWithContext(t.Context(), "amq.fanout", "", false, false, amqp.Publishing{}); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := ch.Get("q", true); !ok || err != nil {
		t.Fatal(ok, err)
	}
	channel := conn.LocalAddr().String()
	const row = `section[aria-label="%s"] tbody tr:nth-child(%d)`
	p := open(t, b).often().login()
	p.visit("#/queues/%2F/q")
	p.within(fmt.Sprintf(row, "Published to", 1), "(default exchange)")
	p.within(fmt.Sprintf(row, "Published to", 2), "amq.fanout")
	p.within(fmt.Sprintf(row, "Delivered to", 1), channel)
	p.visit("#/exchanges/%2F/amq.fanout")
	p.within(fmt.Sprintf(row, "Published by", 1), channel)
	p.within(fmt.Sprintf(row, "Routed to", 1), "q")
	p.visit("#/exchanges/%2F/amq.direct")
	p.until("no list without a publisher", `document.querySelector('h1')?.innerText.includes('amq.direct') && document.querySelector('section[aria-label="Details"]') && !document.querySelector('section[aria-label="Published by"]')`)
	p.check()
}

// With statistics off the page says so, and claims nothing that it does not know.
func TestStatisticsOff(t *testing.T) {
	b := broker(t, withManagement(func(m *server.Management) { m.DisableStats = true }))
	_, ch := connect(t, b, "test")
	declare(t, ch, "q", nil)
	publish(t, ch, "q", amqp.Publishing{})
	p := open(t, b).often().login()
	p.sees("Statistics are switched off on this node.")
	p.until("no count, no chart", "document.querySelector('[data-tile=ready]').innerText === '–' && document.querySelector('[data-tile=queues]').innerText === '1' && !document.querySelector('figure.chart')")
	for _, hash := range []string{"#/queues", "#/queues/%2F/q", "#/connections", "#/channels", "#/exchanges", "#/exchanges/%2F/amq.default", "#/nodes", "#/admin/vhosts", "#/admin/vhosts/%2F"} {
		p.visit(hash)
		p.sees("Statistics are switched off on this node.")
		p.until("no chart on "+hash, "!document.querySelector('figure.chart, .segments')")
	}
	p.check()
}

// The page offers the ranges that samples are kept for.
func TestRangesThatAreKept(t *testing.T) {
	b := broker(t, withManagement(func(m *server.Management) {
		m.Retention.Basic = []server.Samples{{Span: time.Minute, Step: 5 * time.Second}}
		m.Retention.Global = []server.Samples{{Span: time.Hour, Step: time.Minute}}
	}))
	_, ch := connect(t, b, "test")
	declare(t, ch, "q", nil)
	p := open(t, b).often().login()
	ranges := "[...document.querySelectorAll('.segments button')].map((b) => b.innerText + (b.getAttribute('aria-pressed') === 'true' ? '*' : '')).join(' ')"
	p.until("two ranges", ranges+" === '1 min* 1 h'")
	p.press("1 h")
	p.until("the hour", ranges+" === '1 min 1 h*'")
	p.visit("#/queues/%2F/q")
	p.until("the minute", ranges+" === '1 min*'")
	p.check()
}

package conformance

import (
	"strings"
)

type field struct{ name, typ string }

type methodSpec struct {
	name      string
	class, id uint16
	fields    []field
	content   bool
	reply     []string // replies that end a synchronous call
	nowait    bool     // has a nowait bit
	pos       []string // positional argument order in scripts
}

// spec describes one method: its arguments as "name:type", the order of
// positional arguments in scripts, the replies that end a synchronous call.
func spec(name string, class, id int, fs string, pos string, reply ...string) *methodSpec {
	m := &methodSpec{name: name, class: uint16(class), id: uint16(id), reply: reply}
	for _, f := range strings.Fields(fs) {
		k, t, _ := strings.Cut(f, ":")
		m.fields = append(m.fields, field{k, t})
		if k == "nowait" {
			m.nowait = true
		}
	}
	m.pos = strings.Fields(pos)
	switch name {
	case "basic.deliver", "basic.get-ok", "basic.return", "basic.publish":
		m.content = true
	}
	return m
}

// The methods of AMQP 0-9-1, by name and by class and number. Never changed.
var specs, specByID = func() (map[string]*methodSpec, map[uint32]*methodSpec) {
	byName, byID := map[string]*methodSpec{}, map[uint32]*methodSpec{}
	for _, m := range allMethods() {
		byName[m.name] = m
		byID[uint32(m.class)<<16|uint32(m.id)] = m
	}
	return byName, byID
}()

func allMethods() []*methodSpec {
	return []*methodSpec{
		spec("connection.start", 10, 10, "version-major:octet version-minor:octet server-properties:table mechanisms:longstr locales:longstr", ""),
		spec("connection.start-ok", 10, 11, "client-properties:table mechanism:shortstr response:longstr locale:shortstr", ""),
		spec("connection.secure", 10, 20, "challenge:longstr", ""),
		spec("connection.secure-ok", 10, 21, "response:longstr", ""),
		spec("connection.tune", 10, 30, "channel-max:short frame-max:long heartbeat:short", ""),
		spec("connection.tune-ok", 10, 31, "channel-max:short frame-max:long heartbeat:short", ""),
		spec("connection.open", 10, 40, "virtual-host:shortstr reserved-1:shortstr reserved-2:bit", "virtual-host", "connection.open-ok"),
		spec("connection.open-ok", 10, 41, "reserved-1:shortstr", ""),
		spec("connection.close", 10, 50, "reply-code:short reply-text:shortstr class-id:short method-id:short", "", "connection.close-ok"),
		spec("connection.close-ok", 10, 51, "", ""),
		spec("connection.blocked", 10, 60, "reason:shortstr", ""),
		spec("connection.unblocked", 10, 61, "", ""),
		spec("connection.update-secret", 10, 70, "new-secret:longstr reason:shortstr", "", "connection.update-secret-ok"),
		spec("connection.update-secret-ok", 10, 71, "", ""),
		spec("channel.open", 20, 10, "reserved-1:shortstr", "", "channel.open-ok"),
		spec("channel.open-ok", 20, 11, "reserved-1:longstr", ""),
		spec("channel.flow", 20, 20, "active:bit", "", "channel.flow-ok"),
		spec("channel.flow-ok", 20, 21, "active:bit", ""),
		spec("channel.close", 20, 40, "reply-code:short reply-text:shortstr class-id:short method-id:short", "", "channel.close-ok"),
		spec("channel.close-ok", 20, 41, "", ""),
		spec("access.request", 30, 10, "realm:shortstr exclusive:bit passive:bit active:bit write:bit read:bit", "realm", "access.request-ok"),
		spec("access.request-ok", 30, 11, "ticket:short", ""),
		spec("exchange.declare", 40, 10, "ticket:short exchange:shortstr type:shortstr passive:bit durable:bit auto-delete:bit internal:bit nowait:bit args:table", "exchange type", "exchange.declare-ok"),
		spec("exchange.declare-ok", 40, 11, "", ""),
		spec("exchange.delete", 40, 20, "ticket:short exchange:shortstr if-unused:bit nowait:bit", "exchange", "exchange.delete-ok"),
		spec("exchange.delete-ok", 40, 21, "", ""),
		spec("exchange.bind", 40, 30, "ticket:short destination:shortstr source:shortstr routing-key:shortstr nowait:bit args:table", "destination source routing-key", "exchange.bind-ok"),
		spec("exchange.bind-ok", 40, 31, "", ""),
		spec("exchange.unbind", 40, 40, "ticket:short destination:shortstr source:shortstr routing-key:shortstr nowait:bit args:table", "destination source routing-key", "exchange.unbind-ok"),
		spec("exchange.unbind-ok", 40, 51, "", ""),
		spec("queue.declare", 50, 10, "ticket:short queue:shortstr passive:bit durable:bit exclusive:bit auto-delete:bit nowait:bit args:table", "queue", "queue.declare-ok"),
		spec("queue.declare-ok", 50, 11, "queue:shortstr message-count:long consumer-count:long", ""),
		spec("queue.bind", 50, 20, "ticket:short queue:shortstr exchange:shortstr routing-key:shortstr nowait:bit args:table", "queue exchange routing-key", "queue.bind-ok"),
		spec("queue.bind-ok", 50, 21, "", ""),
		spec("queue.unbind", 50, 50, "ticket:short queue:shortstr exchange:shortstr routing-key:shortstr args:table", "queue exchange routing-key", "queue.unbind-ok"),
		spec("queue.unbind-ok", 50, 51, "", ""),
		spec("queue.purge", 50, 30, "ticket:short queue:shortstr nowait:bit", "queue", "queue.purge-ok"),
		spec("queue.purge-ok", 50, 31, "message-count:long", ""),
		spec("queue.delete", 50, 40, "ticket:short queue:shortstr if-unused:bit if-empty:bit nowait:bit", "queue", "queue.delete-ok"),
		spec("queue.delete-ok", 50, 41, "message-count:long", ""),
		spec("basic.qos", 60, 10, "prefetch-size:long prefetch-count:short global:bit", "prefetch-count", "basic.qos-ok"),
		spec("basic.qos-ok", 60, 11, "", ""),
		spec("basic.consume", 60, 20, "ticket:short queue:shortstr consumer-tag:shortstr no-local:bit no-ack:bit exclusive:bit nowait:bit args:table", "queue consumer-tag", "basic.consume-ok"),
		spec("basic.consume-ok", 60, 21, "consumer-tag:shortstr", ""),
		spec("basic.cancel", 60, 30, "consumer-tag:shortstr nowait:bit", "consumer-tag", "basic.cancel-ok"),
		spec("basic.cancel-ok", 60, 31, "consumer-tag:shortstr", ""),
		spec("basic.publish", 60, 40, "ticket:short exchange:shortstr routing-key:shortstr mandatory:bit immediate:bit", "exchange routing-key"),
		spec("basic.return", 60, 50, "reply-code:short reply-text:shortstr exchange:shortstr routing-key:shortstr", ""),
		spec("basic.deliver", 60, 60, "consumer-tag:shortstr delivery-tag:longlong redelivered:bit exchange:shortstr routing-key:shortstr", ""),
		spec("basic.get", 60, 70, "ticket:short queue:shortstr no-ack:bit", "queue", "basic.get-ok", "basic.get-empty"),
		spec("basic.get-ok", 60, 71, "delivery-tag:longlong redelivered:bit exchange:shortstr routing-key:shortstr message-count:long", ""),
		spec("basic.get-empty", 60, 72, "reserved-1:shortstr", ""),
		spec("basic.ack", 60, 80, "delivery-tag:longlong multiple:bit", "delivery-tag"),
		spec("basic.reject", 60, 90, "delivery-tag:longlong requeue:bit", "delivery-tag"),
		spec("basic.recover-async", 60, 100, "requeue:bit", ""),
		spec("basic.recover", 60, 110, "requeue:bit", "", "basic.recover-ok"),
		spec("basic.recover-ok", 60, 111, "", ""),
		spec("basic.nack", 60, 120, "delivery-tag:longlong multiple:bit requeue:bit", "delivery-tag"),
		spec("tx.select", 90, 10, "", "", "tx.select-ok"),
		spec("tx.select-ok", 90, 11, "", ""),
		spec("tx.commit", 90, 20, "", "", "tx.commit-ok"),
		spec("tx.commit-ok", 90, 21, "", ""),
		spec("tx.rollback", 90, 30, "", "", "tx.rollback-ok"),
		spec("tx.rollback-ok", 90, 31, "", ""),
		spec("confirm.select", 85, 10, "nowait:bit", "", "confirm.select-ok"),
		spec("confirm.select-ok", 85, 11, "", ""),
	}
}

var propFields = []field{
	{"content-type", "shortstr"}, {"content-encoding", "shortstr"}, {"headers", "table"},
	{"delivery-mode", "octet"}, {"priority", "octet"}, {"correlation-id", "shortstr"},
	{"reply-to", "shortstr"}, {"expiration", "shortstr"}, {"message-id", "shortstr"},
	{"timestamp", "longlong"}, {"type", "shortstr"}, {"user-id", "shortstr"},
	{"app-id", "shortstr"}, {"cluster-id", "shortstr"},
}

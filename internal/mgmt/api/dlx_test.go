package api

import (
	"testing"
	"time"
)

// Dead letters that must arrive (dead-letter-strategy at-least-once) are counted,
// as RabbitMQ does, with the queue that keeps them until they have arrived.
func TestDeadLettersThatWait(t *testing.T) {
	f := newFixture(t)
	f.want("PUT", "/queues/%2F/q", `{"durable":true,"arguments":{"x-queue-type":"quorum","x-overflow":"reject-publish","x-max-length-bytes":15,
		"x-dead-letter-exchange":"letters","x-dead-letter-strategy":"at-least-once"}}`, "201")
	publish := func(want string) {
		t.Helper()
		f.want("POST", "/exchanges/%2F/amq.default/publish", `{"routing_key":"q","payload":"hello","payload_encoding":"string","properties":{"delivery_mode":2}}`, want)
	}
	const routed = `200 {"routed":true}`
	for range 3 {
		publish(routed)
	}
	f.do("POST", "/queues/%2F/q/get", `{"count":2,"ackmode":"reject_requeue_false","encoding":"auto"}`)
	const columns = "columns=messages,messages_ready,messages_persistent,messages_dlx,message_bytes,message_bytes_persistent,message_bytes_dlx"
	const waiting = `{"messages":3,"messages_ready":1,"message_bytes":15,"message_bytes_persistent":15,"messages_persistent":3,"message_bytes_dlx":10,"messages_dlx":2}`
	f.want("GET", "/queues/%2F/q?"+columns, "", "200 "+waiting)
	f.want("GET", "/queues?sort=messages_dlx&"+columns, "", "200 ["+waiting+"]")
	f.want("GET", "/vhosts/%2F?columns=messages,messages_ready", "", `200 {"messages":3,"messages_ready":1}`)

	// They count towards the queue's limits.
	publish(`400 {"error":"bad_request","reason":"rejected"}`)
	f.want("GET", "/queues/%2F/q?columns=messages,messages_ready", "", `200 {"messages":3,"messages_ready":1}`)

	// Once there is somebody who takes them, they have arrived.
	f.want("PUT", "/queues/%2F/target", `{"durable":true}`, "201")
	f.want("PUT", "/exchanges/%2F/letters", `{"type":"fanout","durable":true}`, "201")
	f.want("POST", "/bindings/%2F/e/letters/q/target", `{}`, "201")
	const arrived = `200 {"messages":1,"messages_ready":1,"message_bytes":5,"message_bytes_persistent":5,"messages_persistent":1,"message_bytes_dlx":0,"messages_dlx":0}`
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if code, got := f.do("GET", "/queues/%2F/q?"+columns, ""); code == 200 && "200 "+got == arrived || time.Now().After(deadline) {
			break
		}
	}
	f.want("GET", "/queues/%2F/q?"+columns, "", arrived)
	f.want("GET", "/queues/%2F/target?columns=messages,messages_dlx", "", `200 {"messages":2}`)
	publish(routed)
	f.want("GET", "/queues/%2F/q?columns=messages_ready", "", `200 {"messages_ready":2}`)
}

// A purge drops them with the others.
func TestPurgeOfDeadLetters(t *testing.T) {
	f := newFixture(t)
	f.want("PUT", "/queues/%2F/q", `{"durable":true,"arguments":{"x-queue-type":"quorum","x-overflow":"reject-publish",
		"x-dead-letter-exchange":"letters","x-dead-letter-strategy":"at-least-once"}}`, "201")
	for range 3 {
		f.do("POST", "/exchanges/%2F/amq.default/publish", `{"routing_key":"q","payload":"hello","payload_encoding":"string","properties":{"delivery_mode":2}}`)
	}
	f.do("POST", "/queues/%2F/q/get", `{"count":2,"ackmode":"reject_requeue_false","encoding":"auto"}`)
	f.want("GET", "/queues/%2F/q?columns=messages,messages_dlx", "", `200 {"messages":3,"messages_dlx":2}`)
	f.want("DELETE", "/queues/%2F/q/contents", "", "204")
	f.want("GET", "/queues/%2F/q?columns=messages,messages_persistent,messages_dlx", "", `200 {"messages":0,"messages_persistent":0,"messages_dlx":0}`)
	f.want("PUT", "/queues/%2F/target", `{"durable":true}`, "201")
	f.want("PUT", "/exchanges/%2F/letters", `{"type":"fanout","durable":true}`, "201")
	f.want("POST", "/bindings/%2F/e/letters/q/target", `{}`, "201")
	f.do("POST", "/exchanges/%2F/amq.default/publish", `{"routing_key":"q","payload":"last","payload_encoding":"string","properties":{"delivery_mode":2}}`)
	f.do("POST", "/queues/%2F/q/get", `{"count":1,"ackmode":"reject_requeue_false","encoding":"auto"}`)
	f.want("GET", "/queues/%2F/q?columns=messages", "", `200 {"messages":0}`)
	f.want("GET", "/queues/%2F/target?columns=messages", "", `200 {"messages":1}`)
}

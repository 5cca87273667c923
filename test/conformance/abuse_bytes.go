package conformance

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

func (l *abuseList) bytes() {
	for s := int64(1); s <= 6; s++ {
		l.raw(fmt.Sprintf("random-bytes-first-%d", s), 3*time.Second, randomBytes(s, 1000))
		l.afterOpen(fmt.Sprintf("random-bytes-open-%d", s), 1500*time.Millisecond, randomBytes(s+100, 5000))
	}
	l.raw("zeros-first", 3*time.Second, make([]byte, 1000))
	l.afterOpen("zeros-open", 3*time.Second, make([]byte, 1000))
	l.afterOpen("ones-open", 3*time.Second, bytes.Repeat([]byte{0xff}, 1000))
	l.afterOpen("truncated-frame-idle", 1500*time.Millisecond, methodFrame(1, "queue.declare", Args{"queue": "x"})[:9])
	l.afterOpen("length-4G", 3*time.Second, []byte{1, 0, 1, 0xff, 0xff, 0xff, 0xff})
	l.afterOpen("length-2G", 3*time.Second, []byte{3, 0, 1, 0x7f, 0xff, 0xff, 0xff})
	l.afterOpen("length-just-over", 3*time.Second, []byte{3, 0, 1, 0, 2, 0, 1})
	l.afterOpen("empty-body-frames-flood", 3*time.Second, bytes.Repeat(frameBytes(3, 1, nil), 1000))
	l.afterOpen("heartbeat-flood", 1500*time.Millisecond, bytes.Repeat(frameBytes(8, 0, nil), 100000))
	l.afterOpen("method-frames-of-zeros", 3*time.Second, bytes.Repeat(frameBytes(1, 1, make([]byte, 8)), 100))
	l.afterOpen("bad-end-byte-flood", 3*time.Second, bytes.Repeat([]byte{1, 0, 1, 0, 0, 0, 0, 0}, 1000))
}

func (l *abuseList) beforeLogin() {
	l.preauth("preauth-length-4G", []byte{1, 0, 0, 0xff, 0xff, 0xff, 0xff})
	l.preauth("preauth-length-1M", []byte{1, 0, 0, 0, 0x10, 0, 0})
	l.preauth("preauth-random-1", randomBytes(55, 2000))
	l.preauth("preauth-random-2", randomBytes(56, 2000))
	l.preauth("preauth-body-frame", frameBytes(3, 0, []byte("x")))
	l.preauth("preauth-method-channel-9", methodFrame(9, "queue.declare", Args{"queue": "x"}))
	l.preauth("preauth-nested-table", frameBytes(1, 0, append([]byte{0, 10, 0, 11}, nest(1000)...)))
	l.preauth("preauth-60k-properties", methodFrame(0, "connection.start-ok", Args{"client-properties": Table{{"k", Value{T: 'S', S: strings.Repeat("x", 60000)}}}, "mechanism": "PLAIN", "response": "\x00guest\x00bad", "locale": "en_US"}))
	l.preauth("preauth-half-start-ok", methodFrame(0, "connection.start-ok", Args{"mechanism": "PLAIN", "response": "\x00guest\x00guest", "locale": "en_US"})[:20])
}

func (l *abuseList) slowness() {
	l.slow("idle-before-header", func(r *Run, c *Conn, stop <-chan struct{}) {})
	l.slow("slow-loris-header", func(r *Run, c *Conn, stop <-chan struct{}) {
		for _, b := range []byte("AMQP\x00\x00\x09") {
			select {
			case <-stop:
				return
			case <-time.After(1500 * time.Millisecond):
			}
			c.send([]byte{b})
		}
	})
	l.slow("idle-after-start", func(r *Run, c *Conn, stop <-chan struct{}) { c.send([]byte(protocolHeader)) })
	l.slow("slow-loris-start-ok", func(r *Run, c *Conn, stop <-chan struct{}) {
		c.send([]byte(protocolHeader))
		m := methodFrame(0, "connection.start-ok", Args{"mechanism": "PLAIN", "response": "\x00guest\x00guest", "locale": "en_US"})
		for _, b := range m {
			select {
			case <-stop:
				return
			case <-time.After(500 * time.Millisecond):
			}
			c.send([]byte{b})
		}
	})
	l.slow("idle-after-tune", func(r *Run, c *Conn, stop <-chan struct{}) {
		c.send([]byte(protocolHeader))
		c.send(methodFrame(0, "connection.start-ok", Args{"mechanism": "PLAIN", "response": "\x00guest\x00guest", "locale": "en_US"}))
	})
	l.slow("idle-after-tune-ok", func(r *Run, c *Conn, stop <-chan struct{}) {
		c.send([]byte(protocolHeader))
		c.send(methodFrame(0, "connection.start-ok", Args{"mechanism": "PLAIN", "response": "\x00guest\x00guest", "locale": "en_US"}))
		c.send(methodFrame(0, "connection.tune-ok", Args{"channel-max": uint64(10), "frame-max": uint64(131072)}))
	})
}

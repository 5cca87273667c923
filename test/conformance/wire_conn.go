package conformance

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// protocolHeader opens a connection.
const protocolHeader = "AMQP\x00\x00\x09\x01"

const (
	evMethod = iota
	evHeader // AMQP version header
	evEOF
	evRaw       // undecodable or unexpected frame
	evHeartbeat // only kept when asked for
)

// Event is something the peer did: a method with its content, a protocol
// header, the end of the stream, or bytes that make no sense.
type Event struct {
	conn    *Conn
	kind    int
	ch      uint16
	m       *methodSpec
	args    Args
	props   Args
	propErr error
	body    []byte
	frames  []int
	raw     string
	seq     int
	at      time.Time
}

// Conn is a raw AMQP 0-9-1 connection. Nothing is hidden: every frame the peer
// sends becomes an Event in the hub; any byte sequence can be sent.
// closed and gotClose belong to the script that runs it.
type Conn struct {
	name     string
	nc       net.Conn
	hub      *Hub
	frameMax int
	keepHB   atomic.Bool // heartbeats become events
	closed   bool
	gotClose bool
	wmu      sync.Mutex
}

func dial(h *Hub, name, addr string) (*Conn, error) {
	nc, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	c := &Conn{name: name, nc: nc, hub: h, frameMax: 131072}
	go c.reader()
	return c, nil
}

type partial struct {
	e    *Event
	size uint64
	hdr  bool
}

func (c *Conn) reader() {
	r := bufio.NewReaderSize(c.nc, 65536)
	pend := map[uint16]*partial{}
	eof := func() { c.hub.push(&Event{conn: c, kind: evEOF, ch: 65535}) }
	for {
		h := make([]byte, 7)
		if _, err := io.ReadFull(r, h); err != nil {
			eof()
			return
		}
		if string(h[:4]) == "AMQP" {
			b, _ := r.ReadByte()
			c.hub.push(&Event{conn: c, kind: evHeader, raw: hex.EncodeToString(append(h[4:], b))})
			continue
		}
		typ, ch, n := h[0], binary.BigEndian.Uint16(h[1:]), binary.BigEndian.Uint32(h[3:])
		if n > 64<<20 {
			c.hub.push(&Event{conn: c, kind: evRaw, ch: ch, raw: fmt.Sprintf("garbage frame header %x", h)})
			eof()
			return
		}
		p := make([]byte, n+1)
		if _, err := io.ReadFull(r, p); err != nil {
			eof()
			return
		}
		if p[n] != 0xCE {
			c.hub.push(&Event{conn: c, kind: evRaw, ch: ch, raw: fmt.Sprintf("bad frame end %x", p[n])})
		}
		p = p[:n]
		bad := func(why string) {
			x := p
			if len(x) > 64 {
				x = x[:64]
			}
			c.hub.push(&Event{conn: c, kind: evRaw, ch: ch, raw: fmt.Sprintf("%s: frame type=%d ch=%d len=%d %x", why, typ, ch, n, x)})
		}
		switch typ {
		case 1:
			if len(p) < 4 {
				bad("short method")
				continue
			}
			m := specByID[binary.BigEndian.Uint32(p)]
			if m == nil {
				bad("unknown method")
				continue
			}
			a, err := decodeFields(m.fields, p[4:])
			if err != nil {
				bad("undecodable " + m.name + " (" + err.Error() + ")")
				continue
			}
			if pend[ch] != nil {
				bad("method inside content")
				delete(pend, ch)
			}
			e := &Event{conn: c, ch: ch, m: m, args: a}
			if m.content {
				pend[ch] = &partial{e: e}
				continue
			}
			c.hub.push(e)
		case 2:
			q := pend[ch]
			if q == nil || q.hdr || len(p) < 14 {
				bad("unexpected header")
				continue
			}
			q.hdr = true
			if cl := binary.BigEndian.Uint16(p); cl != 60 {
				q.e.raw += fmt.Sprintf(" header-class=%d", cl)
			}
			if w := binary.BigEndian.Uint16(p[2:]); w != 0 {
				q.e.raw += fmt.Sprintf(" weight=%d", w)
			}
			q.size = binary.BigEndian.Uint64(p[4:])
			q.e.props, q.e.propErr = decodeProps(p[12:])
			if q.e.propErr != nil {
				q.e.raw += fmt.Sprintf(" rawprops=%x", p[12:])
			}
			if q.size == 0 {
				delete(pend, ch)
				c.hub.push(q.e)
			}
		case 3:
			q := pend[ch]
			if q == nil || !q.hdr {
				bad("unexpected body")
				continue
			}
			q.e.body = append(q.e.body, p...)
			q.e.frames = append(q.e.frames, len(p))
			if uint64(len(q.e.body)) >= q.size {
				delete(pend, ch)
				c.hub.push(q.e)
			}
		case 8:
			if c.keepHB.Load() {
				c.hub.push(&Event{conn: c, kind: evHeartbeat, ch: ch, raw: fmt.Sprintf("heartbeat ch=%d len=%d", ch, n)})
			}
		default:
			bad("unknown frame type")
		}
	}
}

func (c *Conn) send(b []byte) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.nc.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_, err := c.nc.Write(b)
	return err
}

package conformance

import (
	"encoding/binary"
	"io"
	"net"
	"time"
)

// nest is a field table nested n levels deep.
func nest(n int) []byte {
	t := []byte{0, 0, 0, 0}
	for i := 0; i < n; i++ {
		in := append([]byte{1, 'a', 'F'}, t...)
		t = append(binary.BigEndian.AppendUint32(nil, uint32(len(in))), in...)
		if len(t) > 131000 {
			break
		}
	}
	return t
}

// rawOpen opens a connection and channel 1 on a socket that nobody reads after.
func rawOpen(a *abuser) (net.Conn, *Run) {
	nc, err := net.Dial("tcp", a.ep.Addr)
	if err != nil {
		return nil, nil
	}
	r := a.run()
	nc.Write([]byte(protocolHeader))
	rd := func() { // one frame
		h := make([]byte, 7)
		nc.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.ReadFull(nc, h); err == nil {
			io.ReadFull(nc, make([]byte, binary.BigEndian.Uint32(h[3:])+1))
		}
	}
	rd()
	nc.Write(methodFrame(0, "connection.start-ok", Args{"mechanism": "PLAIN", "response": "\x00" + a.ep.User + "\x00" + a.ep.Pass, "locale": "en_US"}))
	rd()
	nc.Write(append(methodFrame(0, "connection.tune-ok", Args{"channel-max": uint64(100), "frame-max": uint64(131072)}), methodFrame(0, "connection.open", Args{"virtual-host": a.ep.VHost})...))
	rd()
	nc.Write(methodFrame(1, "channel.open", nil))
	rd()
	return nc, r
}

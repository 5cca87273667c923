package session

import (
	"testing"

	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// What has the length of a protocol header but for a byte is not taken for the
// beginning of a frame, of which the buffer would be made to hold 1.3 GB.
func TestHeaderIsNoFrame(t *testing.T) {
	c, peer := tcpConn(t)
	rb := readBuffer{}
	for _, piece := range []string{wire.ProtocolHeader[:7], wire.ProtocolHeader[7:]} {
		peer.Write([]byte(piece))
		if !c.fill(&rb) {
			t.Fatal("the connection has ended")
		}
	}
	if len(rb.buf) != minReadBuffer || !c.protocolHeader(&rb) {
		t.Errorf("a header in two pieces: a buffer of %d bytes, state %d", len(rb.buf), c.state)
	}
}

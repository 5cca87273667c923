package conformance

import "time"

func opTCP(r *Run, s *statement) { r.dial(s.conn) }

// opStart goes up to connection.start.
func opStart(r *Run, s *statement) {
	c := r.dial(s.conn)
	c.send([]byte(protocolHeader))
	if e := r.next(c, opTimeout); e == nil || e.kind != evMethod || e.m.name != "connection.start" {
		r.log("no connection.start", "")
	}
}

func opOpen(r *Run, s *statement)           { r.open(s.conn, s.args) }
func opChannel(r *Run, s *statement)        { r.openCh(r.conn(s.conn), s.ch) }
func opManual(r *Run, s *statement)         { r.manual = s.arg(0) != "off" }
func opKeepHeartbeats(r *Run, s *statement) { r.conn(s.conn).keepHB.Store(true) }

func opClose(r *Run, s *statement) {
	c := r.conn(s.conn)
	c.send(methodFrame(0, "connection.close", Args{"reply-code": uint64(200), "reply-text": "bye"}))
	r.await(c, 0, specs["connection.close"])
	// the reference leaves it to the client to close the socket
	c.nc.Close()
	c.closed = true
	time.Sleep(20 * time.Millisecond)
	r.take(func(e *Event) bool { return e.conn == c && e.kind == evEOF })
}

// opDrop cuts the socket.
func opDrop(r *Run, s *statement) {
	c := r.conn(s.conn)
	c.nc.Close()
	c.closed = true
	time.Sleep(150 * time.Millisecond)
	r.take(func(e *Event) bool { return e.conn == c })
}

func opWait(r *Run, s *statement) {
	d := s.ms(1)
	if d == 0 {
		d = opTimeout
	}
	r.waitN(s.number(0), d)
}

func opQuiet(r *Run, s *statement) { r.quietFor(s.ms(0)) }
func opSleep(r *Run, s *statement) { time.Sleep(s.ms(0)) }
func opEOF(r *Run, s *statement)   { r.awaitEOF(r.conn(s.conn), max(s.ms(0), opTimeout)) }

// opTake forgets the confirms that have arrived (they are grouped by chance).
func opTake(r *Run, s *statement) {
	r.take(func(e *Event) bool { return e.kind == evMethod && e.m.name == "basic.ack" })
}

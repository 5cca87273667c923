package tcp

import (
	"net"
	"time"
)

// How long a connection is silent before it is probed, how often, and after how
// many probes it is given up: Go's own defaults.
const (
	keepIdle     = 15
	keepInterval = 15
	keepCount    = 9
)

// plain is a listener of package net, for systems without one of our own. It
// sets the options of each connection.
type plain struct {
	*net.TCPListener
	o Options
}

func (p *plain) Accept() (net.Conn, error) {
	c, err := p.AcceptTCP()
	if err != nil {
		return nil, err
	}
	// A connection that is gone already says so when it is read.
	if p.o.Delay {
		c.SetNoDelay(false)
	}
	if !p.o.NoKeepAlive {
		c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: keepIdle * time.Second, Interval: keepInterval * time.Second, Count: keepCount})
	}
	if p.o.SendBuffer > 0 {
		c.SetWriteBuffer(p.o.SendBuffer)
	}
	if p.o.RecvBuffer > 0 {
		c.SetReadBuffer(p.o.RecvBuffer)
	}
	return c, nil
}

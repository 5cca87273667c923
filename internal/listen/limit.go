package listen

import (
	"net"
	"sync"
)

// Limited accepts no more than n connections at a time from a listener: others
// wait until one is closed, as with RabbitMQ's listeners.
func Limited(ln net.Listener, n int) net.Listener {
	return &limited{Listener: ln, slots: make(chan struct{}, n), closed: make(chan struct{})}
}

type limited struct {
	net.Listener
	slots  chan struct{}
	once   sync.Once
	closed chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	nc, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &slot{Conn: nc, give: sync.OnceFunc(func() { <-l.slots })}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// slot is a connection that gives its place back when it is closed.
type slot struct {
	net.Conn
	give func()
}

func (s *slot) Close() error {
	defer s.give()
	return s.Conn.Close()
}

package listen

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// proxied is a connection that came through a proxy, and says so of itself.
type proxied struct {
	net.Conn
	remote, local net.Addr
}

func (p *proxied) RemoteAddr() net.Addr { return p.remote }
func (p *proxied) LocalAddr() net.Addr  { return p.local }

// CloseWrite ends the direction to the peer.
func (p *proxied) CloseWrite() error {
	if c, ok := p.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return p.Conn.Close()
}

var proxySignature = []byte("\r\n\r\n\x00\r\nQUIT\n")

var errNoProxy = errors.New("no PROXY header: the listener is for a proxy that sends one (proxy_protocol = true)")

// Proxied reads the header of the PROXY protocol, version 1 or 2, and returns a
// connection with the addresses that it names. Not a byte behind the header is
// read. The caller has set a deadline.
func Proxied(nc net.Conn) (net.Conn, error) {
	var b [12]byte // no header of either version is shorter
	if _, err := io.ReadFull(nc, b[:]); err != nil {
		return nil, err
	}
	switch {
	case bytes.Equal(b[:], proxySignature):
		return proxyV2(nc)
	case bytes.HasPrefix(b[:], []byte("PROXY ")):
		return proxyV1(nc, b[:])
	}
	return nil, errNoProxy
}

// proxyV1 reads "PROXY TCP4 10.0.0.7 10.0.0.1 40000 5672\r\n".
func proxyV1(nc net.Conn, line []byte) (net.Conn, error) {
	const longest = 107
	for !bytes.HasSuffix(line, []byte("\r\n")) {
		if len(line) >= longest {
			return nil, errors.New("the PROXY header does not end")
		}
		var c [1]byte
		if _, err := io.ReadFull(nc, c[:]); err != nil {
			return nil, err
		}
		line = append(line, c[0])
	}
	f := strings.Fields(string(line))
	if len(f) >= 2 && f[1] == "UNKNOWN" {
		return nc, nil
	}
	if len(f) != 6 || f[1] != "TCP4" && f[1] != "TCP6" {
		return nil, fmt.Errorf("not a PROXY header: %q", line)
	}
	remote, err1 := tcpAddr(f[2], f[4])
	local, err2 := tcpAddr(f[3], f[5])
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("not a PROXY header: %q", line)
	}
	return &proxied{nc, remote, local}, nil
}

func tcpAddr(host, port string) (net.Addr, error) {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return nil, err
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(p))), nil
}

func proxyV2(nc net.Conn) (net.Conn, error) {
	var h [4]byte
	if _, err := io.ReadFull(nc, h[:]); err != nil {
		return nil, err
	}
	rest := make([]byte, binary.BigEndian.Uint16(h[2:])) // at most 64 KiB
	if _, err := io.ReadFull(nc, rest); err != nil {
		return nil, err
	}
	if h[0]>>4 != 2 {
		return nil, fmt.Errorf("version %d of the PROXY protocol is not known", h[0]>>4)
	}
	switch {
	case h[0]&15 == 0: // LOCAL: the proxy itself, asking whether we are well
		return nc, nil
	case h[0]&15 != 1:
		return nil, fmt.Errorf("command %d of the PROXY protocol is not known", h[0]&15)
	}
	size := map[byte]int{0x11: 4, 0x21: 16}[h[1]]
	if size == 0 {
		return nc, nil // not TCP: nothing that we could use
	}
	if len(rest) < 2*size+4 {
		return nil, errors.New("the PROXY header is too short")
	}
	addr := func(ip, port []byte) net.Addr {
		a, _ := netip.AddrFromSlice(ip)
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, binary.BigEndian.Uint16(port)))
	}
	return &proxied{nc, addr(rest[:size], rest[2*size:]), addr(rest[size:2*size], rest[2*size+2:])}, nil
}

// Package doctor says in one sentence what is wrong, where experience shows that
// people search for long.
package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/listen"
)

// Finding is what a check has found.
type Finding struct {
	OK   bool
	Text string
}

func bad(format string, args ...any) Finding  { return Finding{false, fmt.Sprintf(format, args...)} }
func good(format string, args ...any) Finding { return Finding{true, fmt.Sprintf(format, args...)} }

// TLSCheck is a question about a port with TLS.
type TLSCheck struct {
	Addr       string // host:port
	ServerName string // that the certificate must have; default: the host
	CAFile     string // whom to trust; default: whom the system trusts
	CertFile   string // to present
	KeyFile    string
	Now        func() time.Time
}

const patience = 10 * time.Second

// Run asks the port, and says what a client would run into first.
func (c TLSCheck) Run(ctx context.Context) Finding {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return bad("%s is not host:port", c.Addr)
	}
	if c.ServerName == "" {
		c.ServerName = host
	}
	cfg, err := c.config()
	if err != nil {
		return bad("%v", err)
	}
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", c.Addr)
	if err != nil {
		return bad("%s", connectProblem(c.Addr, err))
	}
	defer nc.Close()
	deadline, _ := ctx.Deadline()
	nc.SetDeadline(deadline)
	t := tls.Client(nc, cfg)
	if err := t.Handshake(); err != nil {
		return bad("%s", c.handshakeProblem(err))
	}
	st := t.ConnectionState()
	if f := c.certificate(st); !f.OK {
		return f
	}
	return c.afterwards(t, st)
}

func (c TLSCheck) config() (*tls.Config, error) {
	// What is wrong with the certificate is found out afterwards, with better words.
	cfg := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, ServerName: c.ServerName}
	if c.CAFile != "" {
		pool, err := listen.LoadAuthorities(c.CAFile)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = pool
	}
	if c.CertFile != "" {
		key := c.KeyFile
		if key == "" {
			key = c.CertFile
		}
		pair, err := listen.LoadPair(c.CertFile, key, "")
		if err != nil {
			return nil, err
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

func connectProblem(addr string, err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "the name " + dns.Name + " is not known: " + dns.Err
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens on " + addr
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return addr + " does not answer: a firewall may be in between"
	}
	return err.Error()
}

// handshakeProblem is why there is no TLS.
func (c TLSCheck) handshakeProblem(err error) string {
	var header tls.RecordHeaderError
	text := err.Error()
	switch {
	case errors.As(err, &header):
		return c.otherProtocol(string(header.RecordHeader[:]))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return c.Addr + " takes the connection and does not answer: it may not speak TLS"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return c.Addr + " closes the connection at the first words: it does not speak TLS, or wants a PROXY header first"
	case strings.Contains(text, "protocol version"):
		return c.Addr + " speaks none of the TLS versions that there are here (1.0 to 1.3)"
	case strings.Contains(text, "certificate required"), strings.Contains(text, "bad certificate") && c.CertFile == "":
		return noClientCertificate
	case strings.Contains(text, "handshake failure"):
		return c.Addr + " and this client have no cipher suite in common, or it wants a client certificate (--cert, --key)"
	}
	return listen.HandshakeError(err)
}

const noClientCertificate = "the server wants a client certificate (fail_if_no_peer_cert = true) and got none: give --cert and --key"

// otherProtocol names what speaks on the port instead of TLS.
func (c TLSCheck) otherProtocol(first string) string {
	switch {
	case strings.HasPrefix(first, "AMQP"):
		return c.Addr + " speaks plain AMQP, not TLS: it is the port of listeners.tcp, and that of listeners.ssl (5671) is wanted"
	case strings.HasPrefix(first, "HTTP"):
		return c.Addr + " speaks plain HTTP, not TLS: use http:// there, or the port of management.ssl"
	}
	return fmt.Sprintf("%s speaks something else than TLS (first bytes %q)", c.Addr, first)
}

func (c TLSCheck) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// certificate checks what the server has presented, as a client would.
func (c TLSCheck) certificate(st tls.ConnectionState) Finding {
	leaf := st.PeerCertificates[0]
	name := auth.DistinguishedName(leaf.RawSubject)
	switch now := c.now(); {
	case now.After(leaf.NotAfter):
		return bad("the server's certificate (%s) has expired on %s", name, date(leaf.NotAfter))
	case now.Before(leaf.NotBefore):
		return bad("the server's certificate (%s) is valid from %s on only: is a clock wrong?", name, date(leaf.NotBefore))
	}
	if err := leaf.VerifyHostname(c.ServerName); err != nil {
		return bad("the server's certificate is for another host: it is for %s, and you asked for %s", hosts(leaf), c.ServerName)
	}
	opts := x509.VerifyOptions{Intermediates: x509.NewCertPool(), CurrentTime: c.now()}
	if c.CAFile != "" {
		opts.Roots, _ = listen.LoadAuthorities(c.CAFile) // it could be read before
	}
	for _, i := range st.PeerCertificates[1:] {
		opts.Intermediates.AddCert(i)
	}
	_, err := leaf.Verify(opts)
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &unknown) && c.CAFile == "":
		return bad("this machine does not trust who has signed the server's certificate (%s): name the authority with --ca", auth.DistinguishedName(leaf.RawIssuer))
	case errors.As(err, &unknown):
		return bad("the server's certificate is signed by %s, who is not in %s: it is another authority, or the server does not send the certificates in between", auth.DistinguishedName(leaf.RawIssuer), c.CAFile)
	case err != nil:
		return bad("the server's certificate is not good: %s", listen.CertificateProblem(err))
	}
	return good("")
}

func hosts(c *x509.Certificate) string {
	out := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	if len(out) == 0 {
		return "no host at all (it has no subject alternative name)"
	}
	return strings.Join(out, ", ")
}

func date(t time.Time) string { return t.Format("2006-01-02") }

// afterwards waits for what a server with TLS 1.3 says only after the handshake:
// that it does not accept our certificate. AMQP servers wait for the client to
// speak; so the header is sent.
func (c TLSCheck) afterwards(t *tls.Conn, st tls.ConnectionState) Finding {
	t.Write([]byte("AMQP\x00\x00\x09\x01"))
	var b [8]byte
	n, err := io.ReadFull(t, b[:])
	switch {
	case n == 0 && err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded):
		text := err.Error()
		if strings.Contains(text, "certificate required") {
			return bad("%s", noClientCertificate)
		}
		if strings.Contains(text, "remote error") {
			return bad("the server does not accept the client's certificate: %s", strings.TrimPrefix(text, "remote error: tls: "))
		}
	case strings.HasPrefix(string(b[:n]), "AMQP"):
		return bad("TLS works, but the server does not speak AMQP 0-9-1: it answers %q", b[:n])
	}
	leaf := st.PeerCertificates[0]
	days := int(leaf.NotAfter.Sub(c.now()).Hours() / 24)
	return good("%s, certificate %s of %s, valid until %s (%d days)", tls.VersionName(st.Version),
		auth.DistinguishedName(leaf.RawSubject), auth.DistinguishedName(leaf.RawIssuer), date(leaf.NotAfter), days)
}

// Files checks the files of a listener without a server.
func Files(o listen.TLSOptions, now time.Time) Finding {
	pair, err := listen.LoadPair(o.CertFile, o.KeyFile, o.Password)
	if err == nil {
		_, err = listen.NewTLS(o, nil)
	}
	if err != nil {
		return bad("%v", err)
	}
	leaf := pair.Leaf
	name := auth.DistinguishedName(leaf.RawSubject)
	switch {
	case now.After(leaf.NotAfter):
		return bad("the certificate (%s) has expired on %s", name, date(leaf.NotAfter))
	case now.Before(leaf.NotBefore):
		return bad("the certificate (%s) is valid from %s on only", name, date(leaf.NotBefore))
	case len(leaf.DNSNames)+len(leaf.IPAddresses) == 0:
		return bad("the certificate (%s) names no host as subject alternative name: clients will not accept it", name)
	}
	return good("certificate %s for %s, valid until %s, fits its key", name, hosts(leaf), date(leaf.NotAfter))
}

package interop

import (
	"crypto/x509/pkix"
	"net"
	"testing"

	"github.com/warrenmq/warren/brokertest"
	"github.com/warrenmq/warren/internal/pki"
	"github.com/warrenmq/warren/server"
)

// pika over TLS: with a password, with a certificate as login, without what is
// wanted, and without trust in the server.
func TestPikaTLS(t *testing.T) {
	t.Parallel()
	py := python(t, "pika", "python3-pika")
	dir := t.TempDir()
	ca, err := pki.NewAuthority("Test Authority")
	if err != nil {
		t.Fatal(err)
	}
	caFile, _, err := ca.Write(dir, "ca")
	if err != nil {
		t.Fatal(err)
	}
	issue := func(name string, r pki.Request) (cert, key string) {
		p, err := ca.Issue(r)
		if err != nil {
			t.Fatal(err)
		}
		if cert, key, err = p.Write(dir, name); err != nil {
			t.Fatal(err)
		}
		return cert, key
	}
	serverCert, serverKey := issue("server", pki.Request{Subject: pkix.Name{CommonName: "localhost"}, Hosts: []string{"localhost"}})
	cert, key := issue("client", pki.Request{Subject: pkix.Name{CommonName: "guest"}})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	b := brokertest.Start(t, brokertest.Configure(func(c *server.Config) {
		c.TLSListeners = []string{addr}
		c.TLS = server.TLS{CertFile: serverCert, KeyFile: serverKey, CAFile: caFile, VerifyPeer: true}
		c.Mechanisms = []string{"PLAIN", "EXTERNAL"}
		c.CertLogin = server.CertLogin{From: "common_name"}
	}))
	_, port, _ := net.SplitHostPort(addr)
	p := run(t, b, []string{"CA=" + caFile, "CERT=" + cert, "KEY=" + key, "TLSPORT=" + port}, py, "testdata/pika_tls.py")
	for _, want := range []string{"password 500000", "certificate 500000", "no certificate refused AuthenticationError", "no trust refused "} {
		p.expect(want)
	}
}

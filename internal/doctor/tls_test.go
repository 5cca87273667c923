package doctor

import (
	"crypto/x509/pkix"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/brokertest"
	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/pki"
	"github.com/warrenmq/warren/server"
)

// certs are the files of an authority and what it has signed.
func certs(t *testing.T, requests map[string]pki.Request) func(name string) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	ca, err := pki.NewAuthority("Test Authority")
	if err != nil {
		t.Fatal(err)
	}
	write := func(p *pki.Pair, err error, name string) {
		if err == nil {
			_, _, err = p.Write(dir, name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(ca, nil, "ca")
	for name, r := range requests {
		p, err := ca.Issue(r)
		write(p, err, name)
	}
	return func(name string) (string, string) {
		return filepath.Join(dir, name+"_certificate.pem"), filepath.Join(dir, name+"_key.pem")
	}
}

func TestTLSCheck(t *testing.T) {
	hosts := []string{"localhost", "127.0.0.1"}
	files := certs(t, map[string]pki.Request{
		"server": {Subject: pkix.Name{CommonName: "server"}, Hosts: hosts},
		"old":    {Subject: pkix.Name{CommonName: "old"}, Hosts: hosts, From: time.Now().Add(-48 * time.Hour), Until: time.Now().Add(-24 * time.Hour)},
		"other":  {Subject: pkix.Name{CommonName: "other"}, Hosts: []string{"other.example"}},
		"client": {Subject: pkix.Name{CommonName: "client"}},
	})
	strangers := certs(t, nil)
	ca, _ := files("ca")
	otherCA, _ := strangers("ca")
	clientCert, clientKey := files("client")
	node := func(name string, change func(*server.TLS)) (tlsAddr, plain, web string) {
		cert, key := files(name)
		b := brokertest.Start(t, brokertest.InMemory(), brokertest.Management(), brokertest.Configure(func(c *server.Config) {
			addr, err := freeAddr()
			if err != nil {
				t.Fatal(err)
			}
			c.TLSListeners, c.TLS = []string{addr}, server.TLS{CertFile: cert, KeyFile: key, CAFile: ca}
			change(&c.TLS)
			tlsAddr = addr
		}))
		return tlsAddr, b.Addr(), strings.TrimPrefix(b.ManagementURL(), "http://")
	}
	nothing := func(*server.TLS) {}
	addr, plain, web := node("server", nothing)
	old, _, _ := node("old", nothing)
	other, _, _ := node("other", nothing)
	strict, _, _ := node("server", func(o *server.TLS) { o.VerifyPeer, o.RequireCert = true, true })
	strict12, _, _ := node("server", func(o *server.TLS) { o.VerifyPeer, o.RequireCert, o.Versions = true, true, []string{"tlsv1.2"} })
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent.Close()
	for name, c := range map[string]struct {
		check TLSCheck
		want  string // with a "+" in front: all is well
	}{
		"good":           {TLSCheck{Addr: addr, CAFile: ca}, "+TLS 1.3, certificate CN=server of CN=Test Authority, valid until "},
		"plain AMQP":     {TLSCheck{Addr: plain}, "speaks plain AMQP, not TLS"},
		"plain HTTP":     {TLSCheck{Addr: web}, "speaks plain HTTP, not TLS"},
		"expired":        {TLSCheck{Addr: old, CAFile: ca}, "(CN=old) has expired on "},
		"wrong host":     {TLSCheck{Addr: other, CAFile: ca}, "it is for other.example, and you asked for 127.0.0.1"},
		"right host":     {TLSCheck{Addr: other, CAFile: ca, ServerName: "other.example"}, "+TLS 1.3"},
		"unknown CA":     {TLSCheck{Addr: addr, CAFile: otherCA}, "signed by CN=Test Authority, who is not in"},
		"no CA":          {TLSCheck{Addr: addr}, "name the authority with --ca"},
		"no client cert": {TLSCheck{Addr: strict, CAFile: ca}, "wants a client certificate"},
		"with 1.2":       {TLSCheck{Addr: strict12, CAFile: ca}, "client certificate"},
		"client cert":    {TLSCheck{Addr: strict, CAFile: ca, CertFile: clientCert, KeyFile: clientKey}, "+TLS 1.3"},
		"wrong key":      {TLSCheck{Addr: strict, CAFile: ca, CertFile: clientCert, KeyFile: strings.Replace(clientKey, "client", "server", 1)}, "does not belong to the certificate"},
		"nobody":         {TLSCheck{Addr: silent.Addr().String()}, "nothing listens on"},
		"not an address": {TLSCheck{Addr: "here"}, "is not host:port"},
	} {
		f := c.check.Run(t.Context())
		want, ok := strings.CutPrefix(c.want, "+")
		if f.OK != ok || !strings.Contains(f.Text, want) || strings.Contains(f.Text, "\n") {
			t.Errorf("%s: %v %s, want %s", name, f.OK, f.Text, c.want)
		}
	}
}

func freeAddr() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

func TestFiles(t *testing.T) {
	files := certs(t, map[string]pki.Request{
		"server": {Subject: pkix.Name{CommonName: "server"}, Hosts: []string{"localhost"}},
		"nobody": {Subject: pkix.Name{CommonName: "nobody"}},
	})
	cert, key := files("server")
	nobody, nobodyKey := files("nobody")
	now := time.Now()
	for _, c := range []struct {
		o    listen.TLSOptions
		now  time.Time
		want string
	}{
		{listen.TLSOptions{CertFile: cert, KeyFile: key}, now, "+certificate CN=server for localhost, valid until "},
		{listen.TLSOptions{CertFile: cert, KeyFile: key}, now.AddDate(10, 0, 0), "has expired on"},
		{listen.TLSOptions{CertFile: cert, KeyFile: key}, now.AddDate(-1, 0, 0), "is valid from"},
		{listen.TLSOptions{CertFile: cert, KeyFile: nobodyKey}, now, "does not belong to the certificate"},
		{listen.TLSOptions{CertFile: nobody, KeyFile: nobodyKey}, now, "names no host"},
		{listen.TLSOptions{CertFile: cert, KeyFile: key, VerifyPeer: true}, now, "set cacertfile"},
	} {
		f := Files(c.o, c.now)
		want, ok := strings.CutPrefix(c.want, "+")
		if f.OK != ok || !strings.Contains(f.Text, want) {
			t.Errorf("%v %s, want %s", f.OK, f.Text, c.want)
		}
	}
}

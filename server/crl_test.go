package server

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/pki"
)

// revoke writes a list of an authority, signed by it, as PEM or DER.
func revoke(t *testing.T, ca *pki.Pair, file string, until time.Time, serials ...*big.Int) {
	t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(time.Now().UnixNano()), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: until}
	for _, n := range serials {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, ca.Cert, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(file) == ".pem" {
		der = pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
	}
	if err := os.WriteFile(file+".new", der, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// letIn reports whether a peer gets through the handshake.
func letIn(addr string, cfg *tls.Config) bool {
	cfg = cfg.Clone()
	cfg.MaxVersion = tls.VersionTLS12 // in which Dial knows
	nc, err := tls.Dial("tcp", addr, cfg)
	if err != nil {
		return false
	}
	nc.Close()
	return true
}

// Peers whose certificates are revoked are not let in. What counts as known
// depends on crl_check.
func TestRevocationLists(t *testing.T) {
	c := newCerts(t)
	between, err := c.ca.IssueAuthority("Between")
	if err != nil {
		t.Fatal(err)
	}
	serial := func(cert string) *big.Int {
		b, err := os.ReadFile(cert)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(b)
		leaf, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		return leaf.SerialNumber
	}
	direct, directKey := c.issue(t, "direct", pki.Request{Subject: pkix.Name{CommonName: "direct"}})
	bad, badKey := c.issue(t, "bad", pki.Request{Subject: pkix.Name{CommonName: "bad"}})
	low, err := between.Issue(pki.Request{Subject: pkix.Name{CommonName: "low"}})
	if err != nil {
		t.Fatal(err)
	}
	peers := map[string]*tls.Config{"nobody": c.client(t, "", ""), "direct": c.client(t, direct, directKey), "bad": c.client(t, bad, badKey), "low": c.client(t, "", "")}
	peers["low"].Certificates = []tls.Certificate{{Certificate: [][]byte{low.Cert.Raw, between.Cert.Raw}, PrivateKey: low.Key}}
	soon, gone := time.Now().Add(time.Hour), time.Now().Add(-time.Minute)

	for _, k := range []struct {
		name, check string
		lists       func(dir string)
		in          map[string]bool
		reason      string
	}{
		{"all lists are there", "true", func(dir string) {
			revoke(t, c.ca, filepath.Join(dir, "root.pem"), soon, serial(bad))
			revoke(t, between, filepath.Join(dir, "0a1b2c3d.r0"), soon)
		}, map[string]bool{"nobody": true, "direct": true, "low": true}, "the certificate of CN=bad was revoked on"},
		{"the one in between is revoked", "true", func(dir string) {
			revoke(t, c.ca, filepath.Join(dir, "root.crl"), soon, between.Cert.SerialNumber)
			revoke(t, between, filepath.Join(dir, "between.crl"), soon)
		}, map[string]bool{"nobody": true, "direct": true, "bad": true}, "the certificate of CN=Between was revoked on"},
		{"it does not matter who is in between", "peer", func(dir string) {
			revoke(t, c.ca, filepath.Join(dir, "root.crl"), soon, between.Cert.SerialNumber, serial(bad))
			revoke(t, between, filepath.Join(dir, "between.crl"), soon)
		}, map[string]bool{"nobody": true, "direct": true, "low": true}, "CN=bad was revoked on"},
		{"a list is missing", "true", func(dir string) { revoke(t, c.ca, filepath.Join(dir, "root.crl"), soon) },
			map[string]bool{"nobody": true, "direct": true, "bad": true}, "there is no revocation list of CN=Between"},
		{"a list is too old", "peer", func(dir string) { revoke(t, c.ca, filepath.Join(dir, "root.pem"), gone) },
			map[string]bool{"nobody": true}, "was to be replaced by"},
		{"what is not known is good", "best_effort", func(dir string) { revoke(t, c.ca, filepath.Join(dir, "root.pem"), gone, serial(bad)) },
			map[string]bool{"nobody": true, "direct": true, "low": true}, "CN=bad was revoked on"},
		{"a list of somebody else", "true", func(dir string) {
			stranger, err := pki.NewAuthority("Test Authority")
			if err != nil {
				t.Fatal(err)
			}
			revoke(t, stranger, filepath.Join(dir, "root.pem"), soon, serial(direct))
		}, map[string]bool{"nobody": true}, "is not signed by it"},
	} {
		dir, log := t.TempDir(), &logged{}
		k.lists(dir)
		os.WriteFile(filepath.Join(dir, "ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.ca.Cert.Raw}), 0o600)
		s := start(t, withTLS(c, func(o *TLS) { o.VerifyPeer, o.CRLCheck, o.CRLs = true, k.check, []string{dir} }),
			func(cfg *Config) { cfg.Logger = slog.New(slog.NewTextHandler(log, nil)) })
		addr := s.TLSAddrs()[0].String()
		for name, cfg := range peers {
			if got := letIn(addr, cfg); got != k.in[name] {
				t.Errorf("%s: %s is let in: %v", k.name, name, got)
			}
		}
		log.await(t, k.reason)
	}
}

// A new list counts for new connections, without anybody being told; one that
// cannot be read changes nothing.
func TestNewRevocationList(t *testing.T) {
	c := newCerts(t)
	cert, key := c.issue(t, "client", pki.Request{Subject: pkix.Name{CommonName: "client"}})
	peer := c.client(t, cert, key)
	dir, log := t.TempDir(), &logged{}
	list := filepath.Join(dir, "root.crl")
	revoke(t, c.ca, list, time.Now().Add(time.Hour))
	s := start(t, withTLS(c, func(o *TLS) { o.VerifyPeer, o.CRLCheck, o.CRLs = true, "true", []string{dir} }),
		func(cfg *Config) { cfg.Logger = slog.New(slog.NewTextHandler(log, nil)) })
	addr := s.TLSAddrs()[0].String()
	if !letIn(addr, peer) {
		t.Fatal("a good certificate is refused")
	}
	if err := os.WriteFile(filepath.Join(dir, "other.crl"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reload(); err == nil || !letIn(addr, peer) {
		t.Errorf("nonsense: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "other.crl")); err != nil {
		t.Fatal(err)
	}
	revoke(t, c.ca, list, time.Now().Add(time.Hour), peer.Certificates[0].Leaf.SerialNumber)
	for end := time.Now().Add(10 * time.Second); letIn(addr, peer); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a new list is not noticed")
		}
	}
	log.await(t, "the certificate of CN=client was revoked on")
}

// Depth counts the certificates between a peer's and the root.
func TestDepth(t *testing.T) {
	c := newCerts(t)
	between, err := c.ca.IssueAuthority("Between")
	if err != nil {
		t.Fatal(err)
	}
	low, err := between.Issue(pki.Request{Subject: pkix.Name{CommonName: "low"}})
	if err != nil {
		t.Fatal(err)
	}
	far := c.client(t, "", "")
	far.Certificates = []tls.Certificate{{Certificate: [][]byte{low.Cert.Raw, between.Cert.Raw}, PrivateKey: low.Key}}
	near := c.client(t, c.tls.CertFile, c.tls.KeyFile)
	for depth, want := range map[int][2]bool{0: {true, true}, 1: {true, true}, -1: {true, false}} {
		s := start(t, withTLS(c, func(o *TLS) { o.VerifyPeer, o.Depth = true, depth }))
		addr := s.TLSAddrs()[0].String()
		if got := [2]bool{letIn(addr, near), letIn(addr, far)}; got != want {
			t.Errorf("%d: %v", depth, got)
		}
	}
}

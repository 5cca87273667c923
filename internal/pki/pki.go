// Package pki makes certificates: an authority, and what it signs. It is for
// first tries and for tests; who has a real authority uses that.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Pair is a certificate and its key.
type Pair struct {
	Cert *x509.Certificate
	Key  *ecdsa.PrivateKey
}

// Request is what a certificate is to say.
type Request struct {
	Subject pkix.Name
	// Hosts are names and addresses of a server; none: it is a client's.
	Hosts  []string
	From   time.Time // zero: an hour ago, as clocks differ
	Until  time.Time // zero: 825 days on, more is not liked by some
	Emails []string
}

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 825 * 24 * time.Hour
)

// NewAuthority makes one that signs others.
func NewAuthority(name string) (*Pair, error) {
	t := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:  x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(authorityLife),
	}
	return sign(t, nil)
}

// IssueAuthority signs an authority's certificate: one that stands between ca and
// those that it signs itself.
func (ca *Pair) IssueAuthority(name string) (*Pair, error) {
	t := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:  x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(authorityLife),
	}
	return sign(t, ca)
}

// Issue signs a certificate.
func (ca *Pair) Issue(r Request) (*Pair, error) {
	t := &x509.Certificate{
		Subject: r.Subject, EmailAddresses: r.Emails, NotBefore: r.From, NotAfter: r.Until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	if t.NotBefore.IsZero() {
		t.NotBefore = time.Now().Add(-time.Hour)
	}
	if t.NotAfter.IsZero() {
		t.NotAfter = time.Now().Add(leafLife)
	}
	for _, h := range r.Hosts {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	return sign(t, ca)
}

// sign makes a key and signs its certificate, by itself if ca is nil.
func sign(t *x509.Certificate, ca *Pair) (*Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, err
	}
	parent, signer := t, key
	if ca != nil {
		parent, signer = ca.Cert, ca.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Pair{cert, key}, nil
}

// CertPEM is the certificate as PEM.
func (p *Pair) CertPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Cert.Raw})
}

// KeyPEM is the key as PEM.
func (p *Pair) KeyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Write writes NAME_certificate.pem and NAME_key.pem, and returns their paths. It
// replaces nothing.
func (p *Pair) Write(dir, name string) (cert, key string, err error) {
	cert, key = filepath.Join(dir, name+"_certificate.pem"), filepath.Join(dir, name+"_key.pem")
	k, err := p.KeyPEM()
	if err != nil {
		return "", "", err
	}
	if err := create(key, k, 0o600); err != nil {
		return "", "", err
	}
	return cert, key, create(cert, p.CertPEM(), 0o644)
}

func create(name string, b []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and not replaced", name)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

package listen

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// How peers' certificates are looked up in revocation lists.
const (
	CRLPeer       = "peer"        // the peer's own certificate
	CRLChain      = "true"        // and those in between
	CRLBestEffort = "best_effort" // the same, and what no list knows is good
)

// maxCRL bounds a file with lists.
const maxCRL = 64 << 20

// crls are the revocation lists of a listener, by their issuer's name.
type crls map[string][]*x509.RevocationList

// crlName tells lists from other files of a directory: NAME.pem, NAME.crl, or
// the names that openssl rehash gives them, HASH.rN.
var crlName = regexp.MustCompile(`\.(pem|crl|der|r\d+)$`)

// crlFiles lists the files with lists in some directories, and files.
func crlFiles(paths []string) (out []string, err error) {
	for _, p := range paths {
		fi, err := os.Stat(p)
		if err != nil {
			return nil, fmt.Errorf("revocation lists cannot be read: %w", err)
		}
		if !fi.IsDir() {
			out = append(out, p)
			continue
		}
		entries, err := os.ReadDir(p) // sorted
		if err != nil {
			return nil, fmt.Errorf("revocation lists cannot be read: %w", err)
		}
		for _, e := range entries {
			if crlName.MatchString(e.Name()) {
				out = append(out, filepath.Join(p, e.Name()))
			}
		}
	}
	return out, nil
}

// loadCRLs reads all lists. A file in a directory that holds none (certificates
// may lie beside them) is passed over; what cannot be read is an error.
func loadCRLs(paths []string) (crls, error) {
	files, err := crlFiles(paths)
	if err != nil {
		return nil, err
	}
	all := crls{}
	for _, f := range files {
		if err := all.read(f); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (c crls) read(file string) error {
	fi, err := os.Stat(file)
	if err == nil && fi.Size() > maxCRL {
		err = errors.New("the file is too long")
	}
	var raw []byte
	if err == nil {
		raw, err = os.ReadFile(file)
	}
	if err != nil {
		return fmt.Errorf("the revocation list %s cannot be read: %w", file, err)
	}
	add := func(der []byte) error {
		l, err := x509.ParseRevocationList(der)
		if err != nil {
			return fmt.Errorf("the revocation list %s cannot be read: %w", file, err)
		}
		c[string(l.RawIssuer)] = append(c[string(l.RawIssuer)], l)
		return nil
	}
	if !bytes.Contains(raw, []byte("-----BEGIN ")) {
		return add(raw)
	}
	for {
		var b *pem.Block
		if b, raw = pem.Decode(raw); b == nil {
			return nil
		}
		if b.Type != "X509 CRL" {
			continue
		}
		if err := add(b.Bytes); err != nil {
			return err
		}
	}
}

// RevokedError says that a certificate has been revoked, or that nobody knows.
type RevokedError struct {
	Cert    *x509.Certificate
	Since   time.Time // when it was revoked
	Unknown string    // why it is not known; "": it was revoked
}

func (e *RevokedError) Error() string {
	if e.Unknown != "" {
		return fmt.Sprintf("whether the certificate of %s is revoked is not known: %s (crl_check)", e.Cert.Subject, e.Unknown)
	}
	return fmt.Sprintf("the certificate of %s was revoked on %s", e.Cert.Subject, e.Since.UTC().Format("2006-01-02 15:04"))
}

// check looks up the chains of a peer. The last of a chain is one that we trust,
// and not looked up; it may stand in the middle of another chain. So what is
// revoked in any of them is, and of one of them everything has to be known.
func (c crls) check(mode string, chains [][]*x509.Certificate, now time.Time) error {
	var unknown error
	good := len(chains) == 0 // the peer has sent no certificate
	for _, chain := range chains {
		err := c.chain(mode, chain, now)
		var e *RevokedError
		switch {
		case err == nil:
			good = true
		case errors.As(err, &e) && e.Unknown != "":
			unknown = err
		default:
			return err
		}
	}
	if good {
		return nil
	}
	return unknown
}

func (c crls) chain(mode string, chain []*x509.Certificate, now time.Time) error {
	for i := 0; i+1 < len(chain) && (i == 0 || mode != CRLPeer); i++ {
		err := c.status(chain[i], chain[i+1], now)
		var e *RevokedError
		if errors.As(err, &e) && e.Unknown != "" && mode == CRLBestEffort {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// status looks up a certificate in its issuer's lists. A list counts if the
// issuer has signed it. One that is too old, or not about all certificates, can
// say that a certificate is revoked, but not that it is not.
func (c crls) status(cert, issuer *x509.Certificate, now time.Time) error {
	unknown := "there is no revocation list of " + issuer.Subject.String()
	known := false
	for _, l := range c[string(cert.RawIssuer)] {
		if err := l.CheckSignatureFrom(issuer); err != nil {
			unknown = "the revocation list of " + issuer.Subject.String() + " is not signed by it"
			continue
		}
		for _, r := range l.RevokedCertificateEntries {
			if r.SerialNumber.Cmp(cert.SerialNumber) == 0 {
				return &RevokedError{Cert: cert, Since: r.RevocationTime}
			}
		}
		switch {
		case !l.NextUpdate.IsZero() && now.After(l.NextUpdate):
			unknown = fmt.Sprintf("the revocation list of %s was to be replaced by %s", issuer.Subject, l.NextUpdate.UTC().Format("2006-01-02 15:04"))
		case now.Before(l.ThisUpdate):
			unknown = fmt.Sprintf("the revocation list of %s is from %s, and not valid yet", issuer.Subject, l.ThisUpdate.UTC().Format("2006-01-02 15:04"))
		case partial(l):
			unknown = "the revocation list of " + issuer.Subject.String() + " is not about all its certificates"
		default:
			known = true
		}
	}
	if known {
		return nil
	}
	return &RevokedError{Cert: cert, Unknown: unknown}
}

// partial reports whether a list has a critical extension: a delta, or a list
// for some certificates only (RFC 5280, 5.2).
func partial(l *x509.RevocationList) bool {
	for _, e := range l.Extensions {
		if e.Critical {
			return true
		}
	}
	return false
}

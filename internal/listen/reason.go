package listen

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// HandshakeError says in a sentence why a peer could not be let in.
func HandshakeError(err error) string {
	var notTLS tls.RecordHeaderError
	var cert *tls.CertificateVerificationError
	var alert tls.AlertError
	var revoked *RevokedError
	text := strings.TrimPrefix(err.Error(), "tls: ")
	switch {
	case errors.As(err, &notTLS):
		return "the peer does not speak TLS (first bytes " + fmt.Sprintf("%q", notTLS.RecordHeader[:]) + "): this port is for TLS"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "the peer did not finish its handshake in time"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET):
		return "the peer closed the connection during the handshake: it may not trust our certificate"
	case strings.Contains(text, "bad record MAC"): // an alert that came before the peer had the keys
		return "the peer broke the handshake off: it may not trust our certificate"
	case errors.As(err, &revoked):
		return "the peer's certificate is not accepted: " + revoked.Error()
	case errors.As(err, &cert):
		return "the peer's certificate is not accepted: " + CertificateProblem(cert.Err)
	case errors.As(err, &alert):
		return "the peer ended the handshake: " + alertText(alert)
	case strings.Contains(text, "didn't provide a certificate"):
		return "the peer sent no certificate, and one is wanted (fail_if_no_peer_cert)"
	case strings.HasPrefix(text, "remote error: tls: "):
		return "the peer ended the handshake: " + remoteText(strings.TrimPrefix(text, "remote error: tls: "))
	}
	return text
}

// CertificateProblem says what is wrong with a certificate.
func CertificateProblem(err error) string {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	switch {
	case errors.As(err, &unknown):
		return "it is signed by nobody whom we trust (unknown CA)"
	case errors.As(err, &host):
		return "it is for another host: " + host.Error()
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		if c := invalid.Cert; c != nil {
			return fmt.Sprintf("it is valid from %s to %s, and not now (expired, or not yet valid)", c.NotBefore.Format("2006-01-02 15:04"), c.NotAfter.Format("2006-01-02 15:04"))
		}
		return "it has expired or is not valid yet"
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return "it is not made for this use (extended key usage)"
	}
	return strings.TrimPrefix(err.Error(), "x509: ")
}

func alertText(a tls.AlertError) string {
	return remoteText(strings.TrimPrefix(a.Error(), "tls: "))
}

// remoteText adds what an alert usually means.
func remoteText(s string) string {
	switch {
	case strings.Contains(s, "unknown certificate authority"):
		return "it does not know who signed our certificate (" + s + ")"
	case strings.Contains(s, "bad certificate"), strings.Contains(s, "unknown certificate"):
		return "it does not accept our certificate (" + s + ")"
	case strings.Contains(s, "protocol version"):
		return "it speaks other versions of TLS than we do (" + s + ")"
	}
	return s
}

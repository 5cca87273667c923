package auth

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
	"unicode/utf8"
)

// CertLogin says what of a peer's certificate is its user name.
type CertLogin struct {
	From     string // distinguished_name (or ""), common_name, subject_alternative_name
	SANType  string // dns (or ""), ip, email, uri
	SANIndex int    // from 0
}

// CertificateName is the name of the user whom a certificate stands for; "" if
// it has none of the kind.
func CertificateName(c *x509.Certificate, l CertLogin) string {
	switch l.From {
	case "common_name":
		return commonName(c)
	case "subject_alternative_name":
		return alternativeName(c, l)
	}
	return DistinguishedName(c.RawSubject)
}

// rdnSET is a part of a name; its elements are of equal rank.
type rdnSET []attribute

type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// DistinguishedName writes a name as RabbitMQ does: RFC 4514, the most specific
// part first, with more escaped than is needed.
func DistinguishedName(raw []byte) string {
	var seq []rdnSET
	if rest, err := asn1.Unmarshal(raw, &seq); err != nil || len(rest) > 0 {
		return ""
	}
	var parts []string
	for i := len(seq) - 1; i >= 0; i-- {
		var attrs []string
		for _, a := range seq[i] {
			attrs = append(attrs, attributeName(a.Type)+"="+escapeName(attributeText(a.Value)))
		}
		parts = append(parts, strings.Join(attrs, "+"))
	}
	return strings.Join(parts, ",")
}

func attributeName(t asn1.ObjectIdentifier) string {
	names := map[string]string{
		"2.5.4.4": "SN", "2.5.4.42": "GIVENNAME", "2.5.4.43": "INITIALS", "2.5.4.44": "GENERATIONQUALIFIER", "2.5.4.3": "CN",
		"2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "TITLE", "2.5.4.6": "C",
		"2.5.4.5": "SERIALNUMBER", "2.5.4.65": "PSEUDONYM", "0.9.2342.19200300.100.1.25": "DC",
		"1.2.840.113549.1.9.1": "EMAILADDRESS", "2.5.4.9": "STREET", "0.9.2342.19200300.100.1.1": "UID",
	}
	if n := names[t.String()]; n != "" {
		return n
	}
	return t.String()
}

// attributeText is the text of a value, as UTF-8.
func attributeText(v asn1.RawValue) string {
	var s string
	if v.Tag == asn1.TagT61String { // taken for Latin 1 by everybody
		var b []byte
		for _, c := range v.Bytes {
			b = utf8.AppendRune(b, rune(c))
		}
		return string(b)
	}
	if _, err := asn1.Unmarshal(v.FullBytes, &s); err == nil {
		return s
	}
	return string(v.Bytes)
}

func escapeName(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 0 && (c == ' ' || c == '#'), i == len(s)-1 && c == ' ', strings.IndexByte(`"+,;<>\`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < 32 || c >= 126:
			fmt.Fprintf(&b, `\%02X`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// commonName joins the common names; there is one, as a rule.
func commonName(c *x509.Certificate) string {
	var out []string
	var seq pkix.RDNSequence
	if _, err := asn1.Unmarshal(c.RawSubject, &seq); err != nil {
		return ""
	}
	for _, set := range seq {
		for _, a := range set {
			if s, ok := a.Value.(string); ok && a.Type.String() == "2.5.4.3" {
				out = append(out, s)
			}
		}
	}
	return strings.Join(out, ",")
}

func alternativeName(c *x509.Certificate, l CertLogin) string {
	var names []string
	switch l.SANType {
	case "ip":
		for _, ip := range c.IPAddresses {
			names = append(names, ip.String())
		}
	case "email":
		names = c.EmailAddresses
	case "uri":
		for _, u := range c.URIs {
			names = append(names, u.String())
		}
	default:
		names = c.DNSNames
	}
	if l.SANIndex < 0 || l.SANIndex >= len(names) {
		return ""
	}
	return names[l.SANIndex]
}

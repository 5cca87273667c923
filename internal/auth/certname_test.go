package auth

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"net/url"
	"testing"
)

// A distinguished name is written as RabbitMQ writes it.
func TestDistinguishedName(t *testing.T) {
	a := func(oid asn1.ObjectIdentifier, v any) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: oid, Value: v}}
	}
	cn, o, c := asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.ObjectIdentifier{2, 5, 4, 10}, asn1.ObjectIdentifier{2, 5, 4, 6}
	t61 := asn1.RawValue{Tag: asn1.TagT61String, Bytes: []byte("M\xfcller")}
	for _, x := range []struct {
		seq  pkix.RDNSequence
		want string
	}{
		{pkix.RDNSequence{a(c, "DE"), a(o, "Shop"), a(cn, "client")}, "CN=client,O=Shop,C=DE"},
		{pkix.RDNSequence{a(cn, ` a,b+c"d\e<f>;g# `)}, `CN=\ a\,b\+c\"d\\e\<f\>\;g#\ `},
		{pkix.RDNSequence{a(cn, "#1")}, `CN=\#1`},
		{pkix.RDNSequence{a(cn, "Müller\x01")}, `CN=M\C3\BCller\01`},
		{pkix.RDNSequence{a(cn, t61)}, `CN=M\C3\BCller`},
		{pkix.RDNSequence{a(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, "a@b.c"), a(asn1.ObjectIdentifier{1, 2, 3}, "x")}, "1.2.3=x,EMAILADDRESS=a@b.c"},
		{pkix.RDNSequence{{{Type: cn, Value: "x"}, {Type: o, Value: "y"}}}, "CN=x+O=y"},
		{nil, ""},
	} {
		raw, err := asn1.Marshal(x.seq)
		if err != nil {
			t.Fatal(err)
		}
		if got := DistinguishedName(raw); got != x.want {
			t.Errorf("%s, want %s", got, x.want)
		}
	}
	if got := DistinguishedName([]byte("nonsense")); got != "" {
		t.Errorf("nonsense: %s", got)
	}
}

func TestCertificateName(t *testing.T) {
	raw, err := asn1.Marshal(pkix.Name{CommonName: "ann", Organization: []string{"Shop"}}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse("spiffe://shop/ann")
	c := &x509.Certificate{RawSubject: raw, DNSNames: []string{"a.example", "b.example"}, EmailAddresses: []string{"ann@example.org"},
		IPAddresses: []net.IP{net.ParseIP("10.0.0.7")}, URIs: []*url.URL{u}}
	for _, x := range []struct {
		l    CertLogin
		want string
	}{
		{CertLogin{}, "CN=ann,O=Shop"},
		{CertLogin{From: "common_name"}, "ann"},
		{CertLogin{From: "subject_alternative_name"}, "a.example"},
		{CertLogin{From: "subject_alternative_name", SANIndex: 1}, "b.example"},
		{CertLogin{From: "subject_alternative_name", SANIndex: 2}, ""},
		{CertLogin{From: "subject_alternative_name", SANType: "ip"}, "10.0.0.7"},
		{CertLogin{From: "subject_alternative_name", SANType: "uri"}, "spiffe://shop/ann"},
	} {
		if got := CertificateName(c, x.l); got != x.want {
			t.Errorf("%+v: %q, want %q", x.l, got, x.want)
		}
	}
}

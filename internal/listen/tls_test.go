package listen

import (
	"crypto/tls"
	"strings"
	"testing"
)

// The names that RabbitMQ's users write are OpenSSL's; newer ones are IANA's.
func TestCipherNames(t *testing.T) {
	for name, want := range map[string]uint16{
		"ECDHE-RSA-AES128-GCM-SHA256":             tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		"ECDHE-ECDSA-AES256-GCM-SHA384":           tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		"ECDHE-RSA-CHACHA20-POLY1305":             tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		"ECDHE-RSA-AES256-SHA":                    tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
		"AES128-GCM-SHA256":                       tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
		"AES256-SHA":                              tls.TLS_RSA_WITH_AES_256_CBC_SHA,
		"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		"TLS_AES_256_GCM_SHA384":                  tls.TLS_AES_256_GCM_SHA384,
		"ECDHE-ECDSA-CHACHA20-POLY1305":           tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	} {
		if got, _, ok := suite(name); !ok || got != want {
			t.Errorf("%s: %#x, %v; want %#x", name, got, ok, want)
		}
	}
	if _, _, ok := suite("DHE-RSA-AES256-GCM-SHA384"); ok {
		t.Error("finite fields are not supported")
	}
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		names  []string
		lo, hi uint16
	}{
		{nil, tls.VersionTLS12, tls.VersionTLS13},
		{[]string{"tlsv1.3"}, tls.VersionTLS13, tls.VersionTLS13},
		{[]string{"tlsv1.3", "tlsv1.2", "tlsv1.1"}, tls.VersionTLS11, tls.VersionTLS13},
		{[]string{"tlsv1.2"}, tls.VersionTLS12, tls.VersionTLS12},
	} {
		if lo, hi, err := versions(c.names); lo != c.lo || hi != c.hi || err != nil {
			t.Errorf("%v: %#x to %#x, %v", c.names, lo, hi, err)
		}
	}
}

// A list says what may be used: what Go does not have is left out, what does not
// exist is a mistake.
func TestCipherLists(t *testing.T) {
	for _, c := range []struct{ list, missing, err string }{
		{"ECDHE-RSA-AES256-GCM-SHA384 DHE-RSA-AES256-GCM-SHA384 ECDH-ECDSA-AES256-SHA384 TLS_AES_128_CCM_8_SHA256", "DHE-RSA-AES256-GCM-SHA384 ECDH-ECDSA-AES256-SHA384 TLS_AES_128_CCM_8_SHA256", ""},
		{"TLS_AES_256_GCM_SHA384 DHE-DSS-AES256-SHA256", "DHE-DSS-AES256-SHA256", ""},
		{"DHE-RSA-AES256-GCM-SHA384", "", "leaves none"},
		{"ECDHE-RSA-AES256-GCM-SHA348", "", "there is no cipher suite ECDHE-RSA-AES256-GCM-SHA348"},
		{"HIGH", "", "there is no cipher suite"},
	} {
		o := TLSOptions{Ciphers: strings.Fields(c.list)}
		missing, err := o.setCiphers(&tls.Config{MaxVersion: tls.VersionTLS13})
		if strings.Join(missing, " ") != c.missing && err == nil || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %q, %v", c.list, missing, err)
		}
	}
}

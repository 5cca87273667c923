package config

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/server"
)

// coreKeys are listeners, sockets, TLS, and what clients are told.
func (b *build) coreKeys() []key {
	s := b.s
	rows := []key{
		{name: "listeners.tcp", def: "", set: none("tcp")},
		{name: "listeners.tcp.$name", def: "5672", set: listener("tcp")},
		{name: "listeners.ssl", def: "none", set: none("ssl")},
		{name: "listeners.ssl.$name", set: listener("ssl")},
		{name: "handshake_timeout", def: "10000", set: millis(&s.HandshakeTimeout)},
		{name: "ssl_handshake_timeout", def: "5000", set: millis(&s.TLSHandshakeTimeout)},
		{name: "proxy_protocol", def: "false", set: boolean(&s.ProxyProtocol)},
		{name: "reverse_dns_lookups", note: "addresses are shown as they are: to look up names would hold up each connection"},
		{name: "tcp_listen_options.nodelay", def: "true", set: func(_ *build, _ []string, v string) error {
			on, err := parseBool(v)
			s.Socket.Delay = !on
			return err
		}},
		{name: "tcp_listen_options.keepalive", def: "true", set: func(_ *build, _ []string, v string) error {
			on, err := parseBool(v)
			s.Socket.NoKeepAlive = !on
			return err
		}},
		{name: "tcp_listen_options.sndbuf", set: integer(&s.Socket.SendBuffer, 0, 1<<30)},
		{name: "tcp_listen_options.recbuf", set: integer(&s.Socket.RecvBuffer, 0, 1<<30)},
		{name: "tcp_listen_options.linger.on", note: "a closed connection takes along what it was sent"},
		{name: "tcp_listen_options.linger.timeout", note: "a closed connection takes along what it was sent"},
		{name: "tcp_listen_options.send_timeout", note: "a peer that takes nothing is found out by its heartbeats"},
		{name: "ssl_cert_login_from", def: "distinguished_name", set: choice(&s.CertLogin.From, "distinguished_name", "common_name", "subject_alternative_name")},
		{name: "ssl_cert_login_san_type", def: "dns", set: choice(&s.CertLogin.SANType, "dns", "ip", "email", "uri")},
		{name: "ssl_cert_login_san_index", def: "0", set: integer(&s.CertLogin.SANIndex, 0, 1000)},

		{name: "cluster_name", set: needed(&s.ClusterName)},
		{name: "product.name", def: "RabbitMQ", set: needed(&s.Product)},
		{name: "product.version", def: server.Level, set: needed(&s.ProductVersion)},
		{name: "heartbeat", def: "60", set: orNever(&s.Heartbeat, func(_ *build, _ []string, v string) (err error) {
			s.Heartbeat, err = parseSeconds(v)
			if err == nil && s.Heartbeat > 65535*time.Second {
				return errors.New("at most 65535 seconds")
			}
			return err
		})},
		{name: "frame_max", def: "131072", set: func(_ *build, _ []string, v string) error {
			if v == "0" {
				return errors.New("frames without a limit are not supported: a peer could take any amount of memory")
			}
			return integer(&s.FrameMax, 4096, 1<<31)(nil, nil, v)
		}},
		{name: "channel_max", def: "2047", set: channels(&s.ChannelMax)},
		{name: "max_channels_per_connection", set: channels(&s.ChannelMax)},
		{name: "initial_frame_max", note: "frames of a peer that has not logged in are limited to 8192 bytes", harmless: []string{"8192"}},
	}
	rows = append(rows, b.tlsKeys("ssl_options", &s.TLS)...)
	return rows
}

// channels is a number of channels; 0 is as many as the protocol has.
func channels(p *uint16) setter {
	return func(b *build, at []string, v string) error {
		if v == "0" {
			v = "65535"
		}
		return integer(p, 1, 65535)(b, at, v)
	}
}

func none(protocol string) setter {
	return func(b *build, _ []string, v string) error {
		b.off[protocol] = true
		return oneOf(v, "none")
	}
}

func listener(protocol string) setter {
	return func(b *build, at []string, v string) error {
		if v == "none" {
			b.off[protocol] = true
			return nil
		}
		addr, err := address(v)
		b.listeners[protocol][at[0]] = addr
		return err
	}
}

// tlsKeys are those of one set of TLS options.
func (b *build) tlsKeys(prefix string, t *server.TLS) []key {
	p := prefix + "."
	const choose = "Go's TLS chooses well by itself"
	return []key{
		{name: p + "cacertfile", set: needed(&t.CAFile)},
		{name: p + "certfile", set: needed(&t.CertFile)},
		{name: p + "keyfile", set: needed(&t.KeyFile)},
		{name: p + "password", set: text(&t.Password), secret: true},
		{name: p + "verify", def: "verify_none", set: func(_ *build, _ []string, v string) error {
			t.VerifyPeer = v == "verify_peer"
			return oneOf(v, "verify_peer", "verify_none")
		}},
		{name: p + "fail_if_no_peer_cert", def: "false", set: boolean(&t.RequireCert)},
		{name: p + "depth", def: "10", set: func(_ *build, _ []string, v string) error {
			n, err := parseInt(v, 0, 255)
			if t.Depth = int(n); n == 0 {
				t.Depth = -1 // 0 would be the default
			}
			return err
		}},
		{name: p + "versions.$n", def: "tlsv1.3, tlsv1.2", set: item(prefix+".versions", among("tlsv1.3", "tlsv1.2", "tlsv1.1", "tlsv1"))},
		{name: p + "ciphers.$n", def: "Go's", set: item(prefix+".ciphers", anything)},
		{name: p + "honor_cipher_order", note: choose},
		{name: p + "honor_ecc_order", note: choose},
		{name: p + "client_renegotiation", note: "nobody renegotiates"},
		{name: p + "secure_renegotiate", note: "nobody renegotiates"},
		{name: p + "reuse_sessions", note: "sessions are resumed by tickets"},
		{name: p + "crl_check", def: "false", set: func(_ *build, _ []string, v string) error {
			if t.CRLCheck = v; v == "false" {
				t.CRLCheck = ""
			}
			return oneOf(v, "true", "false", "peer", "best_effort")
		}},
		{name: p + "crl_sources.$n", set: func(_ *build, _ []string, v string) error {
			if v == "http" {
				return errors.New("revocation lists are not fetched; have them fetched into a directory, and name that: crl_sources.1 = dir")
			}
			return oneOf(v, "dir")
		}},
		{name: p + "crl_sources.$n.path", set: item(prefix+".crl_sources", anything)},
		{name: p + "crl_sources.$n.timeout", refuse: "revocation lists are not fetched; have them fetched into a directory, and name that: crl_sources.1 = dir"},
		{name: p + "log_level", note: "failed handshakes are logged as errors, with the reason"},
		{name: p + "log_alert", note: "failed handshakes are logged as errors, with the reason"},
		{name: p + "sni", note: "this is for clients"},
		{name: p + "hostname_verification", note: "this is for clients"},
		{name: p + "bypass_pem_cache", note: "files are read again when they change"},
		{name: p + "dh", note: "no suites with finite fields are offered"},
		{name: p + "dhfile", note: "no suites with finite fields are offered"},
		{name: p + "psk_identity", refuse: "pre-shared keys are not supported; use certificates"},
		{name: p + "cacerts.$n", refuse: "certificates in the configuration are not supported; put them into the cacertfile"},
		{name: p + "cert", refuse: "a certificate in the configuration is not supported; name the certfile"},
		{name: p + "key.$*", refuse: "a key in the configuration is not supported; name the keyfile"},
		{name: p + "user_lookup_fun", refuse: "this is Erlang code"},
		{name: p + "verify_fun", refuse: "this is Erlang code"},
	}
}

// clientTLSKeys are those of a connection that the node opens.
func (b *build) clientTLSKeys(prefix string, t *listen.ClientTLS) []key {
	p := prefix + "."
	const choose = "Go's TLS chooses well by itself"
	rows := []key{
		{name: p + "cacertfile", set: needed(&t.CAFile)},
		{name: p + "certfile", set: needed(&t.CertFile)},
		{name: p + "keyfile", set: needed(&t.KeyFile)},
		{name: p + "password", set: text(&t.Password), secret: true},
		{name: p + "verify", def: "verify_peer", set: func(_ *build, _ []string, v string) error {
			t.NoVerify = v == "verify_none"
			return oneOf(v, "verify_peer", "verify_none")
		}},
		{name: p + "versions.$n", def: "tlsv1.3, tlsv1.2", set: item(prefix+".versions", among("tlsv1.3", "tlsv1.2", "tlsv1.1", "tlsv1"))},
		{name: p + "ciphers.$n", def: "Go's", set: item(prefix+".ciphers", anything)},
		{name: p + "fail_if_no_peer_cert", note: "a server always has a certificate"},
		{name: p + "depth", refuse: "a limit on the length of the server's chain is not supported"},
		{name: p + "crl_check", refuse: "revocation lists are looked up for clients only", harmless: []string{"false"}},
		{name: p + "client_renegotiation", note: "nobody renegotiates"},
		{name: p + "log_level", note: "what goes wrong is logged as an error, with the reason"},
		{name: p + "log_alert", note: "what goes wrong is logged as an error, with the reason"},
	}
	for _, leaf := range []string{"honor_cipher_order", "honor_ecc_order", "secure_renegotiate", "reuse_session", "reuse_sessions"} {
		rows = append(rows, key{name: p + leaf, note: choose})
	}
	for _, leaf := range []string{"cacerts.$n", "cert", "key.$*"} {
		rows = append(rows, key{name: p + leaf, refuse: "a certificate or key in the configuration is not supported; name a file"})
	}
	for _, leaf := range []string{"dh", "dhfile"} {
		rows = append(rows, key{name: p + leaf, note: "no suites with finite fields are offered"})
	}
	return append(rows, key{name: p + "psk_identity", refuse: "pre-shared keys are not supported; use certificates"})
}

// pattern checks a regular expression. An empty one would fit everything, while
// for permissions RabbitMQ takes it for nothing: whoever means either can say so.
func pattern(p *string) setter {
	return func(_ *build, _ []string, v string) error {
		if *p = v; v == "" {
			return errors.New("an empty pattern; write .* for everything, ^$ for nothing")
		}
		if _, err := regexp.Compile(v); err != nil {
			return fmt.Errorf("not a regular expression: %w", err)
		}
		return nil
	}
}

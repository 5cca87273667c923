package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/pki"
)

// certs is an authority with a server's and a client's certificate.
type certs struct {
	dir string
	ca  *pki.Pair
	tls TLS
}

func newCerts(t *testing.T) *certs {
	t.Helper()
	c := &certs{dir: t.TempDir()}
	var err error
	if c.ca, err = pki.NewAuthority("Test Authority"); err != nil {
		t.Fatal(err)
	}
	if c.tls.CAFile, _, err = c.ca.Write(c.dir, "ca"); err != nil {
		t.Fatal(err)
	}
	c.tls.CertFile, c.tls.KeyFile = c.issue(t, "server", pki.Request{Subject: pkix.Name{CommonName: "server"}, Hosts: []string{"localhost", "127.0.0.1"}})
	return c
}

// issue writes a certificate and its key, replacing older ones.
func (c *certs) issue(t *testing.T, name string, r pki.Request) (cert, key string) {
	t.Helper()
	p, err := c.ca.Issue(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"_certificate.pem", "_key.pem"} {
		os.Remove(filepath.Join(c.dir, name+f))
	}
	cert, key, err = p.Write(c.dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// client is what a client needs to connect; with a certificate if cert is named.
func (c *certs) client(t *testing.T, cert, key string) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(c.ca.Cert)
	cfg := &tls.Config{RootCAs: pool, ServerName: "localhost"}
	if cert != "" {
		p, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Certificates = []tls.Certificate{p}
	}
	return cfg
}

func withTLS(c *certs, change func(*TLS)) func(*Config) {
	return func(cfg *Config) {
		cfg.TLS = c.tls
		if change != nil {
			change(&cfg.TLS)
		}
		cfg.TLSListeners = []string{"127.0.0.1:0"}
		cfg.Management.TLSListeners, cfg.Management.TLS = []string{"127.0.0.1:0"}, c.tls
	}
}

func verify(o *TLS) { o.VerifyPeer = true }

func TestTLS(t *testing.T) {
	c := newCerts(t)
	s := start(t, withTLS(c, nil))
	if p := protocols(s); p != "amqp amqp/ssl http https http/prometheus" {
		t.Errorf("listening: %s", p)
	}
	conn, err := amqp.DialTLS("amqps://guest:guest@"+s.TLSAddrs()[0].String()+"/", c.client(t, "", ""))
	if err != nil {
		t.Fatal(err)
	}
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	// More than one TLS record in both directions.
	body := strings.Repeat("0123456789", 100_000)
	if err := errors.Join(
		func() error { _, err := ch.QueueDeclare("q", false, false, false, false, nil); return err }(),
		ch.PublishWithContext(t.Context(), "", "q", false, false, amqp.Publishing{Body: []byte(body)}),
	); err != nil {
		t.Fatal(err)
	}
	d, ok, err := ch.Get("q", true)
	for range 100 {
		if ok || err != nil {
			break
		}
		d, ok, err = ch.Get("q", true)
	}
	if !ok || err != nil || string(d.Body) != body {
		t.Errorf("%d bytes came back, %v", len(d.Body), err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	hc := &http.Client{Transport: &http.Transport{TLSClientConfig: c.client(t, "", "")}}
	if code, _ := get(t, hc, "https://"+s.ManagementTLSAddrs()[0].String()+"/health/ready"); code != 200 {
		t.Errorf("https: %d", code)
	}
	if cs := s.Certificates(); len(cs) != 2 || cs[0].Listener.Protocol != "amqp/ssl" || cs[0].Leaf.Subject.CommonName != "server" {
		t.Errorf("certificates %+v", cs)
	}
}

// external logs in with a certificate and tells as whom.
func external(s *Server, cfg *tls.Config) error {
	conn, err := amqp.DialConfig("amqps://"+s.TLSAddrs()[0].String()+"/", amqp.Config{TLSClientConfig: cfg, SASL: []amqp.Authentication{&amqp.ExternalAuth{}}})
	if err != nil {
		return err
	}
	return conn.Close()
}

// The certificate's name is the user's, by each of the ways that there are.
func TestExternal(t *testing.T) {
	t.Parallel()
	c := newCerts(t)
	cert, key := c.issue(t, "client", pki.Request{
		Subject: pkix.Name{CommonName: "ann", Organization: []string{"Shop, Inc."}}, Hosts: []string{"first.example", "second.example"}, Emails: []string{"ann@example.org"},
	})
	for _, l := range []struct {
		login CertLogin
		user  string
	}{
		{CertLogin{}, `CN=ann,O=Shop\, Inc.`},
		{CertLogin{From: "common_name"}, "ann"},
		{CertLogin{From: "subject_alternative_name", SANIndex: 1}, "second.example"},
		{CertLogin{From: "subject_alternative_name", SANType: "email"}, "ann@example.org"},
	} {
		t.Run(l.user, func(t *testing.T) {
			s := start(t, withTLS(c, verify), func(cfg *Config) {
				cfg.CertLogin, cfg.DefaultUser, cfg.Mechanisms = l.login, l.user, []string{"PLAIN", "EXTERNAL"}
			})
			if err := external(s, c.client(t, cert, key)); err != nil {
				t.Errorf("with its certificate: %v", err)
			}
			if err := external(s, c.client(t, "", "")); err == nil {
				t.Error("logged in without a certificate")
			}
		})
	}
	// A certificate that stands for nobody, and a node that does not offer EXTERNAL.
	s := start(t, withTLS(c, verify), func(cfg *Config) { cfg.Mechanisms = []string{"PLAIN", "EXTERNAL"} })
	if err := external(s, c.client(t, cert, key)); err == nil {
		t.Error("a certificate without a user logs in")
	}
	s = start(t, withTLS(c, verify), func(cfg *Config) { cfg.DefaultUser = `CN=ann,O=Shop\, Inc.` })
	if err := external(s, c.client(t, cert, key)); err == nil {
		t.Error("EXTERNAL works without being among auth_mechanisms")
	}
}

// logged is a log that a test can read.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) await(t *testing.T, want string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		l.mu.Lock()
		found := strings.Contains(l.b.String(), want)
		l.mu.Unlock()
		if found {
			return
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t.Errorf("the log does not say %q:\n%s", want, l.b.String())
}

// Who is not let in can read the reason in the node's log.
func TestTLSRefusals(t *testing.T) {
	c := newCerts(t)
	stranger := newCerts(t)
	strangerCert, strangerKey := stranger.issue(t, "client", pki.Request{Subject: pkix.Name{CommonName: "x"}})
	oldCert, oldKey := c.issue(t, "old", pki.Request{Subject: pkix.Name{CommonName: "x"}, From: time.Now().Add(-48 * time.Hour), Until: time.Now().Add(-24 * time.Hour)})
	log := &logged{}
	s := start(t, withTLS(c, func(o *TLS) { o.VerifyPeer, o.RequireCert, o.Versions = true, true, []string{"tlsv1.3"} }),
		func(cfg *Config) { cfg.Logger = slog.New(slog.NewTextHandler(log, nil)) })
	addr := s.TLSAddrs()[0].String()
	for _, r := range []struct {
		cfg  *tls.Config
		want string
	}{
		{c.client(t, "", ""), "the peer sent no certificate"},
		{c.client(t, strangerCert, strangerKey), "unknown CA"},
		{c.client(t, oldCert, oldKey), "expired, or not yet valid"},
		{stranger.client(t, "", ""), "it does not"},
		{&tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}, "unsupported versions"},
	} {
		nc, err := tls.Dial("tcp", addr, r.cfg)
		if err == nil { // with TLS 1.3 the refusal comes with the first read
			_, err = nc.Read(make([]byte, 1))
			nc.Close()
		}
		if err == nil {
			t.Errorf("%s: let in", r.want)
		}
		log.await(t, r.want)
	}
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	io.WriteString(nc, "AMQP\x00\x00\x09\x01")
	log.await(t, "the peer does not speak TLS")
}

// serial is that of the certificate that a listener presents.
func serial(t *testing.T, addr string) string {
	t.Helper()
	nc, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	return nc.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// A new certificate is served without anybody being dropped, after Reload, or by
// itself. A broken one changes nothing.
func TestNewCertificate(t *testing.T) {
	c := newCerts(t)
	s := start(t, withTLS(c, nil))
	addr := s.TLSAddrs()[0].String()
	conn, err := amqp.DialTLS("amqps://guest:guest@"+addr+"/", c.client(t, "", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	first := serial(t, addr)
	c.issue(t, "server", pki.Request{Subject: pkix.Name{CommonName: "server"}, Hosts: []string{"localhost"}})
	if _, err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	second := serial(t, addr)
	if second == first {
		t.Error("Reload does not change the certificate")
	}
	key, err := os.ReadFile(c.tls.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.tls.KeyFile, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reload(); err == nil || !strings.Contains(err.Error(), "is not a PEM file with a private key") {
		t.Errorf("a broken key: %v", err)
	}
	if got := serial(t, addr); got != second {
		t.Error("a broken key has changed something")
	}
	if err := os.WriteFile(c.tls.KeyFile, key, 0o600); err != nil {
		t.Fatal(err)
	}
	c.issue(t, "server", pki.Request{Subject: pkix.Name{CommonName: "server"}, Hosts: []string{"localhost"}})
	for end := time.Now().Add(10 * time.Second); serial(t, addr) == second; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a changed file is not noticed")
		}
	}
	if conn.IsClosed() {
		t.Error("the connection was dropped")
	}
	if _, err := conn.Channel(); err != nil {
		t.Error(err)
	}
}

// What is wrong with the options is said before anything starts.
func TestTLSMistakes(t *testing.T) {
	c, other := newCerts(t), newCerts(t)
	for _, m := range []struct {
		change func(*TLS)
		want   string
	}{
		{func(o *TLS) { o.CertFile = "" }, "set certfile and keyfile"},
		{func(o *TLS) { o.CertFile = "/nowhere.pem" }, "the certificate cannot be read: open /nowhere.pem"},
		{func(o *TLS) { o.KeyFile = other.tls.KeyFile }, "does not belong to the certificate"},
		{func(o *TLS) { o.KeyFile = c.tls.CertFile }, "holds a certificate, and the key is wanted"},
		{func(o *TLS) { o.CertFile = c.tls.KeyFile }, "holds a key, and the certificate is wanted"},
		{func(o *TLS) { o.RequireCert = true }, "no meaning without verify = verify_peer"},
		{func(o *TLS) { o.VerifyPeer, o.CAFile = true, "" }, "set cacertfile"},
		{func(o *TLS) { o.VerifyPeer, o.CAFile = true, c.tls.KeyFile }, "is not a PEM file with certificates"},
		{func(o *TLS) { o.Versions = []string{"tlsv1.3", "tlsv1.1"} }, "no gap"},
		{func(o *TLS) { o.Ciphers = []string{"NULL-MD5"} }, "leaves none"},
		{func(o *TLS) { o.Ciphers, o.Versions = []string{"TLS_AES_128_GCM_SHA256"}, []string{"tlsv1.2"} }, "leaves none"},
	} {
		cfg := Config{}
		withTLS(c, m.change)(&cfg)
		_, err := New(cfg)
		var te *TLSError
		if !errors.As(err, &te) || te.Protocol != "amqp/ssl" || !strings.Contains(err.Error(), m.want) {
			t.Errorf("error %v, want %s", err, m.want)
		}
	}
}

func TestProxyProtocol(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{
		"v1": "PROXY TCP4 10.1.2.3 10.0.0.1 40000 5672\r\n",
		"v2": "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x0a\x01\x02\x03\x0a\x00\x00\x01\x9c\x40\x16\x28",
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprint(name, secure), func(t *testing.T) {
				t.Parallel() // a refused login waits for a while
				c := newCerts(t)
				log := &logged{}
				s := start(t, withTLS(c, nil), func(cfg *Config) {
					cfg.ProxyProtocol = true
					cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
				})
				addr := s.Addrs()[0]
				if secure {
					addr = s.TLSAddrs()[0]
				}
				nc, err := net.Dial("tcp", addr.String())
				if err != nil {
					t.Fatal(err)
				}
				io.WriteString(nc, header)
				if secure {
					nc = tls.Client(nc, c.client(t, "", ""))
				}
				// guest may come from here, but the proxy says that it is somewhere else.
				_, err = amqp.Open(nc, amqp.Config{SASL: []amqp.Authentication{&amqp.PlainAuth{Username: "guest", Password: "guest"}}, Vhost: "/"})
				if err == nil {
					t.Error("guest is let in from 10.1.2.3")
				}
				log.await(t, "10.1.2.3:40000 -> 10.0.0.1:5672")
				nc, err = net.Dial("tcp", addr.String())
				if err != nil {
					t.Fatal(err)
				}
				io.WriteString(nc, "AMQP\x00\x00\x09\x01....")
				log.await(t, "no PROXY header")
				nc.Close()
			})
		}
	}
}

// openssl s_client sees what we say, and a node can be stopped in the middle of
// a handshake.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	c := newCerts(t)
	cert, key := c.issue(t, "client", pki.Request{Subject: pkix.Name{CommonName: "client"}})
	s := start(t, withTLS(c, func(o *TLS) {
		o.VerifyPeer, o.RequireCert = true, true
		o.Ciphers = []string{"ECDHE-ECDSA-AES256-GCM-SHA384"}
	}))
	addr := s.TLSAddrs()[0].String()
	for _, r := range []struct {
		args []string
		want string
	}{
		{[]string{"-cert", cert, "-key", key, "-tls1_3"}, "Protocol  : TLSv1.3|New, TLSv1.3"},
		{[]string{"-cert", cert, "-key", key, "-tls1_2"}, "ECDHE-ECDSA-AES256-GCM-SHA384"},
		{[]string{"-tls1_2"}, "handshake failure|bad certificate|certificate required"},
		{[]string{"-cert", cert, "-key", key, "-tls1_1"}, "protocol version|no protocols available|unsupported protocol|alert"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, openssl, append([]string{"s_client", "-connect", addr, "-CAfile", c.tls.CAFile, "-servername", "localhost", "-verify_return_error"}, r.args...)...)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = cmd.Stdout
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() {
			io.WriteString(in, "AMQP\x00\x00\x09\x01")
		}()
		found := false
		var all strings.Builder
		for sc := bufio.NewScanner(out); sc.Scan() && !found; {
			all.WriteString(sc.Text() + "\n")
			for _, w := range strings.Split(r.want, "|") {
				found = found || strings.Contains(sc.Text(), w)
			}
		}
		in.Close()
		cancel()
		cmd.Wait()
		if !found {
			t.Errorf("%v: no %q in\n%s", r.args, r.want, all.String())
		}
	}
	// Half a handshake does not hold up the end.
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	begin := time.Now()
	if err := s.StopApp(); err != nil {
		t.Error(err)
	}
	if d := time.Since(begin); d > 4*time.Second {
		t.Errorf("stopping took %v", d)
	}
}

// Keys that openssl has encrypted, in the forms that it has had.
func TestEncryptedKeys(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	c := newCerts(t)
	for _, args := range [][]string{
		{"pkcs8", "-topk8", "-v2", "aes-256-cbc"},
		{"pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"},
		{"pkcs8", "-topk8", "-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA1"},
		{"pkcs8", "-topk8", "-v2", "des3"},
		{"ec", "-aes256"},
		{"ec", "-des3"},
	} {
		enc := filepath.Join(c.dir, "encrypted.pem")
		out, err := exec.Command(openssl, append(args, "-in", c.tls.KeyFile, "-out", enc, "-passout", "pass:s3cret")...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		for password, want := range map[string]string{"s3cret": "", "": "the key is encrypted: set the option password", "wrong": "the password does not decrypt the key"} {
			cfg := Config{TLSListeners: []string{"127.0.0.1:0"}, TLS: c.tls}
			cfg.TLS.KeyFile, cfg.TLS.Password = enc, password
			s, err := New(cfg)
			switch {
			case want == "" && err != nil:
				t.Errorf("%v: %v", args, err)
			case want == "":
				s.Close(t.Context())
			case err == nil || !strings.Contains(err.Error(), want):
				t.Errorf("%v with %q: %v, want %s", args, password, err, want)
			}
		}
	}
}

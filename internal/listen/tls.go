package listen

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// TLSOptions are what a listener with TLS is told.
type TLSOptions struct {
	CertFile, KeyFile, Password string
	CAFile                      string   // who signs peers' certificates
	VerifyPeer                  bool     // ask for the peer's certificate
	RequireCert                 bool     // and take nobody without one
	Depth                       int      // intermediate certificates in a peer's chain; 0: 10, negative: none
	Versions                    []string // tlsv1.3, tlsv1.2, ...; nil: these two
	Ciphers                     []string // OpenSSL's or IANA's names, for TLS 1.2
	CRLCheck                    string   // of peers' certificates: "" (none), CRLPeer, CRLChain, CRLBestEffort
	CRLs                        []string // directories and files with revocation lists
}

// TLS is the certificate, key and authorities of a listener. They are read again
// when their files have changed; connections that there are stay as they are.
type TLS struct {
	opts   TLSOptions
	logger *slog.Logger

	mu      sync.Mutex
	current *tls.Config
	leaf    *x509.Certificate
	files   []stamp // as they were when they were last tried
	looked  time.Time
}

// stamp tells one state of a file from another.
type stamp struct {
	name  string
	size  int64
	mtime time.Time
}

// lookInterval is how often files are looked at, at most.
const lookInterval = time.Second

// NewTLS reads the files. The error says in one sentence what is wrong.
func NewTLS(o TLSOptions, logger *slog.Logger) (*TLS, error) {
	t := &TLS{opts: o, logger: logger}
	return t, t.Reload()
}

// Config is for tls.NewListener, or tls.Server.
func (t *TLS) Config() *tls.Config {
	return &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return t.fresh(), nil }}
}

// Leaf is the certificate that is presented now, and its file.
func (t *TLS) Leaf() (*x509.Certificate, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.leaf, t.opts.CertFile
}

// Reload reads the files again. After an error the old ones hold.
func (t *TLS) Reload() error {
	stamps := t.stamps()
	cfg, leaf, err := t.opts.load(t.logger)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.files, t.looked = stamps, time.Now()
	if err == nil {
		t.current, t.leaf = cfg, leaf
	}
	return err
}

// fresh is the configuration for the next connection. It looks whether the files
// have changed, so that nobody has to tell.
func (t *TLS) fresh() *tls.Config {
	t.mu.Lock()
	cfg := t.current
	look := time.Since(t.looked) >= lookInterval
	if look {
		t.looked = time.Now()
	}
	before := t.files
	t.mu.Unlock()
	if !look || slices.Equal(t.stamps(), before) {
		return cfg
	}
	if err := t.Reload(); err != nil {
		t.logger.Error("new certificate is not used, the old one still is", "reason", err)
	} else {
		t.logger.Info("new certificate in use", "file", t.opts.CertFile, "until", t.leafEnd())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.current
}

func (t *TLS) leafEnd() time.Time {
	l, _ := t.Leaf()
	return l.NotAfter
}

func (t *TLS) stamps() (out []stamp) {
	files := []string{t.opts.CertFile, t.opts.KeyFile, t.opts.CAFile}
	if t.opts.CRLCheck != "" {
		lists, err := crlFiles(t.opts.CRLs)
		if err == nil { // else reading says what is wrong, if it is read
			files = append(files, lists...)
		}
	}
	for _, f := range files {
		s := stamp{name: f}
		if fi, err := os.Stat(f); f != "" && err == nil {
			s.size, s.mtime = fi.Size(), fi.ModTime()
		}
		out = append(out, s)
	}
	return out
}

// load makes a configuration of the files.
func (o *TLSOptions) load(logger *slog.Logger) (*tls.Config, *x509.Certificate, error) {
	switch {
	case o.CertFile == "":
		return nil, nil, errors.New("TLS wants a certificate: set certfile and keyfile")
	case o.KeyFile == "":
		return nil, nil, errors.New("TLS wants the certificate's key: set keyfile")
	case o.RequireCert && !o.VerifyPeer:
		return nil, nil, errors.New("fail_if_no_peer_cert = true has no meaning without verify = verify_peer")
	case o.VerifyPeer && o.CAFile == "":
		return nil, nil, errors.New("verify = verify_peer wants to know whose certificates are good: set cacertfile")
	case o.CRLCheck != "" && !o.VerifyPeer:
		return nil, nil, errors.New("crl_check has no meaning without verify = verify_peer")
	case o.CRLCheck != "" && o.CRLCheck != CRLBestEffort && len(o.CRLs) == 0:
		return nil, nil, errors.New("crl_check wants to know where revocation lists are: set crl_sources.1 = dir and crl_sources.1.path")
	}
	cert, err := LoadPair(o.CertFile, o.KeyFile, o.Password)
	if err != nil {
		return nil, nil, err
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}}
	if cfg.MinVersion, cfg.MaxVersion, err = versions(o.Versions); err != nil {
		return nil, nil, err
	}
	missing, err := o.setCiphers(cfg)
	if err != nil {
		return nil, nil, err
	}
	if o.VerifyPeer {
		if cfg.ClientCAs, err = LoadAuthorities(o.CAFile); err != nil {
			return nil, nil, err
		}
		cfg.ClientAuth = tls.VerifyClientCertIfGiven
		if o.RequireCert {
			cfg.ClientAuth = tls.RequireAndVerifyClientCert
		}
		cfg.VerifyConnection = o.checkDepth
	}
	if o.CRLCheck != "" {
		lists, err := loadCRLs(o.CRLs)
		if err != nil {
			return nil, nil, err
		}
		cfg.VerifyConnection = func(st tls.ConnectionState) error {
			if err := o.checkDepth(st); err != nil {
				return err
			}
			return lists.check(o.CRLCheck, st.VerifiedChains, time.Now())
		}
	}
	if len(missing) > 0 && logger != nil {
		logger.Warn("cipher suites are not supported, and left out of the list", "ciphers", strings.Join(missing, ", "))
	}
	return cfg, cert.Leaf, nil
}

// checkDepth refuses peers whose chain has too many certificates in between.
func (o *TLSOptions) checkDepth(st tls.ConnectionState) error {
	depth := max(o.Depth, 0)
	if o.Depth == 0 {
		depth = 10
	}
	for _, chain := range st.VerifiedChains {
		if len(chain)-2 <= depth {
			return nil
		}
	}
	if len(st.VerifiedChains) == 0 {
		return nil
	}
	return fmt.Errorf("the peer's chain has more than %d certificates between its own and the root (depth)", depth)
}

var tlsVersions = [...]struct {
	name string
	id   uint16
}{{"tlsv1", tls.VersionTLS10}, {"tlsv1.1", tls.VersionTLS11}, {"tlsv1.2", tls.VersionTLS12}, {"tlsv1.3", tls.VersionTLS13}}

// versions is the range of protocol versions that a list of names covers.
func versions(names []string) (lo, hi uint16, err error) {
	if len(names) == 0 {
		return tls.VersionTLS12, tls.VersionTLS13, nil
	}
	have := 0
	for _, v := range tlsVersions {
		if slices.Contains(names, v.name) {
			if lo == 0 {
				lo = v.id
			}
			hi = v.id
			have++
		}
	}
	if lo == 0 || have != int(hi-lo)+1 {
		return 0, 0, fmt.Errorf("TLS versions %s: want some of tlsv1.3 and tlsv1.2, with no gap between them", strings.Join(names, ", "))
	}
	return lo, hi, nil
}

// setCiphers restricts the suites of TLS 1.2. Those of 1.3 are all good, and not
// to be chosen. Suites that exist and that Go does not have are left out, and
// returned: a list says what may be used, not what must.
func (o *TLSOptions) setCiphers(cfg *tls.Config) (missing []string, err error) {
	if len(o.Ciphers) == 0 {
		return nil, nil
	}
	var ids []uint16
	modern := false
	for _, name := range o.Ciphers {
		id, is13, ok := suite(name)
		switch {
		case !ok && isSuiteName(name):
			missing = append(missing, name)
		case !ok:
			return nil, fmt.Errorf("there is no cipher suite %s; names are OpenSSL's (ECDHE-RSA-AES256-GCM-SHA384) or IANA's", name)
		case is13:
			modern = true
		default:
			ids = append(ids, id)
		}
	}
	if cfg.CipherSuites = ids; len(ids) > 0 {
		return missing, nil
	}
	if !modern || cfg.MaxVersion < tls.VersionTLS13 {
		return nil, errors.New("the list of ciphers leaves none for the TLS versions that are enabled: suites with ECDHE and GCM or CHACHA20-POLY1305 are supported")
	}
	cfg.MinVersion = tls.VersionTLS13
	return missing, nil
}

// isSuiteName reports whether a name is made as those of suites are.
func isSuiteName(name string) bool {
	parts := strings.FieldsFunc(strings.TrimPrefix(name, "TLS_"), func(r rune) bool { return r == '-' || r == '_' })
	for _, p := range parts {
		if !strings.Contains(suiteParts, " "+p+" ") {
			return false
		}
	}
	return len(parts) > 1
}

const suiteParts = " ECDHE ECDH DHE DH EDH ADH AECDH ANON RSA ECDSA DSS PSK SRP KRB5 WITH AES AES128 AES256 128 256 CBC GCM CCM CCM8 8 " +
	"CHACHA20 POLY1305 CAMELLIA CAMELLIA128 CAMELLIA256 ARIA ARIA128 ARIA256 ARIAGCM SEED IDEA DES CBC3 3DES EDE RC4 40 56 EXPORT EXP NULL MD5 SHA SHA256 SHA384 SHA512 "

// suite finds a cipher suite by OpenSSL's name or IANA's.
func suite(name string) (id uint16, is13, ok bool) {
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		is13 := slices.Equal(s.SupportedVersions, []uint16{tls.VersionTLS13})
		if s.Name == name || !is13 && openSSLName(s.Name) == name {
			return s.ID, is13, true
		}
	}
	return 0, false, false
}

// openSSLName is what OpenSSL calls a suite of TLS 1.2:
// TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 is ECDHE-RSA-AES128-GCM-SHA256.
func openSSLName(iana string) string {
	s := strings.TrimPrefix(iana, "TLS_")
	s = strings.Replace(s, "RSA_WITH_3DES_EDE_CBC", "DES_CBC3", 1)
	if strings.HasPrefix(s, "RSA_WITH_") {
		s = strings.TrimPrefix(s, "RSA_WITH_")
	}
	s = strings.Replace(s, "_WITH", "", 1)
	s = strings.Replace(strings.Replace(s, "AES_128", "AES128", 1), "AES_256", "AES256", 1)
	s = strings.Replace(s, "_CBC", "", 1)
	s = strings.Replace(s, "POLY1305_SHA256", "POLY1305", 1)
	return strings.ReplaceAll(s, "_", "-")
}

package listen

import (
	"crypto/tls"
	"errors"
)

// ClientTLS is what a connection that we open is told.
type ClientTLS struct {
	CAFile                      string // whom to trust; "": those that the system trusts
	CertFile, KeyFile, Password string // ours, if the server asks
	NoVerify                    bool   // take any certificate
	Versions, Ciphers           []string
	ServerName                  string // "": the host's
}

// Config reads the files.
func (c *ClientTLS) Config(host string) (*tls.Config, error) {
	cfg := &tls.Config{ServerName: host, InsecureSkipVerify: c.NoVerify}
	if c.ServerName != "" {
		cfg.ServerName = c.ServerName
	}
	var err error
	if cfg.MinVersion, cfg.MaxVersion, err = versions(c.Versions); err != nil {
		return nil, err
	}
	if _, err := (&TLSOptions{Ciphers: c.Ciphers}).setCiphers(cfg); err != nil {
		return nil, err
	}
	if c.CAFile != "" {
		if cfg.RootCAs, err = LoadAuthorities(c.CAFile); err != nil {
			return nil, err
		}
	}
	switch {
	case c.CertFile == "" && c.KeyFile == "":
		return cfg, nil
	case c.CertFile == "" || c.KeyFile == "":
		return nil, errors.New("a certificate and its key go together: set certfile and keyfile")
	}
	pair, err := LoadPair(c.CertFile, c.KeyFile, c.Password)
	cfg.Certificates = []tls.Certificate{pair}
	return cfg, err
}

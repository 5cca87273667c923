package main

import (
	"crypto/x509/pkix"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/pki"
)

func tlsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tls", Short: "Make certificates for a first try"}
	cmd.AddCommand(selfSignedCommand())
	return cmd
}

func selfSignedCommand() *cobra.Command {
	var hosts []string
	var client string
	cmd := &cobra.Command{
		Use:   "self-signed DIR",
		Short: "Make an authority, a server's and a client's certificate",
		Long: `Make an authority of your own, and have it sign a certificate for a server and
one for a client. They are good enough to try TLS out, and for tests. What is to
be trusted by others wants an authority that others know.

DIR gets ca_certificate.pem, ca_key.pem, server_certificate.pem, server_key.pem,
client_certificate.pem and client_key.pem. Files that are there already are not
replaced. The lines for rabbitmq.conf are printed.`,
		Example: `  warren tls self-signed ./certs
  warren tls self-signed ./certs --host broker.example --host 10.0.0.7`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return selfSigned(cmd.OutOrStdout(), args[0], hosts, client)
		},
	}
	cmd.Flags().StringArrayVar(&hosts, "host", nil, "name or address that clients connect to; may be repeated (default: localhost, 127.0.0.1, ::1, and this host's name)")
	cmd.Flags().StringVar(&client, "client", "client", "name in the client's certificate")
	return cmd
}

func selfSigned(w io.Writer, dir string, hosts []string, client string) error {
	if len(hosts) == 0 {
		hosts = []string{"localhost", "127.0.0.1", "::1"}
		if h, err := os.Hostname(); err == nil && h != "localhost" {
			hosts = append(hosts, h)
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ca, err := pki.NewAuthority("Warren's own authority")
	if err != nil {
		return err
	}
	caCert, _, err := ca.Write(dir, "ca")
	if err != nil {
		return &exitError{exitData, err}
	}
	files := map[string][2]string{}
	for name, r := range map[string]pki.Request{
		"server": {Subject: pkix.Name{CommonName: hosts[0]}, Hosts: hosts},
		"client": {Subject: pkix.Name{CommonName: client}},
	} {
		p, err := ca.Issue(r)
		if err != nil {
			return err
		}
		cert, key, err := p.Write(dir, name)
		if err != nil {
			return &exitError{exitData, err}
		}
		files[name] = [2]string{cert, key}
	}
	_, err = fmt.Fprintf(w, `Certificates are in %s. For rabbitmq.conf:

listeners.ssl.default = 5671
ssl_options.cacertfile = %s
ssl_options.certfile   = %s
ssl_options.keyfile    = %s

A client trusts ca_certificate.pem. To log in with client_certificate.pem:

ssl_options.verify     = verify_peer
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = EXTERNAL
ssl_cert_login_from    = common_name

and a user of that name: warren ctl add_user %s "" , set_permissions ...
`, dir, caCert, files["server"][0], files["server"][1], client)
	return err
}

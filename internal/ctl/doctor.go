package ctl

import (
	"slices"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/doctor"
	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/mgmt/client"
)

// TLSFiles are the files of a kind of listeners.
type TLSFiles struct {
	Name    string // "ssl_options", ...
	Options listen.TLSOptions
}

// doctorCommands say in a sentence what is wrong. RabbitMQ has none of them.
func doctorCommands() []*Command {
	diag := []Tool{Diagnostics}
	return []*Command{
		{Name: "tls-check", Tools: diag, Group: groupMonitoring, Usage: "tls-check [<host:port>] [--ca <file>] [--cert <file> --key <file>] [--server-name <name>]", Max: 1, Local: true,
			Flags: []flag{{"ca", text, ""}, {"cert", text, ""}, {"key", text, ""}, {"server-name", text, ""}},
			Short: "Says what is wrong with a port for TLS, or with the files that are configured",
			Explain: [][2]string{{"<host:port>", "where to connect; without it the configured files are looked at"}, {"--ca", "certificates of those who are trusted"},
				{"--cert, --key", "what to log in with"}, {"--server-name", "whom the server's certificate must name, if not the host"}},
			Run: (*call).tlsCheck},
		{Name: "auth", Tools: diag, Group: groupAccess, Usage: "auth <username> [--from <address>] [-p <vhost>]", Min: 1, Max: 1,
			Flags: []flag{{"from", text, ""}}, Short: "Says whether a user can log in, from where, to which virtual hosts, and if not, why",
			Run: (*call).authDoctor},
	}
}

// verdictOf is what a finding becomes.
func verdictOf(f doctor.Finding) (any, error) {
	if f.OK {
		return report{text: f.Text}, nil
	}
	return nil, &sickness{report: report{text: f.Text}, code: exitUnavailable}
}

func (c *call) tlsCheck() (any, error) {
	if len(c.args) == 1 {
		return verdictOf(doctor.TLSCheck{
			Addr: c.args[0], CAFile: c.option("ca"), CertFile: c.option("cert"), KeyFile: c.option("key"), ServerName: c.option("server-name"),
		}.Run(c.ctx))
	}
	w, err := c.Where(c.option("data-dir"))
	if err != nil {
		return nil, err
	}
	if len(w.TLS) == 0 {
		return verdictOf(doctor.Finding{Text: "no listener for TLS is configured: set listeners.ssl.default and ssl_options.certfile, or name a host and port"})
	}
	var said []string
	for _, t := range w.TLS {
		f := doctor.Files(t.Options, time.Now())
		if !f.OK {
			f.Text = t.Name + ": " + f.Text
			return verdictOf(f)
		}
		said = append(said, t.Name+": "+f.Text)
	}
	return report{text: strings.Join(said, "\n")}, nil
}

func (c *call) authDoctor() (any, error) {
	name := c.args[0]
	a := doctor.Account{User: name, LoopbackUsers: []string{"guest"}, Mechanisms: []string{"PLAIN", "AMQPLAIN"}}
	var u apitype.User
	err := c.get(path("users", name), &u)
	if err != nil && !client.IsNotFound(err) {
		return nil, err
	}
	a.Known, a.Password, a.Tags, a.Limits = err == nil, u.PasswordHash != "", u.Tags, u.Limits
	var config []apitype.ConfigValue
	if err := c.get("/config/effective", &config); err != nil {
		return nil, err
	}
	a.LoopbackUsers, a.Mechanisms = loginRules(config)
	if a.Known {
		var ps []apitype.Permission
		if err := c.get(path("users", name, "permissions"), &ps); err != nil {
			return nil, err
		}
		for _, p := range ps {
			a.VHosts = append(a.VHosts, p.VHost)
		}
	}
	var vs []struct {
		Name string `json:"name"`
	}
	if err := c.get("/vhosts", &vs); err != nil {
		return nil, err
	}
	for _, v := range vs {
		a.AllVHosts = append(a.AllVHosts, v.Name)
	}
	vhost := ""
	if c.has("vhost") {
		vhost = c.option("vhost")
	}
	return verdictOf(a.Login(c.option("from"), vhost))
}

// loginRules takes from a configuration who may come from its own machine only,
// and how users prove who they are.
func loginRules(config []apitype.ConfigValue) (loopback, mechanisms []string) {
	for _, v := range config {
		user, isUser := strings.CutPrefix(v.Key, "loopback_users.")
		switch {
		case isUser && v.Value == "true":
			loopback = append(loopback, user)
		case v.Key == "auth_mechanisms":
			mechanisms = strings.Split(v.Value, ", ")
		case strings.HasPrefix(v.Key, "auth_mechanisms."):
			mechanisms = append(mechanisms, v.Value)
		}
	}
	// Who names others does not thereby let guest in.
	named := slices.ContainsFunc(config, func(v apitype.ConfigValue) bool {
		return v.Key == "loopback_users.guest" || v.Key == "loopback_users"
	})
	if !named {
		loopback = append(loopback, "guest")
	}
	return loopback, mechanisms
}

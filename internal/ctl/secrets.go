package ctl

import (
	"strings"

	"github.com/warrenmq/warren/internal/sealed"
	"github.com/warrenmq/warren/internal/term"
)

func secretCommands() []*Command {
	flags := []flag{{"cipher", text, ""}, {"hash", text, ""}, {"iterations", integer, ""}}
	both := []Tool{Ctl, Diagnostics}
	const tail = " value passphrase [--cipher <cipher>] [--hash <hash>] [--iterations <iterations>]"
	return []*Command{
		{Name: "encode", Group: groupConfig, Usage: "encode" + tail, Max: 2, Flags: flags, Local: true,
			Short: "Encrypts a value for the configuration", Check: (*call).checkCipher, Banner: bannerf("Encrypting value ..."), Run: (*call).encode},
		{Name: "decode", Group: groupConfig, Usage: "decode" + tail, Max: 2, Flags: flags, Local: true,
			Short: "Decrypts a value of the configuration", Check: (*call).checkCipher, Banner: bannerf("Decrypting value..."), Run: (*call).decode},
		{Name: "encrypt_conf_value", Group: groupConfig, Usage: "encrypt_conf_value" + tail, Max: 2, Flags: flags, Local: true,
			Short: "Encrypts a value for rabbitmq.conf", Check: (*call).checkCipher, Banner: bannerf("Encrypting value ..."), Run: (*call).encryptConf},
		{Name: "decrypt_conf_value", Group: groupConfig, Usage: "decrypt_conf_value" + tail, Max: 2, Flags: flags, Local: true,
			Short: "Decrypts a value of rabbitmq.conf", Check: (*call).checkCipher, Banner: bannerf("Decrypting value..."), Run: (*call).decode},
		{Name: "list_ciphers", Tools: both, Group: groupMonitoring, Usage: "list_ciphers", Local: true, Formatter: "erlang",
			Short: "Lists what encode can encrypt with", Banner: bannerf("Listing supported ciphers ..."), Run: func(*call) (any, error) { return atoms(sealed.Ciphers()), nil }},
		{Name: "list_hashes", Tools: both, Group: groupMonitoring, Usage: "list_hashes", Local: true, Formatter: "erlang",
			Short: "Lists the hash functions that encode can use", Banner: bannerf("Listing supported hash algorithms ..."), Run: func(*call) (any, error) { return atoms(sealed.Hashes()), nil }},
	}
}

func (c *call) method() sealed.Method {
	n := int(c.number("iterations", sealed.DefaultIterations))
	if n == 0 {
		n = -1 // 0 would be the default
	}
	return sealed.Method{Cipher: c.option("cipher"), Hash: c.option("hash"), Iterations: n}
}

func (c *call) checkCipher() error {
	if err := c.method().Check(); err != nil {
		return c.badArgument(err.Error())
	}
	return nil
}

// secretArguments are value and passphrase; what is not given is read, a line each.
func (c *call) secretArguments() (value, passphrase string, err error) {
	got := append([]string(nil), c.args...)
	for len(got) < 2 {
		prompt := [...]string{"Value to encode: ", "Passphrase: "}[len(got)]
		s, err := c.secret(prompt, exitUnavailable)
		if err != nil {
			return "", "", failed(exitUnavailable, "not_enough_args")
		}
		got = append(got, s)
	}
	return got[0], got[1], nil
}

func (c *call) seal(t term.Term, passphrase string) (string, error) {
	s, err := sealed.Seal(t, passphrase, c.method())
	if err != nil {
		return "", failed(exitUnavailable, err.Error())
	}
	return s, nil
}

// termArgument reads an argument as an Erlang term.
func termArgument(s string) (term.Term, error) {
	p, err := term.Parse(strings.TrimSuffix(strings.TrimSpace(s), ".") + ".")
	if err != nil {
		return nil, failedf(exitUsage, "%q is not an Erlang term: %v", s, err)
	}
	return p.Term, nil
}

func (c *call) encode() (any, error) {
	value, passphrase, err := c.secretArguments()
	if err != nil {
		return nil, err
	}
	t, err := termArgument(value)
	if err != nil {
		return nil, err
	}
	s, err := c.seal(t, passphrase)
	return term.Tuple{term.Atom("encrypted"), term.Binary(s)}.String(), err
}

func (c *call) encryptConf() (any, error) {
	value, passphrase, err := c.secretArguments()
	if err != nil {
		return nil, err
	}
	s, err := c.seal(term.Binary(value), passphrase)
	return "encrypted:" + s, err
}

func (c *call) decode() (any, error) {
	value, passphrase, err := c.secretArguments()
	if err != nil {
		return nil, err
	}
	text, ok := strings.CutPrefix(value, "encrypted:")
	if !ok {
		t, err := termArgument(value)
		if err != nil {
			return nil, err
		}
		if p, isTuple := t.(term.Tuple); isTuple && len(p) == 2 {
			t = p[1]
		}
		if text, ok = term.Text(t); !ok {
			return nil, failed(exitUnavailable, sealed.ErrOpen.Error())
		}
	}
	t, err := sealed.Open(text, passphrase, c.method())
	if err != nil {
		return nil, failed(exitUnavailable, err.Error())
	}
	return t.String(), nil
}

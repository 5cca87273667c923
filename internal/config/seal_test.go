package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/sealed"
	"github.com/warrenmq/warren/internal/term"
)

// What the encode of RabbitMQ 3.10.8 made of <<"bunny">> with the passphrase
// "mypass"; the second with --cipher aes_256_cbc --hash sha512 --iterations 1000.
const (
	bunny       = "o0Dh9rCO7QeAX2IACzbvmoh2EpX+A1WoC3JDUE92ia/NbSqA2JTCPrhKkq7lrAic"
	strongBunny = "mSFLtw6g6hGU3uLz8niaJ5raxUiqh8maSBLa1W4hJXEk+waGnCp2Z5gnTFiinCIb"
)

func seal(t *testing.T, v term.Term) string {
	t.Helper()
	s, err := sealed.Seal(v, "mypass", sealed.Method{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Values may be encrypted in each kind of file, and how they are opened may stand
// in each, also behind them.
func TestSealed(t *testing.T) {
	port := seal(t, term.Int(7001))
	for name, files := range map[string]map[string]string{
		"terms behind": {"rabbitmq.conf": "default_pass = encrypted:" + bunny + "\nlisteners.tcp.1 = encrypted:" + port + "\n",
			"advanced.config": `[{rabbit, [{config_entry_decoder, [{passphrase, <<"mypass">>}]}]}].`},
		"all in the older form": {"rabbitmq.config": `[{rabbit, [{default_pass, {encrypted, <<"` + bunny + `">>}}, {tcp_listeners, [{encrypted, <<"` + port + `">>}]},
			{config_entry_decoder, [{passphrase, "mypass"}]}]}].`},
		"the cipher by its older name": {"rabbitmq.conf": "listeners.tcp.1 = 7001\ndefault_pass = encrypted:" + strongBunny + "\n",
			"advanced.config": `[{rabbit, [{config_entry_decoder, [{cipher, aes_cbc256}, {hash, sha512}, {iterations, 1000}, {passphrase, <<"mypass">>}]}]}].`},
		"stronger, in conf.d": {"rabbitmq.conf": "listeners.tcp.1 = 7001\ndefault_pass = encrypted:" + strongBunny + "\n",
			"conf.d/x.conf": "config_entry_decoder.passphrase = mypass\nconfig_entry_decoder.cipher = aes_256_cbc\nconfig_entry_decoder.hash = sha512\nconfig_entry_decoder.iterations = 1000\n"},
	} {
		c, _, err := in(t, files, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.Server.DefaultPass != "bunny" || fmt.Sprint(c.Server.Listeners) != "[:7001]" {
			t.Errorf("%s: %q %q", name, c.Server.DefaultPass, c.Server.Listeners)
		}
		for _, s := range append(c.Settings, Setting{Value: strings.Join(c.Notes, " ")}) {
			if strings.Contains(s.Value, "bunny") || strings.Contains(s.Value, "mypass") || strings.Contains(s.Value, "7001") && !strings.Contains(files["rabbitmq.conf"], "7001") {
				t.Errorf("%s shows %s = %s", name, s.Key, s.Value)
			}
		}
	}
}

// The passphrase may be in a file, of which the first line counts, or be asked for.
func TestPassphrase(t *testing.T) {
	sealed := "default_pass = encrypted:" + bunny + "\n"
	for _, c := range []struct{ conf, advanced, pass, err string }{
		{sealed + "warren.config_passphrase_file = $DIR/pass\n", "[].", "mypass\r\nmore\n", ""},
		{sealed, `[{rabbit, [{config_entry_decoder, [{passphrase, {file, "$DIR/pass"}}]}]}].`, "mypass", ""},
		{sealed, `[{rabbit, [{config_entry_decoder, [{passphrase, {file, <<"$DIR/none">>}}]}]}].`, "mypass", "none: no such file"},
		{sealed, `[{rabbit, [{config_entry_decoder, [{passphrase, prompt}]}]}].`, "", ""},
		{sealed, "[].", "", "there is no passphrase"},
		{sealed + "config_entry_decoder.passphrase = wrong\n", "[].", "", "default_pass: the value cannot be decrypted: the passphrase (DIR/rabbitmq.conf:2)"},
		{sealed + "config_entry_decoder.passphrase = mypass\nconfig_entry_decoder.hash = md5\n", "[].", "", `config_entry_decoder.hash: "md5" is not supported; want one of sha512`},
		{sealed + "config_entry_decoder.passphrase = mypass\nconfig_entry_decoder.iterations = many\n", "[].", "", "not a number from 1 on"},
		{sealed + "config_entry_decoder.passphrase = mypass\nconfig_entry_decoder.cypher = x\n", "[].", "", "want passphrase, cipher"},
	} {
		dir := t.TempDir()
		at := func(s string) string { return strings.ReplaceAll(s, "$DIR", dir) }
		write(t, dir, map[string]string{"rabbitmq.conf": at(c.conf), "advanced.config": at(c.advanced), "pass": c.pass})
		asked := 0
		got, err := Load(Sources{Dir: dir, DataDir: dir, Ask: func(string) (string, error) { asked++; return "mypass", nil }})
		if c.err != "" {
			if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), dir, "DIR"), c.err) {
				t.Errorf("%s%s: %v", c.conf, c.advanced, err)
			}
			continue
		}
		if err != nil || got.Server.DefaultPass != "bunny" || asked > 0 != strings.Contains(c.advanced, "prompt") {
			t.Errorf("%s%s: %q, asked %d times, %v", c.conf, c.advanced, got.Server.DefaultPass, asked, err)
		}
	}
}

// Mistakes name the key, not what was encrypted. Who only looks does without.
func TestSealedMistakes(t *testing.T) {
	for _, c := range []struct{ file, text, want string }{
		{"rabbitmq.conf", "heartbeat = encrypted:" + bunny, "heartbeat: the decrypted value does not fit"},
		{"rabbitmq.conf", "heartbeat = encrypted:" + seal(t, term.List{term.Atom("bunny")}), "heartbeat: what was encrypted is neither"},
		{"rabbitmq.conf", "default_pass = encrypted:" + bunny[:40], "default_pass: the value cannot be decrypted"},
		{"rabbitmq.conf", "default_pass = encrypted:", "default_pass: the value cannot be decrypted"},
		{"advanced.config", `[{rabbit, [{heartbeat, {encrypted, <<"` + bunny + `">>}}]}].`, "heartbeat: the decrypted value does not fit"},
		{"advanced.config", `[{rabbit, [{tcp_listeners, [{encrypted, <<"` + bunny + `">>}]}]}].`, "tcp_listeners}: the decrypted value does not fit"},
		{"advanced.config", `[{rabbit, [{default_pass, {encrypted, 5}}]}].`, "default_pass}: want {encrypted"},
	} {
		_, _, err := in(t, map[string]string{c.file: c.text, "conf.d/p.conf": "config_entry_decoder.passphrase = mypass\n"}, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "bunny") {
			t.Errorf("%s: %v; want %s", c.text, err, c.want)
		}
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{"rabbitmq.conf": "default_pass = encrypted:" + bunny + "\nheartbeat = 9\n",
		"advanced.config": `[{rabbit, [{default_user, {encrypted, <<"` + bunny + `">>}}, {config_entry_decoder, [{passphrase, prompt}]}]}].`})
	got, err := Load(Sources{Dir: dir, DataDir: dir, KeepSealed: true})
	if err != nil || origin(got, "heartbeat") == "none" || len(got.Notes) != 2 || got.Server.DefaultPass != "" {
		t.Errorf("%v %q", err, got.Notes)
	}
	if _, err := Load(Sources{Dir: dir, DataDir: dir}); err == nil || !strings.Contains(err.Error(), "nobody to ask") {
		t.Errorf("%v", err)
	}
	if _, err := Load(Sources{Dir: dir, DataDir: dir, Ask: func(string) (string, error) { return "", errors.New("no terminal") }}); err == nil || !strings.Contains(err.Error(), "no terminal") {
		t.Errorf("%v", err)
	}
}

// What is nobody's business is in no note either.
func TestNotesKeepSecrets(t *testing.T) {
	c, _, err := in(t, map[string]string{"rabbitmq.conf": "anonymous_login_pass = hidden\nweb_mqtt.ssl.password = hidden\nauth_ldap.other_bind.password = hidden\nmanagement.credential_encryption_secret = hidden\n"}, nil)
	if err != nil || len(c.Notes) != 3 || strings.Contains(fmt.Sprint(c.Notes, c.Settings), "hidden") {
		t.Errorf("%v %q", err, c.Notes)
	}
}

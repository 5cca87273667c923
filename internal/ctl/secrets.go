package ctl

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"hash"
	"strings"

	"github.com/warrenmq/warren/internal/term"
)

// Values of the configuration can be encrypted, as in {encrypted,<<"...">>}:
// base64 of a salt, an initial vector and the term in Erlang's external format,
// encrypted with a key that is made of the passphrase.

const (
	// Those of RabbitMQ. One iteration is no protection for a passphrase that can
	// be guessed; --iterations is there for that.
	defaultCipher     = "aes_128_cbc"
	defaultHash       = "sha256"
	defaultIterations = 1
	saltLen           = 16
)

func ciphers() []string { return []string{"aes_256_cbc", "aes_192_cbc", "aes_128_cbc"} }

func keyLen(cipher string) int {
	return map[string]int{"aes_256_cbc": 32, "aes_192_cbc": 24, "aes_128_cbc": 16}[cipher]
}

func hashes() []string { return []string{"sha512", "sha384", "sha256", "sha224", "sha"} }

func hashFunc(name string) func() hash.Hash {
	return map[string]func() hash.Hash{"sha512": sha512.New, "sha384": sha512.New384, "sha256": sha256.New,
		"sha224": sha256.New224, "sha": sha1.New}[name]
}

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
			Short: "Lists what encode can encrypt with", Banner: bannerf("Listing supported ciphers ..."), Run: func(*call) (any, error) { return atoms(ciphers()), nil }},
		{Name: "list_hashes", Tools: both, Group: groupMonitoring, Usage: "list_hashes", Local: true, Formatter: "erlang",
			Short: "Lists the hash functions that encode can use", Banner: bannerf("Listing supported hash algorithms ..."), Run: func(*call) (any, error) { return atoms(hashes()), nil }},
	}
}

func (c *call) secretOptions() (cipher, hash string, iterations int) {
	cipher, hash = defaultCipher, defaultHash
	if s := c.option("cipher"); s != "" {
		cipher = s
	}
	if s := c.option("hash"); s != "" {
		hash = s
	}
	return cipher, hash, int(c.number("iterations", defaultIterations))
}

func (c *call) checkCipher() error {
	cipher, hash, iterations := c.secretOptions()
	switch {
	case keyLen(cipher) == 0:
		return c.badArgument("The requested cipher is not supported.")
	case hashFunc(hash) == nil:
		return c.badArgument("The requested hash is not supported")
	case iterations < 1 || iterations > 100_000_000:
		return c.badArgument("The requested number of iterations is incorrect")
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
	cipherName, hash, iterations := c.secretOptions()
	plainText, err := appendTerm([]byte{131}, t)
	if err != nil {
		return "", failed(exitUnavailable, err.Error())
	}
	salt := make([]byte, saltLen+aes.BlockSize)
	rand.Read(salt) // never fails
	block, err := blockOf(passphrase, salt[:saltLen], cipherName, hash, iterations)
	if err != nil {
		return "", err
	}
	pad := aes.BlockSize - len(plainText)%aes.BlockSize
	for range pad {
		plainText = append(plainText, byte(pad))
	}
	cipher.NewCBCEncrypter(block, salt[saltLen:]).CryptBlocks(plainText, plainText)
	return base64.StdEncoding.EncodeToString(append(salt, plainText...)), nil
}

func blockOf(passphrase string, salt []byte, cipherName, hash string, iterations int) (cipher.Block, error) {
	key, err := pbkdf2.Key(hashFunc(hash), passphrase, salt, iterations, keyLen(cipherName))
	if err != nil {
		return nil, err
	}
	return aes.NewCipher(key)
}

var errSecret = errors.New("Failed to decrypt the value. Things to check: is the passphrase correct? Are the cipher and hash algorithms the same as those used for encryption?")

func (c *call) open(sealed, passphrase string) (term.Term, error) {
	cipherName, hash, iterations := c.secretOptions()
	b, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(b) < saltLen+2*aes.BlockSize || len(b)%aes.BlockSize != 0 {
		return nil, errSecret
	}
	block, err := blockOf(passphrase, b[:saltLen], cipherName, hash, iterations)
	if err != nil {
		return nil, err
	}
	body := b[saltLen+aes.BlockSize:]
	cipher.NewCBCDecrypter(block, b[saltLen:saltLen+aes.BlockSize]).CryptBlocks(body, body)
	pad := int(body[len(body)-1])
	if pad == 0 || pad > aes.BlockSize || body[0] != 131 {
		return nil, errSecret
	}
	t, rest, err := readTerm(body[1:len(body)-pad], 0)
	if err != nil || len(rest) > 0 {
		return nil, errSecret
	}
	return t, nil
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
	sealed, ok := strings.CutPrefix(value, "encrypted:")
	if !ok {
		t, err := termArgument(value)
		if err != nil {
			return nil, err
		}
		if p, isTuple := t.(term.Tuple); isTuple && len(p) == 2 {
			t = p[1]
		}
		if sealed, ok = term.Text(t); !ok {
			return nil, failed(exitUnavailable, errSecret.Error())
		}
	}
	t, err := c.open(sealed, passphrase)
	if err != nil {
		return nil, failed(exitUnavailable, err.Error())
	}
	return t.String(), nil
}

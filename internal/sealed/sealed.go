// Package sealed encrypts values of the configuration as RabbitMQ does, and
// decrypts them: {encrypted,<<"...">>} and encrypted:... are base64 of a salt, an
// initial vector and the term in Erlang's external format, encrypted with a key
// that is made of a passphrase. The command line makes such values, the
// configuration reads them.
package sealed

import (
	"bytes"
	"cmp"
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

	"github.com/warrenmq/warren/internal/term"
)

// Method is how a value is encrypted; what is empty is RabbitMQ's default. One
// iteration is no protection for a passphrase that can be guessed.
type Method struct {
	Cipher, Hash string
	Iterations   int
}

const (
	defaultCipher     = "aes_128_cbc"
	defaultHash       = "sha256"
	DefaultIterations = 1
	maxIterations     = 100_000_000
	saltLen           = 16
)

// Ciphers are the names that Method.Cipher may have.
func Ciphers() []string { return []string{"aes_256_cbc", "aes_192_cbc", "aes_128_cbc"} }

// Hashes are the names that Method.Hash may have.
func Hashes() []string { return []string{"sha512", "sha384", "sha256", "sha224", "sha"} }

func (m Method) keyLen() int {
	// The last two are what older versions of Erlang called them.
	return map[string]int{"aes_256_cbc": 32, "aes_192_cbc": 24, "aes_128_cbc": 16, "aes_cbc256": 32, "aes_cbc128": 16}[cmp.Or(m.Cipher, defaultCipher)]
}

func (m Method) hash() func() hash.Hash {
	return map[string]func() hash.Hash{"sha512": sha512.New, "sha384": sha512.New384, "sha256": sha256.New,
		"sha224": sha256.New224, "sha": sha1.New}[cmp.Or(m.Hash, defaultHash)]
}

// Check says what is wrong with a method, in RabbitMQ's words.
func (m Method) Check() error {
	switch {
	case m.keyLen() == 0:
		return errors.New("The requested cipher is not supported.")
	case m.hash() == nil:
		return errors.New("The requested hash is not supported")
	case m.Iterations < 0 || m.Iterations > maxIterations:
		return errors.New("The requested number of iterations is incorrect")
	}
	return nil
}

func (m Method) block(passphrase string, salt []byte) (cipher.Block, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	key, err := pbkdf2.Key(m.hash(), passphrase, salt, cmp.Or(m.Iterations, DefaultIterations), m.keyLen())
	if err != nil {
		return nil, err
	}
	return aes.NewCipher(key)
}

// Seal encrypts a term.
func Seal(t term.Term, passphrase string, m Method) (string, error) {
	plain, err := appendTerm([]byte{131}, t)
	if err != nil {
		return "", err
	}
	salt := make([]byte, saltLen+aes.BlockSize)
	rand.Read(salt) // never fails
	block, err := m.block(passphrase, salt[:saltLen])
	if err != nil {
		return "", err
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, salt[saltLen:]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(append(salt, plain...)), nil
}

// ErrOpen says that a value cannot be decrypted.
var ErrOpen = errors.New("Failed to decrypt the value. Things to check: is the passphrase correct? Are the cipher and hash algorithms the same as those used for encryption?")

// Open decrypts a term.
func Open(text, passphrase string, m Method) (term.Term, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) < saltLen+2*aes.BlockSize || len(b)%aes.BlockSize != 0 {
		return nil, ErrOpen
	}
	block, err := m.block(passphrase, b[:saltLen])
	if err != nil {
		return nil, err
	}
	body := b[saltLen+aes.BlockSize:]
	cipher.NewCBCDecrypter(block, b[saltLen:saltLen+aes.BlockSize]).CryptBlocks(body, body)
	pad := int(body[len(body)-1])
	if pad == 0 || pad > aes.BlockSize || body[0] != 131 {
		return nil, ErrOpen
	}
	t, rest, err := readTerm(body[1:len(body)-pad], 0)
	if err != nil || len(rest) > 0 {
		return nil, ErrOpen
	}
	return t, nil
}

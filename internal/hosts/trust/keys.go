// Package trust decides whom an agent obeys. Operators sign what they send with
// an ed25519 key; an agent's allow file names the operators and the commands
// that each of them may run. Consoles use Signer, agents use Policy.
package trust

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// Names of the headers of a signed message.
const (
	OperatorHeader  = "x-operator"
	SignatureHeader = "x-signature"
)

// pemType is the type of a private key's PEM block, and operatorHeader the
// header in it that names its owner.
const (
	pemType     = "PRIVATE KEY"
	pemOperator = "Operator"
)

// Signer signs in an operator's name.
type Signer struct {
	Operator string
	key      ed25519.PrivateKey
}

// Generate makes a key for an operator.
func Generate(operator string) (*Signer, error) {
	if !operatorName(operator) {
		return nil, fmt.Errorf("%q cannot be an operator's name: letters, digits, '.', '_' and '-'", operator)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return &Signer{operator, key}, err
}

// WriteFile writes the private key to a new file that only its owner can read.
func (s *Signer) WriteFile(name string) error {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: pemType, Headers: map[string]string{pemOperator: s.Operator}, Bytes: der}
	return errors.Join(pem.Encode(f, block), f.Sync(), f.Close())
}

// ReadSigner reads what WriteFile has written.
func ReadSigner(name string) (*Signer, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != pemType || !operatorName(block.Headers[pemOperator]) {
		return nil, fmt.Errorf("%s is not an operator's key; make one with: warren hosts keygen NAME", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	ed, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is not an ed25519 key", name)
	}
	return &Signer{block.Headers[pemOperator], ed}, nil
}

// PolicyLine is the line of an allow file that makes the operator known.
func (s *Signer) PolicyLine() string {
	return fmt.Sprintf("operator %s key %s", s.Operator, base64.StdEncoding.EncodeToString(s.key.Public().(ed25519.PublicKey)))
}

// Headers signs a message of a type.
func (s *Signer) Headers(kind string, body []byte) map[string]any {
	if s == nil {
		return nil
	}
	return map[string]any{
		OperatorHeader:  s.Operator,
		SignatureHeader: base64.StdEncoding.EncodeToString(ed25519.Sign(s.key, signed(kind, body))),
	}
}

// signed is what a signature covers: the type as well, so that a message
// cannot be passed off as one of another type.
func signed(kind string, body []byte) []byte {
	return append([]byte("warren.hosts/1 "+kind+"\n"), body...)
}

func operatorName(s string) bool {
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-') {
			return false
		}
	}
	return s != "" && len(s) <= 100
}

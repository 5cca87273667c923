package broker

import (
	"cmp"
	"crypto/rand"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/auth/pattern"
)

// CredentialValidator says what passwords users may get.
type CredentialValidator struct {
	// Backend is rabbit_credential_validator_accept_everything (or ""),
	// _min_password_length or _password_regexp.
	Backend   string
	MinLength int
	Regexp    string
}

func (v *CredentialValidator) check(password string) error {
	switch v.Backend {
	case "rabbit_credential_validator_min_password_length":
		if n := len([]rune(password)); n < v.MinLength {
			return errf(PreconditionFailed, "minimum required password length: %d", v.MinLength)
		}
	case "rabbit_credential_validator_password_regexp":
		re, err := pattern.Compile(v.Regexp)
		if err != nil || !re.Match(password) {
			return errf(PreconditionFailed, "provided password does not match the validator regular expression")
		}
	}
	return nil
}

// PasswordHashing is the algorithm of new passwords, and of hashes that come
// without one.
func (b *Broker) PasswordHashing() string { return cmp.Or(b.cfg.PasswordHashing, auth.SHA256) }

// HashPassword is for a meta.PutUser of somebody who gets a password: it refuses
// passwords that the node does not want, and returns the stored form and the
// algorithm of the others.
func (b *Broker) HashPassword(password string) (hash, algorithm string, err error) {
	if err := b.cfg.Credentials.check(password); err != nil {
		return "", "", err
	}
	algorithm = b.PasswordHashing()
	if password == "" {
		return "", algorithm, nil
	}
	var salt [4]byte
	rand.Read(salt[:])
	return auth.HashWith(algorithm, salt, password), algorithm, nil
}

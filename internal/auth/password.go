package auth

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"hash"
)

// Hashing algorithms, by the names that RabbitMQ's definition files have. MD5
// is only for users that come from such a file.
const (
	SHA256 = "rabbit_password_hashing_sha256"
	SHA512 = "rabbit_password_hashing_sha512"
	MD5    = "rabbit_password_hashing_md5"
)

const saltLen = 4

// ErrAlgorithm is returned for algorithms that are not known.
var ErrAlgorithm = errors.New("unknown password hashing algorithm")

// newHash returns nil for an unknown algorithm. Empty is SHA-256, the default.
func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case SHA256, "":
		return sha256.New()
	case SHA512:
		return sha512.New()
	case MD5:
		return md5.New()
	}
	return nil
}

// Hash returns the stored form of a password: base64 of a random salt and the
// hash of salt and password. Without a password it is empty: no login.
func Hash(password string) string {
	if password == "" {
		return ""
	}
	var salt [saltLen]byte
	rand.Read(salt[:]) // never fails
	return HashWith(SHA256, salt, password)
}

// HashWith is Hash with a given salt. It panics if the algorithm is unknown.
func HashWith(algorithm string, salt [saltLen]byte, password string) string {
	return base64.StdEncoding.EncodeToString(append(salt[:], digest(newHash(algorithm), salt[:], password)...))
}

func digest(h hash.Hash, salt []byte, password string) []byte {
	h.Write(salt)
	h.Write([]byte(password))
	return h.Sum(nil)
}

// CheckHash reports whether stored, from a definition file or an API, is a hash
// of the algorithm. An empty one is: it lets nobody in.
func CheckHash(algorithm, stored string) error {
	h := newHash(algorithm)
	if h == nil {
		return ErrAlgorithm
	}
	if stored == "" {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(stored)
	if err != nil {
		return err
	}
	if len(b) != saltLen+h.Size() {
		return errors.New("password hash has a wrong length")
	}
	return nil
}

// Verify reports whether password is the one that was hashed. An empty password
// or hash never is. How long it takes does not tell where they differ.
func Verify(algorithm, stored, password string) bool {
	h := newHash(algorithm)
	if h == nil {
		h = sha256.New()
		stored = ""
	}
	b, err := base64.StdEncoding.DecodeString(stored)
	good := err == nil && len(b) == saltLen+h.Size() && password != ""
	if !good {
		b = bytes.Repeat([]byte{0}, saltLen+h.Size())
	}
	same := subtle.ConstantTimeCompare(b[saltLen:], digest(h, b[:saltLen], password)) == 1
	return good && same
}

package auth

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
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

// hashSize is the length of an algorithm's hashes, 0 for an unknown one. Empty is
// SHA-256, the default.
func hashSize(algorithm string) int {
	switch algorithm {
	case SHA256, "":
		return sha256.Size
	case SHA512:
		return sha512.Size
	case MD5:
		return md5.Size
	}
	return 0
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
	if hashSize(algorithm) == 0 {
		panic(ErrAlgorithm)
	}
	return base64.StdEncoding.EncodeToString(appendDigest(salt[:], algorithm, salt[:], password))
}

// appendDigest appends the hash of salt and password.
func appendDigest(dst []byte, algorithm string, salt []byte, password string) []byte {
	var room [128]byte // most fit
	text := append(append(room[:0], salt...), password...)
	switch algorithm {
	case SHA512:
		sum := sha512.Sum512(text)
		return append(dst, sum[:]...)
	case MD5:
		sum := md5.Sum(text)
		return append(dst, sum[:]...)
	}
	sum := sha256.Sum256(text)
	return append(dst, sum[:]...)
}

// CheckHash reports whether stored, from a definition file or an API, is a hash
// of the algorithm. An empty one is: it lets nobody in.
func CheckHash(algorithm, stored string) error {
	size := hashSize(algorithm)
	if size == 0 {
		return ErrAlgorithm
	}
	if stored == "" {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(stored)
	if err != nil {
		return err
	}
	if len(b) != saltLen+size {
		return errors.New("password hash has a wrong length")
	}
	return nil
}

// Verify reports whether password is the one that was hashed. An empty password
// or hash never is. How long it takes does not tell where they differ.
func Verify(algorithm, stored, password string) bool {
	size := hashSize(algorithm)
	if size == 0 {
		algorithm, stored, size = SHA256, "", sha256.Size
	}
	var text, bytes [128]byte // more than a hash takes, unless there are many line ends in it
	kept, err := base64.StdEncoding.AppendDecode(bytes[:0], append(text[:0], stored...))
	good := err == nil && len(kept) == saltLen+size && password != ""
	if !good {
		kept = make([]byte, saltLen+size, saltLen+sha512.Size)
	}
	var room [sha512.Size]byte
	same := subtle.ConstantTimeCompare(kept[saltLen:], appendDigest(room[:0], algorithm, kept[:saltLen], password)) == 1
	return good && same
}

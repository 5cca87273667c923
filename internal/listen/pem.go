package listen

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"os"
	"strings"
)

// LoadPair reads a certificate with its chain, and its key, which may be
// encrypted. The error says which file is to blame.
func LoadPair(certFile, keyFile, password string) (tls.Certificate, error) {
	certPEM, err := os.ReadFile(certFile)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("the certificate cannot be read: %w", err)
	}
	keyPEM, err := os.ReadFile(keyFile)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("the key cannot be read: %w", err)
	}
	if b, _ := pem.Decode(certPEM); b == nil {
		return tls.Certificate{}, fmt.Errorf("%s is not a PEM file with a certificate", certFile)
	}
	if keyPEM, err = decrypt(keyPEM, password); err != nil {
		return tls.Certificate{}, fmt.Errorf("%s: %w", keyFile, err)
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return tls.Certificate{}, pairError(err, certFile, keyFile)
	}
	if cert.Leaf == nil {
		cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0])
	}
	return cert, err
}

// pairError puts into our words what the standard library finds.
func pairError(err error, certFile, keyFile string) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "does not match"):
		return fmt.Errorf("the key %s does not belong to the certificate %s", keyFile, certFile)
	case strings.Contains(text, "certificate rather than a key"):
		return fmt.Errorf("%s holds a certificate, and the key is wanted", keyFile)
	case strings.Contains(text, "but did find a private key"):
		return fmt.Errorf("%s holds a key, and the certificate is wanted", certFile)
	case strings.Contains(text, "failed to find any PEM data in key") || strings.Contains(text, "failed to find PEM block") && strings.Contains(text, "key"):
		return fmt.Errorf("%s is not a PEM file with a private key", keyFile)
	}
	return fmt.Errorf("%s, %s: %s", certFile, keyFile, strings.TrimPrefix(text, "tls: "))
}

// LoadAuthorities reads the certificates of those who sign others.
func LoadAuthorities(file string) (*x509.CertPool, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the authorities' certificates cannot be read: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%s is not a PEM file with certificates", file)
	}
	return pool, nil
}

// decrypt replaces an encrypted key by the plain one.
func decrypt(keyPEM []byte, password string) ([]byte, error) {
	var out bytes.Buffer
	for rest := keyPEM; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		plain, err := decryptBlock(b, password)
		if err != nil {
			return nil, err
		}
		if err := pem.Encode(&out, plain); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

var (
	errNoPassword    = errors.New("the key is encrypted: set the option password, or decrypt it (openssl pkey -in KEY -out PLAIN)")
	errWrongPassword = errors.New("the password does not decrypt the key")
	errCipher        = errors.New("the key is encrypted in a way that is not supported (PBES2 with AES or 3DES is): decrypt it (openssl pkey -in KEY -out PLAIN)")
)

func decryptBlock(b *pem.Block, password string) (*pem.Block, error) {
	old := x509.IsEncryptedPEMBlock(b) //nolint:staticcheck // weak, but keys of this form are about
	if b.Type != "ENCRYPTED PRIVATE KEY" && !old {
		return b, nil
	}
	if password == "" {
		return nil, errNoPassword
	}
	if old {
		der, err := x509.DecryptPEMBlock(b, []byte(password)) //nolint:staticcheck
		if err != nil {
			return nil, errWrongPassword
		}
		return &pem.Block{Type: b.Type, Bytes: der}, nil
	}
	der, err := decryptPKCS8(b.Bytes, password)
	if err != nil {
		return nil, err
	}
	if _, err := x509.ParsePKCS8PrivateKey(der); err != nil {
		return nil, errWrongPassword
	}
	return &pem.Block{Type: "PRIVATE KEY", Bytes: der}, nil
}

// The structures of RFC 5958 and RFC 8018.
type (
	encryptedKey struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	pbes2Params struct{ KDF, Cipher pkix.AlgorithmIdentifier }
	pbkdf2Param struct {
		Salt       []byte
		Iterations int
		KeyLength  int                      `asn1:"optional"`
		PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

// maxIterations bounds what a file may make us compute.
const maxIterations = 10_000_000

func decryptPKCS8(der []byte, password string) ([]byte, error) {
	var k encryptedKey
	var p pbes2Params
	var kdf pbkdf2Param
	if _, err := asn1.Unmarshal(der, &k); err != nil {
		return nil, fmt.Errorf("not a PKCS #8 key: %w", err)
	}
	if k.Algorithm.Algorithm.String() != "1.2.840.113549.1.5.13" {
		return nil, errCipher
	}
	if _, err := asn1.Unmarshal(k.Algorithm.Parameters.FullBytes, &p); err != nil {
		return nil, errCipher
	}
	if _, err := asn1.Unmarshal(p.KDF.Parameters.FullBytes, &kdf); err != nil || p.KDF.Algorithm.String() != "1.2.840.113549.1.5.12" {
		return nil, errCipher
	}
	oid := p.Cipher.Algorithm.String()
	size := map[string]int{"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24, "2.16.840.1.101.3.4.1.42": 32, oidDES3: 24}[oid]
	newCipher, blockSize := aes.NewCipher, aes.BlockSize
	if oid == oidDES3 { // what older versions of openssl made
		newCipher, blockSize = des.NewTripleDESCipher, des.BlockSize
	}
	var iv []byte
	if _, err := asn1.Unmarshal(p.Cipher.Parameters.FullBytes, &iv); err != nil || size == 0 || len(iv) != blockSize {
		return nil, errCipher
	}
	if kdf.Iterations < 1 || kdf.Iterations > maxIterations {
		return nil, errCipher
	}
	h := prf(kdf.PRF)
	if h == nil {
		return nil, errCipher
	}
	key, err := pbkdf2.Key(h, password, kdf.Salt, kdf.Iterations, size)
	if err != nil {
		return nil, err
	}
	block, err := newCipher(key)
	if err != nil {
		return nil, err
	}
	return decryptCBC(block, iv, k.Data)
}

const oidDES3 = "1.2.840.113549.3.7"

func prf(a pkix.AlgorithmIdentifier) func() hash.Hash {
	switch a.Algorithm.String() {
	case "", "1.2.840.113549.2.7":
		return sha1.New
	case "1.2.840.113549.2.8":
		return sha256.New224
	case "1.2.840.113549.2.9":
		return sha256.New
	case "1.2.840.113549.2.10":
		return sha512.New384
	case "1.2.840.113549.2.11":
		return sha512.New
	}
	return nil
}

func decryptCBC(block cipher.Block, iv, data []byte) ([]byte, error) {
	if len(data) == 0 || len(data)%block.BlockSize() != 0 {
		return nil, errWrongPassword
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, data)
	pad := int(out[len(out)-1])
	if pad == 0 || pad > block.BlockSize() {
		return nil, errWrongPassword
	}
	for _, c := range out[len(out)-pad:] {
		if int(c) != pad {
			return nil, errWrongPassword
		}
	}
	return out[:len(out)-pad], nil
}

package config

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/sealed"
	"github.com/warrenmq/warren/internal/term"
)

// Values that are encrypted: encrypted:... in rabbitmq.conf, {encrypted,
// <<"...">>} in terms. How they are opened stands in any of the files, also
// behind them, so it is looked for first.

// decoder opens them.
type decoder struct {
	method     sealed.Method
	passphrase string
	file       string // that holds the passphrase
	prompt     bool
	origin     string // of the passphrase
	asked      bool
}

// errSealed stands for a value that is left encrypted.
var errSealed = errors.New("the value is left encrypted")

// open decrypts a value. The error says nothing about what is in it.
func (l *loader) open(text string) (term.Term, error) {
	d := &l.decoder
	if err := l.unlock(); err != nil {
		return nil, err
	}
	t, err := sealed.Open(strings.TrimSpace(text), d.passphrase, d.method)
	if errors.Is(err, sealed.ErrOpen) {
		err = fmt.Errorf("the value cannot be decrypted: the passphrase (%s), cipher, hash or iterations are not those that it was encrypted with, or it is not complete", d.origin)
	}
	return t, err
}

// unlock gets the passphrase, once.
func (l *loader) unlock() error {
	d := &l.decoder
	switch {
	case d.asked:
		return nil
	case d.prompt && l.src.KeepSealed, d.origin == "" && l.src.KeepSealed:
		return errSealed
	case d.origin == "":
		return errors.New("the value is encrypted, and there is no passphrase: set {rabbit, [{config_entry_decoder, [{passphrase, ...}]}]} in advanced.config, or warren.config_passphrase_file")
	case d.file != "":
		b, err := os.ReadFile(d.file)
		if err != nil && l.src.KeepSealed {
			return errSealed
		}
		if err != nil {
			return fmt.Errorf("the passphrase for encrypted values cannot be read: %w", err)
		}
		d.passphrase, _, _ = strings.Cut(string(b), "\n")
		d.passphrase = strings.TrimSuffix(d.passphrase, "\r")
	case d.prompt && l.src.Ask == nil:
		return errors.New("the passphrase for encrypted values is to be asked for, and there is nobody to ask")
	case d.prompt:
		var err error
		if d.passphrase, err = l.src.Ask("Please enter the passphrase to unlock encrypted configuration entries.\n\nPassphrase: "); err != nil {
			return fmt.Errorf("the passphrase for encrypted values cannot be asked for: %w", err)
		}
	}
	d.asked = true
	return nil
}

// findDecoder looks for how values are opened. What is wrong with a file is said
// when it is read.
func (l *loader) findDecoder(files []string) error {
	for _, f := range files {
		text, err := readText(f)
		if err != nil {
			continue
		}
		if strings.HasSuffix(f, ".config") {
			err = l.decoderTerms(f, text)
		} else {
			err = l.eachSetting(f, text, l.decoderSetting)
		}
		var own *decoderError
		if errors.As(err, &own) {
			return err
		}
	}
	for _, kv := range l.src.Set {
		k, v, _ := strings.Cut(kv, "=")
		if err := l.decoderSetting(strings.TrimSpace(k), strings.TrimSpace(v), "--set"); err != nil {
			return err
		}
	}
	return nil
}

// decoderError is a mistake in how values are to be opened.
type decoderError struct{ text string }

func (e *decoderError) Error() string { return e.text }

func badDecoder(origin, format string, args ...any) error {
	return &Error{origin, &decoderError{"config_entry_decoder." + fmt.Sprintf(format, args...)}}
}

func (l *loader) decoderSetting(k, v, origin string) error {
	if k == "warren.config_passphrase_file" {
		l.decoder.file, l.decoder.prompt, l.decoder.origin = v, false, origin
		return nil
	}
	name, ok := strings.CutPrefix(k, "config_entry_decoder.")
	if !ok {
		return nil
	}
	return l.decoderValue(name, v, origin)
}

func (l *loader) decoderValue(name, v, origin string) error {
	d := &l.decoder
	switch name {
	case "passphrase":
		d.passphrase, d.file, d.prompt, d.origin = v, "", false, origin
		return nil
	case "cipher":
		d.method.Cipher = v
	case "hash":
		d.method.Hash = v
	case "iterations":
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return badDecoder(origin, "iterations: %q is not a number from 1 on", v)
		}
		d.method.Iterations = n
	default:
		return badDecoder(origin, "%s: unknown key; want passphrase, cipher, hash or iterations", name)
	}
	switch {
	case d.method.Check() == nil:
		return nil
	case name == "cipher":
		return badDecoder(origin, "cipher: %q is not supported; want one of %s", v, strings.Join(sealed.Ciphers(), ", "))
	case name == "hash":
		return badDecoder(origin, "hash: %q is not supported; want one of %s", v, strings.Join(sealed.Hashes(), ", "))
	}
	return badDecoder(origin, "iterations: %s are too many", v)
}

// decoderTerms finds {rabbit, [{config_entry_decoder, [...]}]}.
func (l *loader) decoderTerms(file, text string) error {
	p, err := term.Parse(text)
	if err != nil {
		return err
	}
	apps, _ := p.Term.(term.List)
	for _, a := range apps {
		app, value, _ := pair(a)
		props, _ := value.(term.List)
		if app != "rabbit" {
			continue
		}
		for i := range props {
			if name, value, _ := pair(props[i]); name == "config_entry_decoder" {
				if err := l.decoderProps(fmt.Sprintf("%s:%d", file, p.Line(&props[i])), value); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (l *loader) decoderProps(origin string, v term.Term) error {
	props, ok := v.(term.List)
	if !ok {
		return badDecoder(origin, " want a list")
	}
	for _, e := range props {
		name, value, ok := pair(e)
		if !ok {
			return badDecoder(origin, " want {key, value}")
		}
		if name == "passphrase" {
			if value == term.Atom("prompt") {
				l.decoder.prompt, l.decoder.file, l.decoder.origin = true, "", origin
				continue
			}
			if kind, file, ok := pair(value); ok && kind == "file" {
				l.decoder.file, ok = term.Text(file)
				if l.decoder.prompt, l.decoder.origin = false, origin; !ok {
					return badDecoder(origin, "passphrase: want {file, \"NAME\"}")
				}
				continue
			}
		}
		s, err := word(value)
		if err != nil {
			return badDecoder(origin, "%s: want a word", name)
		}
		if err := l.decoderValue(name, s, origin); err != nil {
			return err
		}
	}
	return nil
}

// openTerms decrypts what is encrypted in a term, in place. It reports whether
// anything was.
func (l *loader) openTerms(t *term.Term) (found bool, err error) {
	each := func(ts []term.Term) error {
		for i := range ts {
			f, err := l.openTerms(&ts[i])
			if found = found || f; err != nil {
				return err
			}
		}
		return nil
	}
	switch v := (*t).(type) {
	case term.List:
		err = each(v)
	case term.Tuple:
		if len(v) != 2 || v[0] != term.Atom("encrypted") {
			err = each(v)
			break
		}
		text, ok := term.Text(v[1])
		if !ok {
			return true, errors.New("want {encrypted, <<\"...\">>}")
		}
		found = true
		*t, err = l.open(text)
	}
	return found, err
}

// openSetting decrypts a value of rabbitmq.conf.
func (l *loader) openSetting(v string) (string, error) {
	t, err := l.open(strings.TrimPrefix(v, sealedPrefix))
	if err != nil {
		return "", err
	}
	s, err := word(t)
	if err != nil {
		return "", errors.New("what was encrypted is neither a text nor a number")
	}
	return s, nil
}

const sealedPrefix = "encrypted:"

// errOpened takes the place of a mistake in a value that was encrypted: the
// mistake may repeat it.
var errOpened = errors.New("the decrypted value does not fit this key")

// sensitive reports whether a key's name says that its value is nobody's business.
func sensitive(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	for _, s := range []string{"pass", "passphrase", "password", "secret", "token", "secret_key"} {
		if last == s || strings.HasSuffix(last, "_"+s) {
			return true
		}
	}
	return false
}

package config

import (
	"fmt"
	"strings"

	"github.com/warrenmq/warren/internal/term"
)

// tlsProp finds what becomes of a TLS option that is more than a word or a list
// of words. The prefix is what stands in front in rabbitmq.conf.
func tlsProp(prefix, name string) converter {
	switch name {
	case "crl_cache":
		return crlCache(prefix)
	case "ciphers":
		return ciphers(prefix)
	}
	return nil
}

// crlCache takes {ssl_crl_hash_dir, {internal, [{dir, "/lists"}]}}, and
// {ssl_crl_cache, {internal, [{dir, ...}, {http, 5000}]}}.
func crlCache(prefix string) converter {
	return func(o *out, v term.Term) error {
		_, args, ok := pair(v)
		if ok {
			_, args, ok = pair(args)
		}
		l, isList := args.(term.List)
		if !ok || !isList {
			return fmt.Errorf("want {ssl_crl_hash_dir, {internal, [{dir, \"NAME\"}]}}, found %s", short(v))
		}
		for i, e := range l {
			kind, value, ok := pair(e)
			if !ok {
				return fmt.Errorf("want {dir, \"NAME\"}, found %s", short(e))
			}
			s, err := word(value)
			if err != nil {
				return err
			}
			key := fmt.Sprintf("%scrl_sources.%d", prefix, i+1)
			o.put(key, kind)
			if kind == "dir" {
				o.put(key+".path", s)
			}
		}
		return nil
	}
}

// ciphers takes ["ECDHE-RSA-AES256-GCM-SHA384", {ecdhe_rsa, aes_256_gcm, aead, sha384}].
func ciphers(prefix string) converter {
	return func(o *out, v term.Term) error {
		l, err := list(v)
		if err != nil {
			return err
		}
		if _, isText := term.Text(l); isText && len(l) > 0 {
			return fmt.Errorf("want a list of names, found %s", short(v))
		}
		for i, e := range l {
			if t, ok := e.(term.Tuple); ok {
				l[i] = term.String(erlangSuite(t))
			}
		}
		return many(prefix+"ciphers")(o, l)
	}
}

// erlangSuite is IANA's name of a suite: key exchange, cipher, hash of the
// message or "aead", and the hash for keys.
func erlangSuite(t term.Tuple) string {
	parts := make([]string, len(t))
	for i, e := range t {
		parts[i] = strings.ToUpper(e.String())
	}
	if len(parts) < 3 || len(parts) > 4 {
		return t.String()
	}
	kx, cipher, hash := parts[0], parts[1], parts[2]
	if hash == "AEAD" {
		hash = parts[len(parts)-1]
	}
	if kx == "ANY" {
		return "TLS_" + cipher + "_" + hash
	}
	return "TLS_" + kx + "_WITH_" + cipher + "_" + hash
}

// allVersions takes {ssl, [{versions, ['tlsv1.3']}]}, which holds for all
// listeners that have no list of their own.
func allVersions(o *out, v term.Term) error {
	for _, prefix := range []string{"ssl_options.", "management.ssl.", "prometheus.ssl."} {
		if o.r.l.settings.has(prefix + "versions.") {
			continue
		}
		if err := many(prefix+"versions")(o, v); err != nil {
			return err
		}
	}
	return nil
}

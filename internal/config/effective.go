package config

import (
	"slices"
	"strings"
)

// secret is shown in place of what is nobody's business.
const secret = "(secret)"

// effective lists all keys with a meaning: those that were set, and the
// defaults of the others.
func effective(s settings, c *Config) []Setting {
	b := newBuild()
	out := slices.Clone(s.list)
	for i := range out {
		if k, _ := b.find(out[i].Key); k != nil && k.secret || s.opened[out[i].Key] || sensitive(out[i].Key) {
			out[i].Value = secret
		}
	}
	given := func(k *key) bool {
		return slices.ContainsFunc(s.list, func(n Setting) bool { found, _ := b.find(n.Key); return found == k })
	}
	for _, k := range b.keys {
		if k.set == nil || k.def == "" || strings.Contains(k.name, ".listener.") || given(k) || isOff(s, k.name) {
			continue
		}
		n := Setting{Key: k.name, Value: k.def, Origin: byDefault}
		if i := strings.Index(k.name, "$"); i >= 0 {
			n.Key = defaultName(k)
			if k.def == "administrator" || k.def == "guest" && strings.HasPrefix(k.name, "loopback") {
				n.Value = "true"
			}
			if n.Key == "" {
				continue
			}
		}
		if k.secret {
			n.Value = secret
		}
		out = append(out, n)
	}
	put := func(key, value string) {
		if !slices.ContainsFunc(out, func(n Setting) bool { return n.Key == key }) {
			out = append(out, Setting{Key: key, Value: value, Origin: byDefault})
		}
	}
	put("log.dir", c.Log.Dir)
	put("log.file", c.Log.File)
	put("warren.pid_file", c.PIDFile)
	slices.SortFunc(out, func(a, b Setting) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// isOff reports whether "listeners.tcp = none" and the like make a default moot.
func isOff(s settings, key string) bool {
	for _, p := range []string{"listeners.tcp", "listeners.ssl", "loopback_users"} {
		if _, ok := s.get(p); ok && strings.HasPrefix(key, p) {
			return true
		}
	}
	// Where only TLS was asked for, the plain port is closed.
	for _, w := range []string{"management", "prometheus"} {
		if key == w+".tcp.port" {
			return s.has(w+".ssl.port") && !s.has(w+".tcp.") || s.has(w+".listener.")
		}
	}
	return false
}

// defaultName is what the free part of a key is called when nobody has named it.
func defaultName(k *key) string {
	switch {
	case strings.HasPrefix(k.name, "listeners."):
		return strings.Replace(k.name, "$name", "default", 1)
	case strings.HasPrefix(k.name, "default_user_tags."):
		return "default_user_tags.administrator"
	case strings.HasPrefix(k.name, "loopback_users."):
		return "loopback_users.guest"
	case strings.HasSuffix(k.name, ".$n"):
		return strings.TrimSuffix(k.name, ".$n")
	}
	return ""
}

package config

import (
	"slices"
	"strings"

	"github.com/warrenmq/warren/server"
)

// Setting is a key, its value as rabbitmq.conf would have it, and where it
// comes from.
type Setting = server.Setting

// byDefault is the origin of what nobody has set.
const byDefault = "default"

// settings are those that hold, in the order of their first appearance.
type settings struct {
	list   []Setting
	opened map[string]bool // keys whose values were encrypted
}

// put adds a setting; an earlier one of the same key is forgotten.
func (s *settings) put(key, value, origin string) {
	s.list = slices.DeleteFunc(s.list, func(o Setting) bool { return o.Key == key })
	s.list = append(s.list, Setting{Key: key, Value: value, Origin: origin})
	delete(s.opened, key)
}

// putSecret is put for a value that was encrypted.
func (s *settings) putSecret(key, value, origin string) {
	s.put(key, value, origin)
	if s.opened == nil {
		s.opened = map[string]bool{}
	}
	s.opened[key] = true
}

// drop forgets all keys with a prefix.
func (s *settings) drop(prefix string) {
	s.list = slices.DeleteFunc(s.list, func(o Setting) bool { return strings.HasPrefix(o.Key, prefix) })
}

// has reports whether a key with the prefix was set.
func (s *settings) has(prefix string) bool {
	return slices.ContainsFunc(s.list, func(o Setting) bool { return strings.HasPrefix(o.Key, prefix) })
}

func (s *settings) get(key string) (Setting, bool) {
	i := slices.IndexFunc(s.list, func(o Setting) bool { return o.Key == key })
	if i < 0 {
		return Setting{}, false
	}
	return s.list[i], true
}

func (s *settings) origin(key string) string {
	n, ok := s.get(key)
	if !ok {
		return byDefault
	}
	return n.Origin
}

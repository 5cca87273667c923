package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/listen"
	"github.com/warrenmq/warren/internal/logging"
	"github.com/warrenmq/warren/server"
)

// key is a row of the table of keys. One of set, note and refuse says what
// becomes of a value.
type key struct {
	name string // parts that begin with $ are free: listeners.tcp.$name
	def  string // the default, as text
	set  func(b *build, at []string, v string) error
	// note: the key is RabbitMQ's and means nothing here, and why.
	note string
	// refuse: it would mean something that Warren cannot do, so a node must not
	// start as if it did. Values in harmless are what Warren does anyway.
	refuse   string
	harmless []string
	secret   bool // the value is nobody's business

	parts []string
	free  bool
}

// build is server.Config in the making.
type build struct {
	keys   []*key
	byName map[string]*key
	c      *Config
	s      *server.Config
	notes  []string

	listeners  map[string]map[string]string // by protocol, then by name
	off        map[string]bool              // protocols with "none"
	lists      map[string]map[string]string // keys that are numbered, or end in a name
	web        map[string]*webKeys
	oldWeb     map[string]string // management.listener.*
	vhostUsers map[string]*server.VHostUser
	vhostLimit map[string]*server.VHostLimit
	operators  map[string]*server.DefaultPolicy
	console    *bool
	levels     int // how often a level of the console was set
	syslog     logging.Syslog
	syslogHost string
	ownLogs    map[string]*logging.OwnFile // by category
	anonymous  struct{ user, pass string }
	accessLog  [2]string // the older key, and the newer one, which wins
	// definitions are where definitions may come from.
	definitions struct {
		load, local, url string
		fetch            bool
		tls              listen.ClientTLS
	}
}

// webKeys is where an HTTP listener is to be.
type webKeys struct {
	ip, port, sslIP, sslPort string
	off                      bool // the plain one
}

func newBuild() *build {
	c := &Config{}
	b := &build{
		c: c, s: &c.Server, byName: map[string]*key{}, listeners: map[string]map[string]string{"tcp": {}, "ssl": {}},
		off: map[string]bool{}, ownLogs: map[string]*logging.OwnFile{}, lists: map[string]map[string]string{}, oldWeb: map[string]string{},
		web:        map[string]*webKeys{"management": {}, "prometheus": {}},
		vhostUsers: map[string]*server.VHostUser{}, vhostLimit: map[string]*server.VHostLimit{}, operators: map[string]*server.DefaultPolicy{},
	}
	c.Log = logging.Default()
	for _, group := range [][]key{b.coreKeys(), b.accessKeys(), b.limitKeys(), b.pluginKeys(), b.logKeys(), b.warrenKeys(), otherKeys()} {
		for i := range group {
			k := &group[i]
			k.parts = strings.Split(k.name, ".")
			k.free = strings.Contains(k.name, "$")
			b.keys = append(b.keys, k)
			b.byName[k.name] = k
		}
	}
	return b
}

// find returns the row of a key and what stands in its free parts.
func (b *build) find(name string) (*key, []string) {
	if k := b.byName[name]; k != nil && !k.free {
		return k, nil
	}
	parts := strings.Split(name, ".")
	for _, k := range b.keys {
		if k.free {
			if at, ok := k.match(parts); ok {
				return k, at
			}
		}
	}
	return nil, nil
}

// match compares a key with a pattern. A last part of "$*" stands for any
// number of parts.
func (k *key) match(parts []string) (at []string, ok bool) {
	for i, p := range k.parts {
		switch {
		case p == "$*":
			return append(at, strings.Join(parts[i:], ".")), len(parts) > i
		case i >= len(parts):
			return nil, false
		case p[0] == '$':
			if parts[i] == "" {
				return nil, false
			}
			at = append(at, parts[i])
		case p != parts[i]:
			return nil, false
		}
	}
	return at, len(parts) == len(k.parts)
}

// apply takes all settings in.
func (b *build) apply(s settings) error {
	for _, n := range s.list {
		k, at := b.find(n.Key)
		if k == nil {
			return &Error{n.Origin, b.unknown(n.Key)}
		}
		var err error
		hidden := s.opened[n.Key]
		switch {
		case k.set != nil:
			if err = k.set(b, at, n.Value); err != nil && hidden {
				err = errOpened
			}
		case k.note != "":
			if hidden || k.secret || sensitive(n.Key) {
				n.Value = secret
			}
			b.note(n, k.note)
		case !slices.Contains(k.harmless, n.Value):
			err = errors.New(k.refuse)
		}
		if err != nil {
			return &Error{n.Origin, fmt.Errorf("%s: %w", n.Key, err)}
		}
	}
	return nil
}

func (b *build) note(n Setting, text string) {
	b.notes = append(b.notes, fmt.Sprintf("%s = %s (%s) has no effect: %s", n.Key, n.Value, n.Origin, text))
}

// finish works out what depends on several keys.
func (b *build) finish() (*Config, error) {
	s := b.s
	if len(b.listeners["tcp"]) == 0 && !b.off["tcp"] {
		b.listeners["tcp"]["default"] = ":5672"
	}
	s.Listeners = valuesByKey(b.listeners["tcp"])
	if !b.off["ssl"] {
		s.TLSListeners = valuesByKey(b.listeners["ssl"])
	}
	s.Mechanisms = valuesByKey(b.lists["auth_mechanisms"])
	s.Management.CORSOrigins = valuesByKey(b.lists["management.cors.allow_origins"])
	for prefix, t := range map[string]*server.TLS{"ssl_options": &s.TLS, "management.ssl": &s.Management.TLS, "prometheus.ssl": &s.Prometheus.TLS} {
		t.Versions = valuesByKey(b.lists[prefix+".versions"])
		t.Ciphers = valuesByKey(b.lists[prefix+".ciphers"])
		t.CRLs = valuesByKey(b.lists[prefix+".crl_sources"])
	}
	b.anonymousLogin()
	b.loopback()
	if tags := b.lists["default_user_tags"]; tags != nil {
		s.DefaultUserTags = trueOnes(tags)
	}
	b.webListeners()
	b.perVHost()
	// Of two kinds of a limit the relative one holds, as in RabbitMQ.
	if s.Memory.Relative != 0 && s.Memory.Absolute != 0 {
		s.Memory.Absolute = 0
		b.notes = append(b.notes, "vm_memory_high_watermark.absolute has no effect: vm_memory_high_watermark.relative is set, too")
	}
	if s.DiskFree.Relative != 0 && s.DiskFree.Absolute != 0 {
		s.DiskFree.Absolute = 0
		b.notes = append(b.notes, "disk_free_limit.absolute has no effect: disk_free_limit.relative is set, too")
	}
	if b.console != nil {
		b.c.Log.Console = *b.console
	} else if b.levels > 0 {
		b.c.Log.Console = true
	}
	b.finishOwnLogs()
	if s.AccessLogDir = cmp.Or(b.accessLog[1], b.accessLog[0]); s.AccessLogDir == "none" {
		s.AccessLogDir = ""
	}
	err := errors.Join(b.finishSyslog(), b.finishDefinitions())
	b.c.Notes = b.notes
	return b.c, err
}

// anonymousLogin works out who comes without a name: nobody, unless the mechanism
// is wanted.
func (b *build) anonymousLogin() {
	a := &b.anonymous
	switch {
	case !slices.Contains(b.s.Mechanisms, "ANONYMOUS"):
		if a.user != "" && a.user != "none" {
			b.notes = append(b.notes, "anonymous_login_user has no effect: ANONYMOUS is not one of auth_mechanisms")
		}
	case a.user != "none" && a.pass != "none":
		b.s.AnonymousUser, b.s.AnonymousPass = cmp.Or(a.user, "guest"), cmp.Or(a.pass, "guest")
	}
}

// loopback works out who may only come from this host: guest, unless somebody
// says otherwise.
func (b *build) loopback() {
	users := b.lists["loopback_users"]
	switch {
	case b.off["loopback_users"]:
		b.s.LoopbackUsers = []string{}
	case len(users) > 0:
		list := trueOnes(users)
		if _, said := users["guest"]; !said {
			list = append([]string{"guest"}, list...)
		}
		b.s.LoopbackUsers = list
	}
}

// webListeners decides on the HTTP listeners: where only TLS was asked for,
// there is only TLS.
func (b *build) webListeners() {
	if len(b.oldWeb) > 0 {
		w := b.web["management"]
		if b.oldWeb["ssl"] == "true" {
			w.sslIP, w.sslPort = b.oldWeb["ip"], cmp.Or(b.oldWeb["port"], "15671")
		} else {
			w.ip, w.port = b.oldWeb["ip"], cmp.Or(b.oldWeb["port"], "15672")
		}
	}
	addrs := func(name, port string) (plain, tls []string) {
		w := b.web[name]
		if w.sslPort != "" {
			tls = []string{net.JoinHostPort(w.sslIP, w.sslPort)}
		}
		if !w.off && (w.port != "" || w.ip != "" || w.sslPort == "") {
			plain = []string{net.JoinHostPort(w.ip, cmp.Or(w.port, port))}
		}
		return plain, tls
	}
	b.s.Management.Listeners, b.s.Management.TLSListeners = addrs("management", "15672")
	b.s.Prometheus.Listeners, b.s.Prometheus.TLSListeners = addrs("prometheus", "15692")
}

func (b *build) perVHost() {
	for _, k := range byNumber(b.vhostUsers) {
		b.s.VHostUsers = append(b.s.VHostUsers, *b.vhostUsers[k])
	}
	for _, k := range byNumber(b.vhostLimit) {
		b.s.VHostLimits = append(b.s.VHostLimits, *b.vhostLimit[k])
	}
	for _, k := range byNumber(b.operators) {
		b.s.OperatorPolicies = append(b.s.OperatorPolicies, *b.operators[k])
	}
}

// byNumber sorts the keys of a map: 1, 2, 10, default.
func byNumber[V any](m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(padded(a), padded(b)), strings.Compare(a, b))
	})
}

func padded(s string) string {
	if len(s) < 12 && strings.Trim(s, "0123456789") == "" {
		return strings.Repeat("0", 12-len(s)) + s
	}
	return s
}

func valuesByKey(m map[string]string) []string {
	var out []string
	for _, k := range byNumber(m) {
		out = append(out, m[k])
	}
	return out
}

func trueOnes(m map[string]string) []string {
	out := []string{}
	for _, k := range byNumber(m) {
		if m[k] == "true" {
			out = append(out, k)
		}
	}
	return out
}

// Setters.

type setter = func(b *build, at []string, v string) error

func text(p *string) setter {
	return func(_ *build, _ []string, v string) error { *p = v; return nil }
}

// needed is text that is not empty.
func needed(p *string) setter {
	return func(_ *build, _ []string, v string) error {
		if *p = v; v == "" {
			return errEmpty
		}
		return nil
	}
}

func choice(p *string, allowed ...string) setter {
	return func(_ *build, _ []string, v string) error { *p = v; return oneOf(v, allowed...) }
}

func boolean(p *bool) setter {
	return func(_ *build, _ []string, v string) (err error) { *p, err = parseBool(v); return err }
}

func integer[T int | int64 | uint16 | uint32](p *T, lo, hi int64) setter {
	return func(_ *build, _ []string, v string) error {
		n, err := parseInt(v, lo, hi)
		*p = T(n)
		return err
	}
}

// limit is a number of which "infinity" is the default.
func limit(p *int64) setter {
	return func(_ *build, _ []string, v string) (err error) {
		if v == "infinity" {
			*p = 0
			return nil
		}
		*p, err = parseInt(v, 1, maxLimit)
		return err
	}
}

const maxLimit = 1 << 62

func millis(p *time.Duration) setter  { return duration(p, time.Millisecond) }
func minutes(p *time.Duration) setter { return duration(p, time.Minute) }

func duration(p *time.Duration, unit time.Duration) setter {
	return func(_ *build, _ []string, v string) (err error) { *p, err = parseDuration(v, unit); return err }
}

// orNever is a setter of a duration of which 0 and "infinity" are no limit.
func orNever(p *time.Duration, set setter) setter {
	return func(b *build, at []string, v string) error {
		if v == "infinity" || v == "false" {
			*p = never
			return nil
		}
		err := set(b, at, v)
		if err == nil && *p == 0 {
			*p = never
		}
		return err
	}
}

func size(p *int64) setter {
	return func(_ *build, _ []string, v string) (err error) { *p, err = parseSize(v); return err }
}

// item puts a value into a list, under its number or name.
func item(list string, check func(v string) error) setter {
	return func(b *build, at []string, v string) error {
		if b.lists[list] == nil {
			b.lists[list] = map[string]string{}
		}
		b.lists[list][at[0]] = v
		return check(v)
	}
}

// flag is an item that is true or false.
func flag(list string) setter {
	return func(b *build, at []string, v string) error {
		on, err := parseBool(v)
		if err != nil {
			return err
		}
		return item(list, func(string) error { return nil })(b, at, fmt.Sprint(on))
	}
}

func anything(string) error { return nil }

func among(allowed ...string) func(string) error {
	return func(v string) error { return oneOf(v, allowed...) }
}

package config

import (
	"fmt"
	"strings"

	"github.com/warrenmq/warren/internal/term"
)

// syslogKey finds what becomes of a key of the application syslog, which says
// where the log goes that {rabbit, [{log, [{syslog, [{enabled, true}]}]}]} switches on.
func syslogKey(key string) converter {
	switch key {
	case "app_name":
		return plain("log.syslog.identity")
	case "dest_host":
		return syslogHost
	case "dest_port":
		return plain("log.syslog.port")
	case "facility", "multiline_mode":
		return plain("log.syslog." + key)
	case "protocol":
		return syslogProtocol
	}
	return nil
}

// syslogHost takes "logs.example" or {127, 0, 0, 1}.
func syslogHost(o *out, v term.Term) error {
	if t, ok := v.(term.Tuple); ok && len(t) == 4 {
		var parts []string
		for _, e := range t {
			parts = append(parts, e.String())
		}
		o.put("log.syslog.ip", strings.Join(parts, "."))
		return nil
	}
	return plain("log.syslog.host")(o, v)
}

// syslogProtocol takes rfc5424, {rfc5424, tcp} or {rfc5424, tls, [{verify, verify_peer}]}.
func syslogProtocol(o *out, v term.Term) error {
	t, ok := v.(term.Tuple)
	if !ok {
		return plain("log.syslog.protocol")(o, v)
	}
	if len(t) < 2 || len(t) > 3 {
		return fmt.Errorf("want {rfc5424, tcp}, found %s", short(v))
	}
	for i, key := range []string{"log.syslog.protocol", "log.syslog.transport"} {
		if err := plain(key)(o, t[i]); err != nil {
			return err
		}
	}
	if len(t) == 3 {
		return props("log.syslog.ssl_options.")(o, t[2])
	}
	return nil
}

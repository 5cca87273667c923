package api

import (
	"crypto/x509"
	"time"

	"github.com/warrenmq/warren/internal/broker"
)

// Node is what the API wants of the node that it is part of. Package server
// implements it.
type Node interface {
	// Listeners that are open now.
	Listeners() []ListenerInfo
	// Certificates that listeners present, for the check of their expiry.
	Certificates() []CertificateInfo
	// EffectiveConfig is what is configured, by key, with where each value
	// comes from. Secrets are not in it.
	EffectiveConfig() []ConfigValue
	Started() time.Time
	// AppRunning: the application has been started and not stopped.
	AppRunning() bool
	// Suspended: the listeners for clients are closed.
	Suspended() bool
	// Alarms in force: "memory", "disk".
	Alarms() []string

	// StopApp closes the connections and all listeners and ends the broker;
	// StartApp begins anew. The control socket stays.
	StopApp() error
	StartApp() error
	// Reset forgets all definitions and messages. Only after StopApp.
	Reset() error
	// RequestStop ends the program, soon after it returns.
	RequestStop()
	// SuspendListeners refuses new connections; what is open stays.
	SuspendListeners() error
	ResumeListeners() error

	// Reload reads the configuration again and returns the keys that need a new
	// start.
	Reload() (pending []string, err error)
	// SetLogLevel changes the level of a category, or of all for "".
	SetLogLevel(category, level string) error
	RotateLogs() error

	Plugins() []PluginInfo
	EnablePlugins(names ...string) error
	DisablePlugins(names ...string) error
	SetPlugins(names ...string) error
}

// ListenerInfo is an open listener.
type ListenerInfo struct {
	Protocol string // amqp, amqp/ssl, http, https, http/prometheus …
	Address  string
	Port     int
	TLS      bool
}

// CertificateInfo is a certificate and the listener that presents it.
type CertificateInfo struct {
	Listener ListenerInfo
	File     string
	Leaf     *x509.Certificate
}

// ConfigValue is one setting.
type ConfigValue struct {
	Key, Value, Origin string
}

// PluginInfo is a feature that goes by the name of a RabbitMQ plugin.
type PluginInfo struct {
	Name, Version, Description string
	Enabled                    bool // by name
	Implicit                   bool // because another one needs it
	Running                    bool
}

// AuditRecord is one line of the audit log.
type AuditRecord struct {
	ID     int64
	Time   time.Time
	User   string
	Source string
	Action string
	VHost  string
	Object string
	Result string
	Reason string
	Detail string
}

// AuditLog is where what operators did can be read again.
type AuditLog interface {
	// Add appends an entry, also while there is no broker to do it.
	Add(broker.AuditEntry)
	// Recent returns at most count entries with ids below before (0: from the
	// newest on), the newest first.
	Recent(before int64, count int) ([]AuditRecord, error)
}

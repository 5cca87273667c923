package apitype

// Health is the answer to a health check. Status is "ok" or "failed"; of the
// rest what belongs to the check.
type Health struct {
	Status       string        `json:"status"`
	Reason       string        `json:"reason,omitempty"`
	Port         int           `json:"port,omitempty"`
	Protocol     string        `json:"protocol,omitempty"`
	Missing      any           `json:"missing,omitempty"` // a port or a protocol
	Ports        []int         `json:"ports,omitempty"`
	Protocols    []string      `json:"protocols,omitempty"`
	Alarms       []Alarm       `json:"alarms,omitempty"`
	VirtualHosts []string      `json:"virtual-hosts,omitempty"`
	Queues       []any         `json:"queues,omitempty"`
	Expired      []Certificate `json:"expired,omitempty"`
	Online       int           `json:"online,omitempty"`
	Target       int           `json:"target,omitempty"`
	Connections  int           `json:"connections,omitempty"`
	Limit        any           `json:"limit,omitempty"`
}

// Alarm is a resource that runs out.
type Alarm struct {
	Node     string `json:"node"`
	Resource string `json:"resource"`
}

// Certificate is a certificate that expires too soon.
type Certificate struct {
	Name            string `json:"name"`
	Port            int    `json:"port"`
	Node            string `json:"node"`
	Interface       string `json:"interface"`
	CertsExpiringOn string `json:"certs_expiring_on"`
	CertFile        string `json:"certfile"`
}

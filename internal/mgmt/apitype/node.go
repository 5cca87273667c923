package apitype

// Plugin is a feature that goes by the name of a RabbitMQ plugin.
type Plugin struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Description string `json:"description"`
	Enabled     bool   `json:"enabled"`
	Implicit    bool   `json:"implicit"`
	Running     bool   `json:"running"`
}

// PutPlugins is the body of PUT /plugins: exactly these are to be enabled.
type PutPlugins struct {
	Enabled []string `json:"enabled"`
}

// ConfigValue is one setting, and where its value comes from.
type ConfigValue struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// NodeStatus says how the node is, application or not.
type NodeStatus struct {
	Name            string     `json:"name"`
	ClusterName     string     `json:"cluster_name"`
	Product         string     `json:"product_name"`
	ProductVersion  string     `json:"product_version"`
	RabbitMQVersion string     `json:"rabbitmq_version"`
	GoVersion       string     `json:"go_version"`
	OSPid           int        `json:"os_pid"`
	Uptime          int64      `json:"uptime"` // ms
	AppRunning      bool       `json:"app_running"`
	Suspended       bool       `json:"suspended"`
	Alarms          []string   `json:"alarms"`
	Listeners       []Listener `json:"listeners"`
	// MemoryWatermark is vm_memory_high_watermark in force: a fraction, or bytes;
	// "" while the broker is stopped.
	MemoryWatermark string `json:"memory_watermark"`
}

// Listener is an open listener.
type Listener struct {
	Node      string `json:"node"`
	Protocol  string `json:"protocol"`
	IPAddress string `json:"ip_address"`
	Port      int    `json:"port"`
	TLS       bool   `json:"tls"`
}

// Setting is the body of a POST that sets something of the node.
type Setting struct {
	Value string `json:"value"`
}

// LogLevel is the body of POST /node/log-level.
type LogLevel struct {
	Level    string `json:"level"`
	Category string `json:"category,omitempty"` // "": all
}

// Reloaded is the answer to POST /node/reload.
type Reloaded struct {
	Pending []string `json:"pending"` // keys that need a new start
}

// CloseConnections is the body of POST /node/close-connections. Empty fields
// choose nothing.
type CloseConnections struct {
	Reason string `json:"reason,omitempty"`
	VHost  string `json:"vhost,omitempty"`
	User   string `json:"user,omitempty"`
	Limit  Int    `json:"limit,omitempty"` // 0: all
}

// Closed is how many connections were closed.
type Closed struct {
	Closed int `json:"closed"`
}

// AuditEntry is one line of the audit log.
type AuditEntry struct {
	ID     int64  `json:"id"`
	Time   int64  `json:"time"` // ms
	User   string `json:"user"`
	Source string `json:"source"`
	Action string `json:"action"`
	VHost  string `json:"vhost,omitempty"`
	Object string `json:"object,omitempty"`
	Result string `json:"result"`
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
}

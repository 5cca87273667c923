package apitype

// RunOnHosts is the body of POST /hosts/{vhost}/tasks.
type RunOnHosts struct {
	Command string   `json:"command"`
	Hosts   []string `json:"hosts"` // names, addresses, patterns, @group, @all
	Shell   Bool     `json:"shell,omitempty"`
	User    string   `json:"user,omitempty"`
	Dir     string   `json:"dir,omitempty"`
	Timeout Int      `json:"timeout,omitempty"` // seconds that it may run; 300
	Expires Int      `json:"expires,omitempty"` // seconds within which a host may begin; 1800
}

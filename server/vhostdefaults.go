package server

import (
	"encoding/json"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
)

// vhostDefaults is what the configuration gives to new virtual hosts, as the
// broker takes it.
func (c *Config) vhostDefaults() []broker.VHostDefaults {
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	var out []broker.VHostDefaults
	for _, l := range c.VHostLimits {
		out = append(out, broker.VHostDefaults{Pattern: or(l.Pattern, ".*"),
			Limits: meta.Limits{"max-connections": l.MaxConnections, "max-queues": l.MaxQueues}})
	}
	for _, u := range c.VHostUsers {
		p := u.Permissions
		out = append(out, broker.VHostDefaults{Pattern: or(u.VHostPattern, ".*"), User: &broker.VHostUser{
			Name: u.Name, Password: u.Password, Tags: u.Tags, Configure: or(p.Configure, ".*"), Write: or(p.Write, ".*"), Read: or(p.Read, ".*")}})
	}
	for _, p := range c.OperatorPolicies {
		def, err := json.Marshal(p.Definition)
		if err != nil {
			panic(err) // numbers by name
		}
		out = append(out, broker.VHostDefaults{Pattern: or(p.VHostPattern, ".*"), Policy: &meta.SetPolicy{
			Name: p.Name, Pattern: or(p.QueuePattern, ".*"), ApplyTo: or(p.ApplyTo, "queues"), Definition: def}})
	}
	return out
}

package server

import (
	"context"
	"slices"

	"github.com/warrenmq/warren/internal/plugins"
)

// PluginInfo is what a node says about a plugin.
type PluginInfo struct {
	Name, Description, Version string
	Enabled                    bool // by name
	Implicit                   bool // because another one needs it
	Running                    bool
}

// loadPlugins finds out what is enabled.
func (s *Server) loadPlugins() error {
	names, known := s.cfg.EnabledPlugins, s.cfg.EnabledPlugins != nil
	if file := s.cfg.EnabledPluginsFile; !known && file != "" {
		var err error
		if names, known, err = plugins.Read(file); err != nil {
			return err
		}
	}
	if !known {
		names = plugins.Default()
	}
	good, bad := plugins.Split(names)
	for _, n := range bad {
		s.logger.Warn("an enabled plugin is passed over", "plugin", n, "reason", plugins.Check(n))
	}
	s.plugins = good
	return nil
}

// Plugins lists all plugins that can be enabled, by name.
func (s *Server) Plugins() []PluginInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := plugins.Closure(s.plugins)
	var out []PluginInfo
	for _, p := range plugins.All() {
		enabled := slices.Contains(s.plugins, p.Name)
		on := slices.Contains(all, p.Name)
		out = append(out, PluginInfo{
			Name: p.Name, Description: p.Description, Version: s.cfg.ProductVersion,
			Enabled: enabled, Implicit: on && !enabled, Running: on && s.app != nil,
		})
	}
	return out
}

// SetPlugins enables exactly the plugins named, and what they need. Listeners
// are opened and closed accordingly, and the choice outlives the node.
func (s *Server) SetPlugins(names ...string) error {
	if err := plugins.Check(names...); err != nil {
		return err
	}
	s.ops <- struct{}{}
	defer func() { <-s.ops }()
	return s.setPlugins(names)
}

// EnablePlugins enables plugins in addition to those that are.
func (s *Server) EnablePlugins(names ...string) error {
	if err := plugins.Check(names...); err != nil {
		return err
	}
	s.ops <- struct{}{}
	defer func() { <-s.ops }()
	return s.setPlugins(append(s.enabled(), names...))
}

// DisablePlugins disables plugins, and those that need them.
func (s *Server) DisablePlugins(names ...string) error {
	if err := plugins.Check(names...); err != nil {
		return err
	}
	s.ops <- struct{}{}
	defer func() { <-s.ops }()
	old := s.enabled()
	gone := plugins.Requiring(old, names)
	return s.setPlugins(slices.DeleteFunc(old, func(n string) bool { return slices.Contains(gone, n) }))
}

func (s *Server) enabled() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.plugins)
}

// setPlugins switches to a set of plugins. If a listener cannot be opened,
// everything stays as it was. The caller holds ops.
func (s *Server) setPlugins(names []string) error {
	slices.Sort(names)
	names = slices.Compact(names)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	old := s.plugins
	s.plugins = names
	err := s.openWanted()
	s.mu.Unlock()
	if err == nil && s.cfg.EnabledPluginsFile != "" {
		err = plugins.Write(s.cfg.EnabledPluginsFile, names)
	}
	s.mu.Lock()
	if err != nil {
		s.plugins = old
	}
	unwanted := s.takeUnwanted()
	s.mu.Unlock()
	if err == nil {
		s.logger.Info("enabled plugins", "plugins", names)
	}
	// A listener may be closed by a request that came in on it.
	closeAll(context.Background(), unwanted)
	return err
}

package ctl

import (
	"slices"
	"strings"
)

// Complete is what may stand where word is, behind args: a command, one of its
// columns, or an option.
func Complete(t Tool, args []string, word string) []string {
	var all []string
	name := commandName(args)
	cmd := find(t, name)
	switch {
	case strings.HasPrefix(word, "-"):
		flags := globals()
		if cmd != nil {
			flags = cmd.flags()
		}
		for _, f := range flags {
			all = append(all, "--"+f.name)
		}
	case cmd == nil:
		for _, cmd := range table() {
			if cmd.knows(t) {
				all = append(all, cmd.Name)
			}
		}
	case cmd.Name == "help":
		return Complete(t, nil, word)
	default:
		all = cmd.Columns
	}
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !strings.HasPrefix(s, word) })
}

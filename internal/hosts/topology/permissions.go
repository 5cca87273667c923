package topology

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/warrenmq/warren/internal/hosts/command"
	"github.com/warrenmq/warren/internal/hosts/record"
)

// Permissions are the commands that make a broker user for an agent of a name,
// with no more than it needs: its own queues, and events in its own name. Or
// for an operator, who creates what is shared and reads all.
func Permissions(name, vhost string, operator bool) (string, error) {
	if err := record.CheckName(name); err != nil {
		return "", err
	}
	q, prefix := regexp.QuoteMeta(name), regexp.QuoteMeta(Prefix)
	user := "agent-" + name
	configure := fmt.Sprintf(`^%s(agent|control)\.%s$`, prefix, q)
	write := fmt.Sprintf(`^%s$`, regexp.QuoteMeta(Events))
	read, topic := configure, fmt.Sprintf(`^(task\.[0-9]+|beat|presence)\.%s$`, q)
	if operator {
		user = name
		configure, read, topic = "^"+prefix, "^"+prefix, ""
		write = fmt.Sprintf(`^(%s.*|amq\.default)$`, prefix)
	}
	lines := [][]string{
		{"add_user", user, "PASSWORD"},
		{"set_permissions", "-p", vhost, user, configure, write, read},
	}
	if topic != "" {
		lines = append(lines, []string{"set_topic_permissions", "-p", vhost, user, Events, topic, "^$"})
	}
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintln(&b, "rabbitmqctl", command.Join(l))
	}
	return b.String(), nil
}

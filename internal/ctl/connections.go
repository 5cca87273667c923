package ctl

import (
	"fmt"
	"regexp"
	"time"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
	"github.com/warrenmq/warren/internal/mgmt/client"
)

func connectionCommands() []*Command {
	why := [2]string{"<explanation>", "What the clients are told"}
	return []*Command{
		{Name: "close_connection", Group: groupOperations, Usage: "close_connection <connection pid> <explanation>", Min: 2, Max: 2,
			Short:   "Closes a connection",
			Explain: [][2]string{{"<connection pid>", "as list_connections pid shows it, or the connection's name"}, why},
			Banner:  bannerf("Closing connection %s, reason: %s...", arg(0), arg(1)), Run: (*call).closeConnection},
		{Name: "close_all_connections", Group: groupOperations, Min: 1, Max: 1,
			Usage: "close_all_connections [--vhost <vhost> --limit <limit>] [-n <node> --global] [--per-connection-delay <delay>] <explanation>",
			Short: "Closes the connections to a virtual host, or all",
			Flags: []flag{{"global", boolean, ""}, {"limit", integer, ""}, {"per-connection-delay", integer, ""}},
			Explain: [][2]string{why, {"--limit <n>", "at most so many"}, {"--global", "of all virtual hosts"},
				{"--per-connection-delay <ms>", "how long to wait after each"}},
			Banner: func(c *call) string {
				if c.flag("global") {
					return fmt.Sprintf("Closing all connections to node %s (across all vhosts), reason: %s...", c.name(), c.args[0])
				}
				return fmt.Sprintf("Closing all connections in vhost %s, reason: %s...", c.vhost(), c.args[0])
			}, Run: (*call).closeAllConnections},
		{Name: "close_all_user_connections", Group: groupOperations, Usage: "close_all_user_connections <username> <explanation>", Min: 2, Max: 2,
			Short: "Closes the connections of a user", Explain: [][2]string{why},
			Banner: bannerf("Closing connections of user %s, reason: %s...", arg(0), arg(1)),
			Run: func(c *call) (any, error) {
				_, err := c.closeSome(apitype.CloseConnections{User: c.args[0], Reason: c.args[1]})
				return nil, err
			}},
	}
}

// closeConnection closes a connection by its pid or name. As in RabbitMQ it is
// no error if there is none any more.
func (c *call) closeConnection() (any, error) {
	conns, err := c.objects("/connections?columns=name")
	if err != nil {
		return nil, err
	}
	for _, o := range conns {
		name := text1(o["name"])
		if name == c.args[0] || c.pid("connection", name) == pid(c.args[0]) {
			err := c.node.Delete(c.ctx, path("connections", name), c.args[1])
			if client.IsNotFound(err) {
				err = nil
			}
			return nil, err
		}
	}
	isPid := regexp.MustCompile(`^<.+\.\d+\.\d+\.\d+>$|^\d+(\.\d+)*:\d+ -> `)
	if !isPid.MatchString(c.args[0]) {
		return nil, failedf(exitUnavailable, "Error:\n{:invalid_pid_syntax, %q}", c.args[0])
	}
	return nil, nil
}

func (c *call) closeSome(which apitype.CloseConnections) (int, error) {
	var out apitype.Closed
	err := c.post("/node/close-connections", which, &out)
	return out.Closed, refused(err)
}

// closeAllConnections closes one after the other if there is to be a pause.
func (c *call) closeAllConnections() (any, error) {
	which := apitype.CloseConnections{Reason: c.args[0], VHost: c.vhost()}
	if c.flag("global") {
		which.VHost = ""
	}
	limit := int(max(0, c.number("limit", 0)))
	pause := time.Duration(c.number("per-connection-delay", 0)) * time.Millisecond
	if pause <= 0 {
		which.Limit = apitype.Int(limit)
		n, err := c.closeSome(which)
		return fmt.Sprintf("Closed %d connections", n), err
	}
	which.Limit = 1
	total := 0
	for limit == 0 || total < limit {
		n, err := c.closeSome(which)
		if err != nil || n == 0 {
			return fmt.Sprintf("Closed %d connections", total), err
		}
		total += n
		select {
		case <-time.After(pause):
		case <-c.ctx.Done():
			return nil, c.ctx.Err()
		}
	}
	return fmt.Sprintf("Closed %d connections", total), nil
}

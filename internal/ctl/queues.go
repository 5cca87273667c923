package ctl

import (
	"fmt"
	"hash/crc32"
	"net/http"
	"net/url"
	"strings"

	"github.com/warrenmq/warren/internal/mgmt/client"
)

func queueCommands() []*Command {
	name := [2]string{"<queue_name>", "Name of the queue"}
	return []*Command{
		{Name: "delete_queue", Group: groupQueues, Usage: "delete_queue <queue_name> [--if-empty|-e] [--if-unused|-u]", Timed: true, Min: 1, Max: 1,
			Short: "Deletes a queue and its messages", Explain: [][2]string{name, {"--if-empty", "only if it has no messages"}, {"--if-unused", "only if it has no consumers"}},
			Flags:  []flag{{"if-empty", boolean, "e"}, {"if-unused", boolean, "u"}, {"force", boolean, ""}},
			Banner: (*call).deleteQueueBanner, Run: (*call).deleteQueue},
		{Name: "purge_queue", Group: groupQueues, Usage: "purge_queue <queue>", Timed: true, Min: 1, Max: 1,
			Short: "Deletes the messages of a queue that wait for delivery", Explain: [][2]string{name},
			Banner: bannerf("Purging queue '%s' in vhost '%s' ...", arg(0), inVHost), Run: (*call).purgeQueue},
	}
}

func (c *call) deleteQueueBanner() string {
	var ifs []string
	if c.flag("if-empty") {
		ifs = append(ifs, "if queue is empty ")
	}
	if c.flag("if-unused") {
		ifs = append(ifs, "if queue is unused ")
	}
	return fmt.Sprintf("Deleting queue '%s' on vhost '%s' %s...", c.args[0], c.vhost(), strings.Join(ifs, "and "))
}

func (c *call) deleteQueue() (any, error) {
	p := path("queues", c.vhost(), c.args[0])
	var q struct {
		Ready int64 `json:"messages_ready"`
	}
	if err := c.get(p, &q); err != nil {
		if client.IsNotFound(err) {
			return nil, failed(exitUsage, "Queue not found")
		}
		return nil, err
	}
	query := url.Values{}
	if c.flag("if-empty") {
		query.Set("if-empty", "true")
	}
	if c.flag("if-unused") {
		query.Set("if-unused", "true")
	}
	switch err := c.delete(p + "?" + query.Encode()); {
	case client.IsNotFound(err):
		return nil, failed(exitUsage, "Queue not found")
	case isStatus(err, http.StatusBadRequest) && strings.Contains(reason(err), "not empty"):
		return nil, failed(exitUsage, "Queue is not empty")
	case isStatus(err, http.StatusBadRequest) && strings.Contains(reason(err), "in use"):
		return nil, failed(exitUsage, "Queue is in use")
	case err != nil:
		return nil, refused(err)
	}
	return fmt.Sprintf("Queue was successfully deleted with %d ready messages", q.Ready), nil
}

func (c *call) purgeQueue() (any, error) {
	err := c.delete(path("queues", c.vhost(), c.args[0], "contents"))
	if client.IsNotFound(err) {
		return nil, failed(exitUnavailable, "not_found")
	}
	if isStatus(err, http.StatusBadRequest) && strings.Contains(reason(err), "not supported by stream queues") {
		return nil, failed(exitUnavailable, "not_supported")
	}
	return nil, refused(err)
}

// pid is an identifier that looks like that of an Erlang process, as scripts
// expect one. It is made of the names, so that it stays the same and
// close_connection finds its connection again.
func (c *call) pid(kind string, names ...string) any {
	sum := crc32.ChecksumIEEE([]byte(kind + "\x00" + strings.Join(names, "\x00")))
	return pid(fmt.Sprintf("<%s.1.%d.0>", c.name(), sum))
}

package browser

import (
	"testing"

	"github.com/warrenmq/warren/brokertest"
	"github.com/warrenmq/warren/internal/hosts/agent"
	"github.com/warrenmq/warren/internal/hosts/hoststest"
	"github.com/warrenmq/warren/internal/mgmt/hostpage"
	"github.com/warrenmq/warren/server"
)

// A command is run on a host, its output comes while it runs, and it is cancelled.
func TestHosts(t *testing.T) {
	b := broker(t, brokertest.Configure(func(c *server.Config) { c.Hosts = hostpage.New }))
	a := hoststest.Run(t, b.URL(), agent.Config{Name: "web-7", Groups: []string{"web"}})
	t.Cleanup(a.Stop)
	p := open(t, b).often().login()
	p.visit("#/hosts")
	p.sees("Hosts with an agent", "web-7", "online", "Nothing was run yet.")

	p.press("Run a command")
	p.dialog("Run a command")
	p.fill("command", "echo first line; sleep 600")
	p.fill("hosts", "@web")
	p.click("dialog [name=shell]")
	p.click("dialog button[type=submit]")
	p.until("its output while it runs", "document.querySelector('[data-stream=stdout]')?.textContent === 'first line\\n'")
	p.sees("running")
	p.press("Cancel the task")
	p.dialog("Cancel the task")
	p.click("dialog button[type=submit]")
	p.sees("cancelled")

	// Once more, as it was.
	p.press("Run again")
	p.dialog("Run a command")
	p.until("the shell is ticked", "document.querySelector('dialog [name=shell]').checked")
	p.until("the command is there", "document.querySelector('dialog [name=command]').value === 'echo first line; sleep 600'")
	p.press("Cancel")

	p.visit("#/hosts")
	p.sees("echo first line; sleep 600")
	p.expect("status of 400")
	p.press("Run here")
	p.dialog("Run a command")
	p.fill("command", "echo 'unfinished")
	p.click("dialog button[type=submit]")
	p.sees("a ' is not closed")
}

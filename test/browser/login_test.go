package browser

import "testing"

func TestLogin(t *testing.T) {
	b := broker(t)
	p := open(t, b)
	p.expect("status of 401")

	p.signIn("guest", "wrong")
	p.sees("The user name or the password is wrong.", "guest can log in from the server’s own host only")

	p.signIn("guest", "guest")
	p.sees("Queued messages", "Messages per second")

	// A reload keeps the session, and the address says what is shown.
	p.visit("#/queues?name=abc")
	p.do("a reload", reload)
	p.until("the list, still filtered", "document.querySelector('h1')?.innerText === 'Queues' && document.querySelector('[data-filter]').value === 'abc'")

	p.press("Log out")
	p.until("the form", "document.querySelector('#password')")
	p.do("a reload", reload)
	p.until("the form again", "document.querySelector('#password')")
	if evaluate[bool](p, "document.body.innerText.includes('Queues')") {
		t.Error("after logging out the page shows more than the form")
	}
}

// A session that the server no longer knows leads to the form, in words.
func TestSessionEnds(t *testing.T) {
	b := broker(t)
	p := open(t, b).often()
	p.expect("status of 401", "net::ERR", "status of 503")
	p.login()
	b.Restart()
	p.sees("Your session has ended. Please log in again.")
	p.login()
}

// Package browser uses the management page as people do: real Chromium, real
// clicks and keys, a real broker behind it. Tests wait until the page shows what
// it should, never for a time. Whatever the page writes to the console as an
// error, and whatever its content security policy stops, fails the test.
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/warrenmq/warren/brokertest"
)

// patience is how long the page may take to show something.
const patience = 30 * time.Second

// page is a tab of a browser that knows nothing of earlier tests.
type page struct {
	t   *testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	errors   []string
	expected []string // parts of errors that the test wants to see
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("there is no Chromium, and with CI=true nothing is left out: see tools/clients")
	}
	t.Skip("there is no Chromium: see tools/clients")
	return ""
}

// broker starts one with its page.
func broker(t *testing.T, opts ...brokertest.Option) *brokertest.Broker {
	t.Helper()
	chromium(t)
	return brokertest.Start(t, append([]brokertest.Option{brokertest.Management()}, opts...)...)
}

// open starts a browser and shows the broker's page.
func open(t *testing.T, b *brokertest.Broker) *page {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.Flag("lang", "en-US"), chromedp.Flag("accept-lang", "en-US"))
	if os.Getuid() == 0 {
		opts = append(opts, chromedp.NoSandbox) // Chromium refuses its sandbox to root
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	p := &page{t: t, ctx: ctx, url: b.ManagementURL()}
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	t.Cleanup(p.check)
	p.do("the page", chromedp.EmulateViewport(1280, 900), chromedp.Navigate(p.url+"/"))
	return p
}

// listen notes what the page complains about.
func (p *page) listen(ev any) {
	what := ""
	switch e := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			what = "console:"
			for _, a := range e.Args {
				what += " " + string(a.Value) + a.Description
			}
		}
	case *runtime.EventExceptionThrown:
		what = "exception: " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			what += " " + e.ExceptionDetails.Exception.Description
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			what = fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
	if what != "" {
		p.mu.Lock()
		p.errors = append(p.errors, what)
		p.mu.Unlock()
	}
}

// expect says that the page may complain about something that the test provokes.
func (p *page) expect(parts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected = append(p.expected, parts...)
}

func (p *page) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.errors {
		if !slices.ContainsFunc(p.expected, func(part string) bool { return strings.Contains(e, part) }) {
			p.t.Errorf("the page complained: %s", e)
		}
	}
	if dir := os.Getenv("WARREN_SCREENSHOTS"); dir != "" {
		p.screenshot(dir, "end")
	}
}

// screenshot keeps what is seen, if somebody wants to look.
func (p *page) screenshot(dir, name string) {
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		name = strings.ReplaceAll(p.t.Name(), "/", "-") + "-" + name + ".png"
		err = os.WriteFile(dir+"/"+name, picture, 0o600)
	}
	if err != nil {
		p.t.Logf("screenshot: %v", err)
	}
}

func (p *page) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%s: %v; the page shows:\n%s", what, err, p.shown())
	}
}

// shown is the page's text, for messages of failed tests.
func (p *page) shown() string {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("location.hash + '\\n' + document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

// until waits for an expression to be true.
func (p *page) until(what, expression string) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ctx, cancel := context.WithDeadline(p.ctx, deadline)
		ok, err := chromedp.Run(ctx, chromedp.Poll[bool]("!!("+expression+")", chromedp.WithPollingTimeout(patience), chromedp.WithPollingInterval(30*time.Millisecond)))
		cancel()
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) { // else: the page was loaded anew meanwhile
			p.t.Fatalf("waited in vain for %s: %v; the page shows:\n%s", what, err, p.shown())
		}
	}
}

// sees waits for texts.
func (p *page) sees(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		p.until("the text "+strconv.Quote(text), "document.body.innerText.includes("+strconv.Quote(text)+")")
	}
}

// within waits for a text in an element.
func (p *page) within(css, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%q in %s", text, css), fmt.Sprintf("[...document.querySelectorAll(%q)].some((e) => e.innerText.includes(%q))", css, text))
}

func evaluate[T any](p *page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// click presses the mouse on what css names; it must be there and visible.
func (p *page) click(css string) {
	p.t.Helper()
	p.do("clicking on "+css, chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible))
}

// press clicks the button or link with this text: in the dialog, if one is open.
func (p *page) press(text string) {
	p.t.Helper()
	p.pressIn("", text)
}

func (p *page) pressIn(css, text string) {
	p.t.Helper()
	// The mark makes one element out of those that match; the click itself is real.
	mark := fmt.Sprintf(`(() => {
		const root = document.querySelector(%q || 'dialog[open]') || document.body;
		const found = [...root.querySelectorAll('button, a, summary, [role=button]')].filter((e) => e.getClientRects().length && !e.disabled && (e.innerText.trim() === %[2]q || e.getAttribute('aria-label') === %[2]q));
		document.querySelectorAll('[data-press]').forEach((e) => e.removeAttribute('data-press'));
		if (found.length) found[0].setAttribute('data-press', '');
		return found.length > 0;
	})()`, css, text)
	p.until("a button "+strconv.Quote(text), mark)
	p.click("[data-press]")
}

// fill types into the field with this name or id; what was there goes.
func (p *page) fill(name, text string) {
	p.t.Helper()
	css := fmt.Sprintf("dialog[open] [name=%[1]q]", name)
	if !evaluate[bool](p, fmt.Sprintf("!!document.querySelector(%q)", css)) {
		css = fmt.Sprintf("[name=%[1]q]", name)
	}
	p.do("filling in "+name, chromedp.Focus(chromedp.CSS(css), chromedp.NodeVisible))
	evaluate[bool](p, fmt.Sprintf("(document.querySelector(%q).select?.(), true)", css))
	if text == "" {
		p.keys(kb.Delete)
		return
	}
	p.do("filling in "+name, chromedp.KeyEvent(text))
}

// choose selects an option of a field.
func (p *page) choose(name, value string) {
	p.t.Helper()
	p.until("the choice "+name, fmt.Sprintf(`(() => {
		const e = document.querySelector('dialog[open] select[name=%[1]q]') || document.querySelector('select[name=%[1]q], select#%[1]s');
		if (!e || ![...e.options].some((o) => o.value === %[2]q)) return false;
		e.value = %[2]q;
		e.dispatchEvent(new Event('change', { bubbles: true }));
		return true;
	})()`, name, value))
}

func (p *page) keys(keys string) {
	p.t.Helper()
	p.do("typing", chromedp.KeyEvent(keys))
}

// dialog waits for a dialog with this title, or for none if it is empty.
func (p *page) dialog(title string) {
	p.t.Helper()
	if title == "" {
		p.until("no dialog", "!document.querySelector('dialog[open]')")
		return
	}
	p.within("dialog[open] h2", title)
}

// visit goes to an address of the page.
func (p *page) visit(hash string) {
	p.t.Helper()
	evaluate[bool](p, fmt.Sprintf("(location.hash = %q, true)", hash))
	p.until("the page "+hash, "!document.querySelector('main .loading') && document.querySelector('main h1')")
}

// login is what every test but that of the login begins with.
func (p *page) login() *page {
	p.t.Helper()
	p.signIn("guest", "guest")
	p.until("the overview", "document.querySelector('[data-tile=queues]')")
	return p
}

func (p *page) signIn(user, password string) {
	p.t.Helper()
	p.do("the login", chromedp.WaitVisible(chromedp.CSS("#user")))
	p.fill("username", user)
	p.fill("password", password)
	p.press("Log in")
}

// often makes the page ask each second, as an impatient operator does.
func (p *page) often() *page {
	evaluate[bool](p, "(localStorage.setItem('warren.interval', '1'), true)")
	return p
}

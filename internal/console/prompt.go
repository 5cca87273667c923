package console

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/warrenmq/warren/internal/hosts/command"
)

// promptText stands before what people type.
const promptText = ">>: "

// Serve reads commands from in until it ends: at a terminal with a prompt,
// history and completion, otherwise line by line. It returns the exit code of
// the last command, or of the first that went wrong if nobody watched.
func (c *Console) Serve(ctx context.Context, in *os.File, history string) int {
	c.Interactive = true
	if term.IsTerminal(int(in.Fd())) {
		return c.terminal(ctx, in, history)
	}
	code := exitOK
	lines := bufio.NewScanner(in)
	for !c.exiting && ctx.Err() == nil && lines.Scan() {
		if got := c.Line(ctx, lines.Text()); code == exitOK {
			code = got
		}
	}
	return code
}

// Line carries out a line; what comes after # is a comment.
func (c *Console) Line(ctx context.Context, line string) int {
	if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
		return exitOK
	}
	words, err := command.Words(line)
	if err != nil {
		return c.fail(err, exitUsage)
	}
	return c.Exec(ctx, words)
}

// terminal reads from a terminal. It is raw only while a line is edited, so
// that Ctrl-C is a signal while a command runs.
func (c *Console) terminal(ctx context.Context, in *os.File, historyFile string) int {
	rw := struct {
		io.Reader
		io.Writer
	}{&keys{in: in}, c.Out}
	t := term.NewTerminal(rw, promptText)
	h := loadHistory(historyFile)
	t.History = h
	t.AutoCompleteCallback = (&completer{c: c, ctx: ctx, out: t}).complete
	out, errOut := c.Out, c.Err
	c.Out, c.Err = crlf{c, t, out}, crlf{c, t, errOut}
	defer func() { c.Out, c.Err = out, errOut }()
	code := exitOK
	for !c.exiting && ctx.Err() == nil {
		line, err := c.readLine(in, t)
		if err != nil && !errors.Is(err, term.ErrPasteIndicator) {
			fmt.Fprintln(out)
			return code
		}
		h.save(line)
		call, stop := signal.NotifyContext(ctx, os.Interrupt)
		code = c.Line(call, line)
		stop()
	}
	return code
}

func (c *Console) readLine(in *os.File, t *term.Terminal) (string, error) {
	state, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return "", err
	}
	if w, h, err := term.GetSize(int(in.Fd())); err == nil && w > 0 {
		t.SetSize(w, h)
	}
	c.editing.Store(true)
	defer func() {
		c.editing.Store(false)
		term.Restore(int(in.Fd()), state)
	}()
	return t.ReadLine()
}

// crlf writes to the terminal: while a line is edited through the editor,
// which puts the text above it.
type crlf struct {
	c   *Console
	t   *term.Terminal
	out io.Writer
}

func (w crlf) Write(p []byte) (int, error) {
	if w.c.editing.Load() {
		return w.t.Write(p)
	}
	return w.out.Write(p)
}

// keys makes Ctrl-C clear the line instead of ending the console.
type keys struct{ in io.Reader }

func (k *keys) Read(p []byte) (int, error) {
	if len(p) < 2 {
		return k.in.Read(p)
	}
	n, err := k.in.Read(p[:len(p)/2])
	typed := slices.Clone(p[:n])
	n = 0
	for _, b := range typed {
		if b == 3 {
			n += copy(p[n:], "\x05\x15") // to the end, and delete up to the beginning
			continue
		}
		p[n] = b
		n++
	}
	return n, err
}

// history is what was typed, newest last, kept in a file.
type history struct {
	file  string
	lines []string
}

const historyLength = 1000

func loadHistory(file string) *history {
	h := &history{file: file}
	if raw, err := os.ReadFile(file); err == nil {
		for line := range strings.Lines(string(raw)) {
			h.Add(strings.TrimSuffix(line, "\n"))
		}
	}
	return h
}

func (h *history) Add(line string) {
	if strings.TrimSpace(line) == "" || len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return
	}
	h.lines = append(h.lines, line)
	h.lines = h.lines[max(0, len(h.lines)-historyLength):]
}

func (h *history) Len() int        { return len(h.lines) }
func (h *history) At(i int) string { return h.lines[len(h.lines)-1-i] }

// save writes the history. It is a convenience: that it fails is no news.
func (h *history) save(string) {
	if h.file == "" || os.MkdirAll(filepath.Dir(h.file), 0o700) != nil {
		return
	}
	os.WriteFile(h.file, []byte(strings.Join(h.lines, "\n")+"\n"), 0o600)
}

// completer completes what is being typed, at the Tab key.
type completer struct {
	c   *Console
	ctx context.Context
	out io.Writer
}

func (k *completer) complete(line string, pos int, key rune) (string, int, bool) {
	if key != '\t' {
		return "", 0, false
	}
	before := line[:pos]
	start := strings.LastIndexAny(before, " ,") + 1
	word := before[start:]
	var fit []string
	for _, s := range k.candidates(strings.Fields(before[:start])) {
		if strings.HasPrefix(s, word) {
			fit = append(fit, s)
		}
	}
	slices.Sort(fit)
	fit = slices.Compact(fit)
	switch len(fit) {
	case 0:
		return line, pos, true
	case 1:
		before = before[:start] + fit[0] + " "
		return before + line[pos:], len(before), true
	}
	if common := commonPrefix(fit); common != word {
		before = before[:start] + common
		return before + line[pos:], len(before), true
	}
	fmt.Fprintln(k.out, strings.Join(fit, "  "))
	return line, pos, true
}

// candidates is what may stand behind these words.
func (k *completer) candidates(words []string) []string {
	if len(words) == 0 {
		return verbNames()
	}
	v, ok := find(words[0])
	if !ok {
		return nil
	}
	var list []string
	for _, f := range v.flags {
		list = append(list, "--"+f)
	}
	last := ""
	for _, w := range words[1:] {
		if strings.HasPrefix(w, "--") {
			last = w
		}
	}
	switch {
	case last == "--hosts", last == "--host", v.name == "forget":
		return append(list, k.hosts()...)
	case v.name == "help":
		return verbNames()
	case v.args == "ID" && len(words) == 1:
		return append(list, k.tasks()...)
	}
	return list
}

func verbNames() (names []string) {
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	return names
}

func (k *completer) hosts() []string {
	list, err := k.c.Client.Hosts(k.ctx)
	if err != nil {
		return nil
	}
	names := []string{"@all"}
	for _, h := range list {
		names = append(append(names, h.Name), h.Addrs...)
		for _, g := range h.Groups {
			names = append(names, "@"+g)
		}
	}
	return names
}

func (k *completer) tasks() (ids []string) {
	list, err := k.c.Client.Tasks(k.ctx, 20)
	if err != nil {
		return nil
	}
	for _, t := range list {
		ids = append(ids, t.ID.String())
	}
	return ids
}

func commonPrefix(list []string) string {
	p := list[0]
	for _, s := range list[1:] {
		for !strings.HasPrefix(s, p) {
			p = p[:len(p)-1]
		}
	}
	return p
}

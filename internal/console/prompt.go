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
	"time"

	"golang.org/x/term"

	"github.com/warrenmq/warren/internal/hosts/command"
	"github.com/warrenmq/warren/internal/hosts/record"
)

// promptText stands before what people type.
const promptText = ">>: "

// Serve reads commands from in until it ends: at a terminal with a prompt,
// history and completion, otherwise line by line. It returns the exit code of
// the last command, or of the first that went wrong if nobody watched.
func (c *Console) Serve(ctx context.Context, in *os.File, history string) int {
	if term.IsTerminal(int(in.Fd())) {
		c.Interactive = true
		return c.terminal(ctx, in, history)
	}
	code := exitOK
	note := func(got int) {
		if code == exitOK {
			code = got
		}
	}
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxLine)
	lines := make(chan string)
	reading, stop := context.WithCancel(ctx)
	defer stop()
	go func() { // ends with the input, or with the program, which may be told to end while it waits
		defer close(lines)
		for scanner.Scan() {
			select {
			case lines <- scanner.Text():
			case <-reading.Done():
				return
			}
		}
	}()
	for !c.exiting {
		select {
		case line, ok := <-lines:
			if ok {
				note(c.Line(ctx, line))
				continue
			}
			if err := scanner.Err(); err != nil {
				note(c.fail(fmt.Errorf("reading commands: %w", err), exitUsage))
			}
			return code
		case <-ctx.Done():
			return exitInterrupted
		}
	}
	return code
}

// maxLine is how long a line of a script may be: more than a command.
const maxLine = 8 * record.MaxCommand

// Line carries out a line; one that begins with # is a comment.
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
		line, err := c.readLine(ctx, in, t)
		if err != nil && !errors.Is(err, term.ErrPasteIndicator) {
			fmt.Fprintln(out)
			if ctx.Err() != nil {
				return exitInterrupted
			}
			return code
		}
		h.save(line)
		call, stop := signal.NotifyContext(ctx, os.Interrupt)
		code = c.Line(call, line)
		stop()
	}
	return code
}

// readLine reads a line, or ends with the context. Who reads at the terminal
// then goes with the program.
func (c *Console) readLine(ctx context.Context, in *os.File, t *term.Terminal) (string, error) {
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
	type typed struct {
		line string
		err  error
	}
	done := make(chan typed, 1)
	go func() {
		line, err := t.ReadLine()
		done <- typed{line, err}
	}()
	select {
	case l := <-done:
		return l.line, l.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
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
	raw, err := os.ReadFile(file)
	if err != nil {
		return h
	}
	n := 0
	for line := range strings.Lines(string(raw)) {
		h.Add(strings.TrimSuffix(line, "\n"))
		n++
	}
	if n > 2*historyLength { // it has grown long enough
		os.WriteFile(file, []byte(strings.Join(h.lines, "\n")+"\n"), 0o600)
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

// save adds a line to the file, to which other consoles add theirs. It is a
// convenience: that it fails is no news.
func (h *history) save(line string) {
	if h.file == "" || strings.TrimSpace(line) == "" || os.MkdirAll(filepath.Dir(h.file), 0o700) != nil {
		return
	}
	f, err := os.OpenFile(h.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	f.WriteString(line + "\n")
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
		return append(list, k.soon(k.hosts)...)
	case v.name == "help":
		return verbNames()
	case v.args == "ID" && len(words) == 1:
		return append(list, k.soon(k.tasks)...)
	}
	return list
}

func verbNames() (names []string) {
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	return names
}

// tabWait is how long the Tab key may take when the broker is away.
const tabWait = 2 * time.Second

// soon asks the broker, and does without if there is no answer soon. A broker
// that hangs is noticed by its heartbeats; then who asks ends as well.
func (k *completer) soon(ask func(context.Context) []string) []string {
	ctx, cancel := context.WithTimeout(k.ctx, tabWait)
	defer cancel()
	answer := make(chan []string, 1)
	go func() { answer <- ask(ctx) }()
	select {
	case list := <-answer:
		return list
	case <-ctx.Done():
		return nil
	}
}

func (k *completer) hosts(ctx context.Context) []string {
	list, err := k.c.Client.Hosts(ctx)
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

func (k *completer) tasks(ctx context.Context) (ids []string) {
	list, err := k.c.Client.Tasks(ctx, 20)
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

package queue

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/message"
)

var rewrite = flag.Bool("rewrite", false, "write the output into testdata/*.txt instead of comparing it")

// TestTranscripts plays testdata/*.txt: a block of commands, a line of four
// dashes, the effects up to an empty line. Lines with # in front of a block are
// prose. Time starts at 1000 ms; a timer is shown as what is left until then.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(b))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(b) {
				t.Errorf("%s: run with -rewrite and look at the difference; got\n%s", file, got)
			}
		})
	}
}

func play(t *testing.T, text string) string {
	var out strings.Builder
	s := &script{t: t}
	var commands []string
	expected := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "----":
			out.WriteString("----\n")
			for _, c := range commands {
				s.run(c)
			}
			out.WriteString(s.out.String())
			s.out.Reset()
			commands, expected = nil, true
		case line == "":
			expected = false
			out.WriteString("\n")
		case expected: // replaced
		case line[0] == '#':
			out.WriteString(line + "\n")
		default:
			commands = append(commands, line)
			out.WriteString(line + "\n")
		}
	}
	if len(commands) > 0 {
		t.Error("commands without ---- at the end")
	}
	return out.String()
}

// script is one machine and those who talk to it.
type script struct {
	t         *testing.T
	m         *Machine
	arena     *message.Arena
	now       int64
	eff       []Effect
	out       strings.Builder
	consumers map[string]*Consumer
	slots     map[uint64]Slot
	pages     map[uint64][]Item
	disk      bool // Keep writes to disk instead of memory
	lag       bool // a stream's messages are safe when commit says so
	text      string
	pos       uint64
}

type scriptGate bool

func (g *scriptGate) Take(bool) bool { return bool(*g) }

func (s *script) Keep(it *Item, delivered bool) {
	if s.m.cfg.Kind == Stream {
		it.Pos = it.Seq
		if !s.disk {
			it.Mem = s.arena.PutBytes([]byte(s.text))
		}
		return
	}
	if s.disk {
		s.pos++
		it.Pos = s.pos
		return
	}
	it.Mem = s.arena.PutBytes([]byte("x"))
}

func (s *script) Cool(message.Ref) {}

func (s *script) WritePage(level uint8, items []Item) PageRef {
	s.pos++
	kept := slices.Clone(items)
	for i := range kept {
		kept[i].Mem, kept[i].Pos = message.Ref{}, s.pos
	}
	s.pages[s.pos] = kept
	fmt.Fprintf(&s.out, "write page %d-%d\n", items[0].Seq, items[len(items)-1].Seq)
	return PageRef{Pos: s.pos}
}

// command is a word, plain arguments and key=value arguments.
type command struct {
	t     *testing.T
	name  string
	plain []string
	keys  map[string]string
}

func parseCommand(t *testing.T, line string) command {
	f := strings.Fields(line)
	c := command{t: t, name: f[0], keys: map[string]string{}}
	for _, a := range f[1:] {
		if k, v, ok := strings.Cut(a, "="); ok {
			c.keys[k] = v
		} else {
			c.plain = append(c.plain, a)
		}
	}
	return c
}

func (c *command) has(word string) bool { return slices.Contains(c.plain, word) }

func (c *command) num(key string, def int64) int64 {
	v, ok := c.keys[key]
	if !ok {
		return def
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

func (c *command) config() Config {
	cfg := Config{MessageTTL: c.num("ttl", None), Expires: c.num("expires", None), MaxLength: c.num("max-length", None),
		MaxBytes: c.num("max-bytes", None), DeliveryLimit: c.num("delivery-limit", None), MaxPriority: uint8(c.num("max-priority", 0)),
		DeadLetter: c.has("dlx"), SingleActive: c.has("single-active"), AutoDelete: c.has("auto-delete")}
	if c.has("quorum") {
		cfg.Kind = Quorum
	}
	cfg.MaxAge, cfg.SegmentBytes, cfg.Window = c.num("max-age", None), c.num("segment", None), c.num("window", 1<<20)
	if c.has("stream") {
		cfg.Kind = Stream
	}
	if kind := c.keys["retry"]; kind != "" {
		cfg.Retry = &Retry{Failed: kind != "returned", Returned: kind != "failed", Min: c.num("retry-min", 10), Max: c.num("retry-max", 1000)}
	}
	switch c.keys["overflow"] {
	case "reject-publish":
		cfg.Overflow = RejectPublish
	case "reject-publish-dlx":
		cfg.Overflow = RejectPublishDLX
	}
	return cfg
}

func (s *script) run(line string) {
	c := parseCommand(s.t, line)
	first := ""
	if len(c.plain) > 0 {
		first = c.plain[0]
	}
	switch c.name {
	case "queue":
		*s = script{t: s.t, now: 1000, consumers: map[string]*Consumer{}, slots: map[uint64]Slot{}, pages: map[uint64][]Item{}, disk: c.has("disk"), lag: c.has("lag")}
		s.arena = message.NewArena(&message.Budget{Limit: 1 << 30})
		s.m = New(c.config(), s, s.now)
		s.m.sz = sizes{page: 4, head: 8, look: 2, step: 1 << 20}
		s.m.RestoreDone(1, s.now, &s.eff)
	case "configure":
		s.m.Configure(s.now, c.config(), &s.eff)
	case "publish":
		for range c.num("n", 1) {
			s.publish(c)
		}
	case "attach":
		x := &Consumer{Tag: first, NoAck: c.has("no-ack"), Prefetch: uint32(c.num("prefetch", 0)), Priority: c.num("priority", 0)}
		if c.has("closed") {
			x.Gate = new(scriptGate)
		}
		if c.keys["from"] != "" || c.keys["filter"] != "" {
			x.Cursor = c.cursor()
		}
		s.consumers[first] = x
		s.m.Attach(s.now, x, &s.eff)
	case "detach":
		s.m.Detach(s.now, s.consumers[first], &s.eff)
	case "open":
		*s.consumers[first].Gate.(*scriptGate) = true
		s.m.Unblock(s.now, s.consumers[first], &s.eff)
	case "ack", "reject", "requeue", "requeue-uncounted", "unread":
		s.settle(c)
	case "buried":
		seq, _ := strconv.ParseUint(first, 10, 64)
		s.m.Buried(s.slots[seq], &s.eff)
	case "take": // and put back, or not
		ts := s.m.Take(s.now, func(it *Item) bool { return fmt.Sprint(it.Seq) == first }, nil, &s.eff)
		for _, t := range ts {
			s.slots[t.Item.Seq] = t.Slot
		}
		fmt.Fprintf(&s.out, "took %d\n", len(ts))
	case "put-back":
		seq, _ := strconv.ParseUint(first, 10, 64)
		s.m.PutBack(s.now, s.slots[seq], &s.eff)
	case "commit":
		s.m.Commit(s.now, uint64(c.num("to", int64(s.m.NextSeq())-1)), &s.eff)
	case "rest":
		s.m.Rest()
	case "get":
		it, slot, st := s.m.Get(s.now, c.has("no-ack"), &s.eff)
		switch st {
		case Got:
			s.slots[it.Seq] = slot
			fmt.Fprintf(&s.out, "got %d%s\n", it.Seq, marks(&it))
		case NeedLoad:
			s.out.WriteString("page is not loaded\n")
		case Empty:
			s.out.WriteString("empty\n")
		}
	case "purge":
		fmt.Fprintf(&s.out, "purged %d\n", s.m.Purge(s.now, &s.eff))
	case "touch":
		s.m.Touch(s.now, &s.eff)
	case "advance":
		s.advance(first)
	case "late": // time passes and the timer does not fire
		ms, _ := strconv.ParseInt(strings.TrimSuffix(first, "ms"), 10, 64)
		s.now += ms
	case "load":
		s.load()
	case "evict":
		n, _ := strconv.Atoi(first)
		for _, it := range s.m.Evict(n, nil) {
			s.arena.Release(it.Mem)
			fmt.Fprintf(&s.out, "evicted %d\n", it.Seq)
		}
	case "state":
		s.effects()
		s.state()
	default:
		s.t.Fatalf("unknown command %q", line)
	}
	s.effects()
}

func (s *script) publish(c command) {
	it := Item{Size: uint32(c.num("size", 1)), Prio: uint8(c.num("priority", 0))}
	s.text = c.keys["text"]
	if s.text == "" {
		s.text = "x"
	}
	if ttl := c.num("ttl", None); ttl != None {
		it.Expiry = s.now + ttl
	}
	if !s.m.Enqueue(s.now, &it, &s.eff) {
		fmt.Fprintf(&s.out, "refused %d\n", it.Seq)
	}
	if s.m.cfg.Kind == Stream && !s.lag {
		s.m.Commit(s.now, it.Seq, &s.eff)
	}
	s.effects()
}

func (s *script) settle(c command) {
	o := map[string]Outcome{"ack": Ack, "reject": Reject, "requeue": Requeue, "requeue-uncounted": RequeueNoCount, "unread": Unread}[c.name]
	var batch []SlotSeq
	for _, p := range c.plain {
		seq, err := strconv.ParseUint(p, 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		slot := s.slots[seq]
		if by := s.consumers[c.keys["by"]]; by != nil {
			slot = by.Cursor.slot
		}
		batch = append(batch, SlotSeq{slot, seq})
	}
	if n := s.m.SettleBatch(s.now, batch, o, &s.eff); n != len(batch) {
		fmt.Fprintf(&s.out, "%d of %d are outstanding\n", n, len(batch))
	}
}

// advance lets time pass and the timer fire.
func (s *script) advance(ms string) {
	d, err := strconv.ParseInt(strings.TrimSuffix(ms, "ms"), 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	for end := s.now + d; ; {
		at := s.m.Timer()
		if at == 0 || at > end {
			s.now = end
			return
		}
		s.now = max(s.now, at)
		s.m.Tick(s.now, &s.eff)
		s.effects()
	}
}

func (s *script) load() {
	if s.m.cfg.Kind == Stream {
		s.loadRun()
		return
	}
	page, items := s.m.Wanted(3, 1<<20, nil)
	if page != nil {
		fmt.Fprintf(&s.out, "read page %d-%d\n", page.First, page.Last)
		s.m.PageLoaded(s.now, *page, s.pages[page.Pos], &s.eff)
		return
	}
	for i := range items {
		fmt.Fprintf(&s.out, "read body %d\n", items[i].Seq)
		items[i].Mem = s.arena.PutBytes([]byte("x"))
	}
	if len(items) > 0 {
		s.m.BodiesLoaded(s.now, items, &s.eff)
	}
}

// cursor reads from=first|last|next|OFFSET|at:MS and filter=TEXT.
func (c *command) cursor() *Cursor {
	k := &Cursor{}
	from := c.keys["from"]
	at, isTime := strings.CutPrefix(from, "at:")
	switch {
	case from == "first":
		k.Start.Kind = StartFirst
	case from == "last":
		k.Start.Kind = StartLast
	case isTime:
		k.Start.Kind = StartTime
		k.Start.Value = number(at)
	case from != "next" && from != "":
		k.Start.Kind = StartOffset
		k.Start.Value = number(from)
	}
	if want := c.keys["filter"]; want != "" {
		k.Filter = textFilter(want)
	}
	return k
}

type textFilter string

func (f textFilter) Match(stored []byte) bool { return string(stored) == string(f) }

func (s *script) loadRun() {
	w, ok := s.m.WantedRun(s.now, 3, 1<<20, nil, &s.eff)
	if !ok {
		s.out.WriteString("nothing is wanted\n")
		return
	}
	items := slices.Clone(w.Items)
	if w.Page != nil {
		fmt.Fprintf(&s.out, "read page %d-%d\n", w.Page.First, w.Page.Last)
		for _, it := range s.pages[w.Page.Pos] {
			if w.From <= it.Seq && it.Seq <= w.To {
				items = append(items, it)
			}
		}
	}
	fmt.Fprintf(&s.out, "read %d-%d\n", w.From, w.To)
	for i := range items {
		items[i].Mem = s.arena.PutBytes([]byte("x"))
	}
	s.m.RunLoaded(s.now, items, w.From, w.To, 8, &s.eff)
}

func marks(it *Item) string {
	m := ""
	if it.Flags&Redelivered != 0 {
		m += " redelivered"
	}
	if it.Count > 0 {
		m += fmt.Sprintf(" count=%d", it.Count)
	}
	return m
}

func (s *script) effects() {
	for i := range s.eff {
		e := &s.eff[i]
		switch e.Kind {
		case Deliver:
			s.slots[e.Item.Seq] = e.Slot
			fmt.Fprintf(&s.out, "deliver %d to %s%s\n", e.Item.Seq, e.Consumer.Tag, marks(&e.Item))
		case Settled:
			fmt.Fprintf(&s.out, "settled %d", e.Item.Seq)
			if e.Reason != ReasonNone {
				fmt.Fprintf(&s.out, " %v", e.Reason)
			}
			s.out.WriteString("\n")
		case DeadLettered:
			s.slots[e.Item.Seq] = e.Slot
			fmt.Fprintf(&s.out, "dead-letter %d %v\n", e.Item.Seq, e.Reason)
		case PageDropped:
			fmt.Fprintf(&s.out, "drop page %d-%d\n", e.Page.First, e.Page.Last)
		case Returned:
			fmt.Fprintf(&s.out, "returned %d count=%d", e.Item.Seq, e.Item.Count)
			if e.At != 0 {
				fmt.Fprintf(&s.out, " in %dms", e.At-s.now)
			}
			s.out.WriteString("\n")
		case WantLoad:
			s.out.WriteString("want load\n")
		case SetTimer:
			fmt.Fprintf(&s.out, "timer in %dms\n", e.At-s.now)
		case Gone:
			fmt.Fprintf(&s.out, "gone %v\n", e.Reason)
		}
	}
	s.eff = s.eff[:0]
}

func (s *script) state() {
	fmt.Fprintf(&s.out, "ready %d bytes %d unacked %d dying %d:", s.m.Ready(), s.m.ReadyBytes(), s.m.Unacked(), s.m.Dying())
	s.m.Walk(func(e Entry) bool {
		switch e.State {
		case Ready:
			fmt.Fprintf(&s.out, " %d", e.Item.Seq)
		case Paged:
			fmt.Fprintf(&s.out, " [%d-%d]", e.Page.First, e.Page.Last)
		default:
			fmt.Fprintf(&s.out, " %v:%d", e.State, e.Item.Seq)
		}
		return true
	})
	s.out.WriteString("\n")
}

// number reads a number of a transcript; a slip in one is no zero.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

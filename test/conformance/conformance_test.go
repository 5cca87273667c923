package conformance

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write expected.txt anew from what the broker answers")

// Cases mostly wait, so many run at once, however few processors there are.
const parallel = "16"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", parallel); err != nil {
		panic(err)
	}
	code := m.Run()
	if bin, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(bin))
	}
	os.Exit(code)
}

// book is what answers are compared with.
type book struct {
	golden *Golden
	later  *Later

	mu       sync.Mutex
	expected *Expected
}

// readBook reads it once for all tests, so that -rewrite keeps what each adds.
var readBook = sync.OnceValues(func() (*book, error) {
	golden, err := RecordedGolden()
	if err != nil {
		return nil, err
	}
	later, err := RecordedLater()
	if err != nil {
		return nil, err
	}
	expected, err := RecordedExpected()
	return &book{golden: golden, later: later, expected: expected}, err
})

func open(t *testing.T) *book {
	t.Helper()
	b, err := readBook()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *book) check(t *testing.T, name string, ours []Ev) {
	t.Helper()
	golden, ok := b.golden.Cases[name]
	if !ok {
		t.Fatal("no trace of the reference is recorded")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if *rewrite {
		b.expected.Set(name, golden, ours)
		if err := b.expected.Save("expected.txt"); err != nil {
			t.Error(err)
		}
		return
	}
	if wrong := b.expected.Check(name, golden, ours); wrong != "" {
		t.Errorf("%s", wrong)
	}
}

// TestCases replays what needs no restart, against a broker in this process.
func TestCases(t *testing.T) {
	b, ep := open(t), inProcess(t)
	for _, c := range Cases() {
		if c.Area() == "durability" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			if what := b.later.Missing(c); what != "" {
				t.Skip("waits for:", what)
			}
			if !c.flags["serial"] { // those have the broker to themselves: the others wait
				t.Parallel()
			}
			b.check(t, c.Name, RunCase(ep, c))
		})
	}
}

// TestDurability replays what needs a restart or a kill, all cases together.
func TestDurability(t *testing.T) {
	b, p := open(t), startProcess(t)
	var cases []*Case
	for _, c := range Cases() {
		if c.Area() == "durability" && b.later.Missing(c) == "" {
			cases = append(cases, c)
		}
	}
	for kind, sig := range map[string]syscall.Signal{"restart": syscall.SIGTERM, "kill9": syscall.SIGKILL} {
		got, err := RunDurable(p.Endpoint, cases, kind, p.restart(sig))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if ours, ok := got[c.Name]; ok {
				t.Run(c.Name, func(t *testing.T) { b.check(t, c.Name, ours) })
			}
		}
	}
}

// TestAbuse sends what no client should send.
func TestAbuse(t *testing.T) {
	b, p := open(t), startProcess(t)
	t.Run("cases", func(t *testing.T) {
		for _, name := range AbuseNames() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ours := RunAbuse(p.Endpoint, name)
				for _, e := range ours {
					if strings.Contains(e[0], "UNHEALTHY") {
						t.Error(e[0])
					}
				}
				b.check(t, name, ours)
			})
		}
	})
	if mb := residentMB(p.cmd.Process.Pid); mb > 1024 {
		t.Errorf("the broker has %d MiB in memory after the abuse", mb)
	}
}

// lastDeath are headers that RabbitMQ 3.10 does not have. The cases dlx/ look
// at them; here they would only make the sequences with dead letters useless.
var lastDeath = regexp.MustCompile(`, x-last-death-(exchange|queue|reason):"[^"]*"`)

// TestRandom replays random sequences of operations.
func TestRandom(t *testing.T) {
	b, ep := open(t), inProcess(t)
	seeds := 200
	if testing.Short() {
		seeds = 40
	}
	for seed := 1; seed <= seeds; seed++ {
		name := fmt.Sprintf("fuzz/seed-%d-ops-%d", seed, fuzzLength)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, _, _ := runSeq([]*Endpoint{ep}, fuzzOps(int64(seed), fuzzLength), nil)
			for i := range ours {
				ours[i][0] = lastDeath.ReplaceAllString(ours[i][0], "")
			}
			b.check(t, name, ours)
		})
	}
}

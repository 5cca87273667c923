package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// To record the answers anew, from a RabbitMQ 3.10.8 that has nothing but the
// user guest and the virtual host "/":
//
//	go test ./internal/mgmt/api -run TestAnswers -record http://127.0.0.1:15672
var record = flag.String("record", "", "URL of a RabbitMQ node to record answers from")

const (
	requestsFile    = "testdata/requests.txt"
	answersFile     = "testdata/answers-3.10.8.txt"
	differencesFile = "testdata/differences.txt"
)

// asked is one line of the requests.
type asked struct {
	as, method, path, body string
}

func (a asked) String() string {
	return strings.TrimSpace(a.as + ": " + a.method + " " + a.path + " " + a.body)
}

func readRequests(t *testing.T) (out []asked) {
	t.Helper()
	raw, err := os.ReadFile(requestsFile)
	if err != nil {
		t.Fatal(err)
	}
	as := ""
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if user, ok := strings.CutPrefix(line, "as "); ok {
			as = user
			continue
		}
		f := strings.SplitN(line, " ", 3)
		a := asked{as: as, method: f[0], path: f[1]}
		if len(f) == 3 {
			a.body = f[2]
		}
		out = append(out, a)
	}
	return out
}

// changing is what no two nodes have in common.
var changing = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`\w+@[\w.-]+`), "NODE"},
	{regexp.MustCompile(`"password_hash":"[^"]+"`), `"password_hash":"HASH"`},
	{regexp.MustCompile(`~[\w-]{6}"`), `~HASH"`},
}

func ask(t *testing.T, base string, a asked) string {
	t.Helper()
	req, err := http.NewRequest(a.method, base+"/api"+a.path, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if a.as == "guest" {
		req.SetBasicAuth("guest", "guest")
	} else if a.as != "-" {
		req.SetBasicAuth(a.as, a.as)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprint(resp.StatusCode)
	for _, h := range []string{"Allow", "Location", "Www-Authenticate"} {
		if v := resp.Header.Get(h); v != "" {
			out += " " + strings.ToLower(h) + "=" + v
		}
	}
	out = strings.TrimSpace(out + " " + canonical(raw))
	for _, c := range changing {
		out = c.re.ReplaceAllString(out, c.to)
	}
	return out
}

// canonical writes JSON with the members of objects in the order of their names.
func canonical(raw []byte) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return string(raw)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return string(raw)
	}
	return strings.TrimSpace(b.String())
}

// TestAnswers: what RabbitMQ 3.10.8 answers, we answer, byte for byte; where not,
// testdata/differences.txt says what and why.
func TestAnswers(t *testing.T) {
	requests := readRequests(t)
	if *record != "" {
		var out strings.Builder
		for _, a := range requests {
			fmt.Fprintf(&out, "%s\n\t%s\n", a, ask(t, *record, a))
		}
		if err := os.WriteFile(answersFile, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := readPairs(t, answersFile)
	if len(want) != len(requests) {
		t.Fatalf("%d requests, %d recorded answers: record them anew", len(requests), len(want))
	}
	known := map[string]string{} // by request and number of its kind
	for _, p := range readPairs(t, differencesFile) {
		known[p[0]] = p[1]
	}
	f := newFixture(t)
	base := f.serve()
	seen := map[string]int{}
	for i, a := range requests {
		if a.String() != want[i][0] {
			t.Fatalf("request %d is %s, recorded is %s: record anew", i, a, want[i][0])
		}
		key := a.String()
		if seen[key]++; seen[key] > 1 {
			key = fmt.Sprintf("%s [%d]", key, seen[key])
		}
		got := ask(t, base, a)
		ours, differs := known[key]
		delete(known, key)
		switch {
		case !differs && got != want[i][1]:
			t.Errorf("%s\n     got %s\nRabbitMQ %s", key, got, want[i][1])
		case differs && got != ours:
			t.Errorf("%s\n     got %s\nexpected %s\nRabbitMQ %s", key, got, ours, want[i][1])
		case differs && got == want[i][1]:
			t.Errorf("%s is no difference", key)
		}
	}
	for k := range known {
		t.Errorf("%s: nobody asks %q", differencesFile, k)
	}
}

// readPairs reads lines that are followed by a line that begins with a tab.
// Lines that begin with # are comments.
func readPairs(t *testing.T, file string) (out [][2]string) {
	t.Helper()
	fh, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer fh.Close()
	sc := bufio.NewScanner(fh)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		switch line := sc.Text(); {
		case line == "" || line[0] == '#':
		case line[0] == '\t':
			out[len(out)-1][1] = line[1:]
		default:
			out = append(out, [2]string{line})
		}
	}
	return slices.Clip(out)
}

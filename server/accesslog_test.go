package server

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each HTTP request is a line that other tools understand, whatever a client says.
func TestAccessLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "access")
	s := start(t, func(c *Config) { c.AccessLogDir = dir })
	base := "http://" + s.ManagementAddrs()[0].String()
	ask := func(user, password, path, agent string) {
		t.Helper()
		req, err := http.NewRequest("GET", base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			req.SetBasicAuth(user, password)
		}
		req.Header.Set("User-Agent", agent)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	ask("guest", "guest", "/api/whoami?secret=1", "curl/7.88.1")
	ask("guest", "bad", "/api/whoami", `x" "y\`)
	ask("", "", "/nowhere/a%20b", "")
	ask("evil\n\x1b [x] \u009b", "x", "/api/whoami", "z")
	if err := (*node)(s).RotateLogs(); err != nil { // everything is written
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	at := `\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]`
	for i, want := range []string{
		`^127\.0\.0\.1 - guest ` + at + ` "GET /api/whoami HTTP/1\.1" 200 [1-9]\d* "" "curl/7\.88\.1"$`,
		`^127\.0\.0\.1 - guest ` + at + ` "GET /api/whoami HTTP/1\.1" 401 [1-9]\d* "" "x\\" \\"y\\\\"$`,
		`^127\.0\.0\.1 - - ` + at + ` "GET /nowhere/a%20b HTTP/1\.1" 404 \d+ "" ""$`,
		`^127\.0\.0\.1 - evil\\x0a\\x1b\\x20\[x\]\\x20\\x9b ` + at + ` `,
	} {
		if i >= len(lines) || !regexp.MustCompile(want).MatchString(lines[i]) {
			t.Fatalf("line %d of %q, want %s", i, lines, want)
		}
	}
	if len(lines) != 4 {
		t.Errorf("%q", lines)
	}
}

// With max_connections = 1 the second client waits for the first to go.
func TestMaxHTTPConnections(t *testing.T) {
	s := start(t, func(c *Config) { c.Management.MaxConnections = 1 })
	url := "http://guest:guest@" + s.ManagementAddrs()[0].String() + "/api/whoami"
	first := &http.Client{Transport: &http.Transport{}}
	get(t, first, url)
	second := make(chan int)
	go func() {
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(url)
		if err != nil {
			second <- 0
			return
		}
		resp.Body.Close()
		second <- resp.StatusCode
	}()
	if code, _ := get(t, first, url); code != 200 {
		t.Error(code)
	}
	select {
	case <-second:
		t.Error("a second connection is served")
	default:
	}
	first.CloseIdleConnections()
	if code := <-second; code != 200 {
		t.Error(code)
	}
}

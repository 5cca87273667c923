package server

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDefinitionsAtStart: a node with definitions has what they say, and no user
// guest; a broken file keeps it from starting.
func TestDefinitionsAtStart(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("1-users.json", `{"users":[{"name":"boss","password":"secret","tags":"administrator"}],"vhosts":[{"name":"/"},{"name":"shop"}],
		"permissions":[{"user":"boss","vhost":"shop","configure":".*","write":".*","read":".*"}]}`)
	write("2-queues.json", `{"queues":[{"name":"orders","vhost":"shop","durable":true,"arguments":{"x-queue-type":"quorum"}}]}`)
	write("notes.txt", "not definitions")
	data := t.TempDir()
	for range 2 { // the second time nothing is to be done
		s := start(t, func(c *Config) {
			c.DataDir, c.DefinitionsPath, c.DefinitionsSkipUnchanged = data, dir, true
			c.Management.Listeners = []string{"127.0.0.1:0"}
		})
		base := "http://" + s.ManagementAddrs()[0].String()
		for _, c := range []struct {
			user, password, path string
			code                 int
		}{
			{"boss", "secret", "/api/bindings/shop", 200},
			{"guest", "guest", "/api/whoami", 401},
		} {
			req, _ := http.NewRequest("GET", base+c.path, nil)
			req.SetBasicAuth(c.user, c.password)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != c.code {
				t.Errorf("%s as %s: %s", c.path, c.user, resp.Status)
			}
		}
		if err := s.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	write("3-broken.json", `{"queues":[{"name":"lost"}]}`)
	_, err := New(Config{DataDir: t.TempDir(), DefinitionsPath: dir})
	if err == nil || !strings.Contains(err.Error(), "3-broken.json") || !strings.Contains(err.Error(), "names no virtual host") {
		t.Errorf("a broken file: %v", err)
	}
}

// Definitions may be fetched. A server that is not trusted, or answers with
// something else, keeps the node from starting.
func TestDefinitionsFetched(t *testing.T) {
	fetched := 0
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ann" || password != "s3cret" || r.URL.Path != "/defs.json" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		fetched++
		io.WriteString(w, `{"vhosts":[{"name":"fetched"}]}`)
	}))
	defer web.Close()
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	at := strings.Replace(web.URL, "https://", "https://ann:s3cret@", 1)
	data := t.TempDir()
	for range 2 {
		s := start(t, func(c *Config) {
			c.DataDir, c.DefinitionsURL, c.DefinitionsTLS.CAFile, c.DefinitionsSkipUnchanged = data, at+"/defs.json", ca, true
		})
		if s.app.broker.VHost("fetched") == nil {
			t.Error("not imported")
		}
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
	if fetched != 2 {
		t.Errorf("fetched %d times", fetched)
	}
	for _, c := range []struct{ url, ca, want string }{
		{at + "/other.json", ca, "/other.json: the server answers 403 Forbidden"},
		{at + "/defs.json", "", "certificate signed by unknown authority"},
		{at + "/defs.json", "/nowhere", "definitions.tls: the authorities' certificates cannot be read"},
	} {
		s, err := New(Config{DefinitionsURL: c.url, DefinitionsTLS: ClientTLS{CAFile: c.ca}})
		if err == nil {
			s.Close(context.Background())
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %s", c.url, err, c.want)
		}
	}
}

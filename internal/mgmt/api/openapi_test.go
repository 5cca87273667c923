package api

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
)

// TestOpenAPI: the document has every route, and what it refers to.
func TestOpenAPI(t *testing.T) {
	f := newFixture(t)
	f.user = ""
	code, body := f.do("GET", "/openapi.json", "")
	if code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Summary    string
			Responses  map[string]any
			Parameters []struct{ Name, In string }
		}
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	for _, r := range f.api.routes {
		op, ok := doc.Paths[r.Path][strings.ToLower(r.Method)]
		if !ok || op.Summary == "" || len(op.Responses) == 0 {
			t.Errorf("%s %s is not described", r.Method, r.Path)
		}
		named := 0
		for _, p := range op.Parameters {
			if p.In == "path" && strings.Contains(r.Path, "{"+p.Name+"}") {
				named++
			}
		}
		if named != strings.Count(r.Path, "{") {
			t.Errorf("%s %s: %d parts of the path are described", r.Method, r.Path, named)
		}
	}
	for rest := body; ; {
		_, after, ok := strings.Cut(rest, `"$ref":"#/components/schemas/`)
		if !ok {
			break
		}
		name, _, _ := strings.Cut(after, `"`)
		if doc.Components.Schemas[name] == nil {
			t.Fatalf("the schema %s is missing", name)
		}
		rest = after
	}
}

// TestReferencePage: people find the reference, and what became of rabbitmqadmin.
func TestReferencePage(t *testing.T) {
	f := newFixture(t)
	f.user = ""
	code, page := f.do("GET", "/index.html", "")
	if code != 200 || !strings.Contains(page, "/queues/{vhost}/{queue}/get") || strings.Contains(page, "style=") || strings.Contains(page, "<script") {
		t.Errorf("%d, %d bytes", code, len(page))
	}
	resp := f.send(f.request("GET", "/api", ""))
	if resp.StatusCode != 301 || resp.Header.Get("Location") != "/api/index.html" {
		t.Errorf("/api: %d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	for path, want := range map[string]int{"/cli/": 200, "/cli/rabbitmqadmin": 404, "/cli": 301} {
		resp := f.send(f.request("GET", path, ""))
		io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != want {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

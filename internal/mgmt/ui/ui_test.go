package ui_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/mgmt/ui"
)

func get(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://broker/", nil)
	r.URL.Path = path
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestFiles(t *testing.T) {
	h := ui.Handler(ui.Options{})
	for _, c := range []struct {
		method, path, contentType string
		status                    int
	}{
		{"GET", "/", "text/html; charset=utf-8", 200},
		{"HEAD", "/index.html", "text/html; charset=utf-8", 200},
		{"GET", "/js/main.js", "text/javascript; charset=utf-8", 200},
		{"GET", "/css/base.css", "text/css; charset=utf-8", 200},
		{"GET", "/icon.svg", "image/svg+xml", 200},
		{"GET", "/js", "text/plain; charset=utf-8", 404},
		{"GET", "/nope.js", "text/plain; charset=utf-8", 404},
		{"GET", "/../ui.go", "text/plain; charset=utf-8", 404},
		{"GET", "/js/..%2f../ui.go", "text/plain; charset=utf-8", 404},
		{"POST", "/", "", 405},
	} {
		w := get(h, c.method, c.path)
		if w.Code != c.status || w.Header().Get("Content-Type") != c.contentType {
			t.Errorf("%s %s: %d %q, want %d %q", c.method, c.path, w.Code, w.Header().Get("Content-Type"), c.status, c.contentType)
		}
		if w.Header().Get("Content-Security-Policy") != ui.Policy {
			t.Errorf("%s %s: no policy", c.method, c.path)
		}
		if c.method == "HEAD" && w.Body.Len() > 0 {
			t.Errorf("HEAD has a body")
		}
	}
}

func TestUnchangedIsNotSentAgain(t *testing.T) {
	h := ui.Handler(ui.Options{})
	tag := get(h, "GET", "/js/main.js").Header().Get("ETag")
	if tag == "" {
		t.Fatal("no tag")
	}
	if w := get(h, "GET", "/js/main.js", "If-None-Match", `"x", W/`+tag); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("%d with %d bytes", w.Code, w.Body.Len())
	}
	if w := get(h, "GET", "/js/main.js", "If-None-Match", `"x"`); w.Code != http.StatusOK {
		t.Errorf("%d for another tag", w.Code)
	}
}

func TestPrefix(t *testing.T) {
	h := http.StripPrefix("/rabbit", ui.Handler(ui.Options{}))
	r := httptest.NewRequest("GET", "/rabbit?a=1", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != "rabbit/" {
		t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := get(h, "GET", "/rabbit/js/main.js"); w.Code != http.StatusOK {
		t.Errorf("%d below the prefix", w.Code)
	}
}

func TestOperatorsHeadersStand(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	ui.Handler(ui.Options{}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if got := w.Header().Get("Content-Security-Policy"); got != "default-src 'none'" {
		t.Errorf("%q", got)
	}
}

func TestDirectoryIsReadAnew(t *testing.T) {
	dir := t.TempDir()
	h := ui.Handler(ui.Options{Dir: dir})
	for _, text := range []string{"one", "two"} {
		if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := get(h, "GET", "/").Body.String(); got != text {
			t.Errorf("%q, want %q", got, text)
		}
	}
}

// Each module that a module imports is there; a browser would find out late.
func TestImportsExist(t *testing.T) {
	from := regexp.MustCompile(`from '([^']+)'`)
	for name, text := range sources(t) {
		for _, m := range from.FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(m[1], ".") {
				t.Errorf("%s imports %s from elsewhere", name, m[1])
			} else if _, err := os.Stat(filepath.Join("static", filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

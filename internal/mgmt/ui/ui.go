// Package ui is the page in the browser: hand-written HTML, CSS and ES modules
// over the HTTP API, built into the program. The management listener hands it
// every request that is not the API's; it knows nothing of the broker.
package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
)

//go:embed static
var embedded embed.FS

// Policy is the content security policy of the page: what it consists of comes
// from this server, and nothing is inline.
const Policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

// Options of the page.
type Options struct {
	// Dir is where to read the files from instead of the program, for working on
	// them: changes show at the next reload.
	Dir string
}

// Handler serves the page at its own root.
func Handler(o Options) http.Handler {
	files, err := fs.Sub(embedded, "static")
	if err != nil {
		panic(err) // the directory is part of the program
	}
	if o.Dir != "" {
		return &handler{files: os.DirFS(o.Dir)}
	}
	return &handler{files: files, tags: tags(files)}
}

type handler struct {
	files fs.FS
	tags  map[string]string // entity tag by path; nil: read anew each time
}

// tags are made once: the files do not change while the program runs.
func tags(files fs.FS) map[string]string {
	all := make(map[string]string)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		all[name] = tag(data)
		return err
	})
	if err != nil {
		panic(err) // as above
	}
	return all
}

func tag(data []byte) string {
	sum := sha256.Sum256(data)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	// What the operator has set (management.csp.policy …) stands.
	for _, one := range [][2]string{
		{"Content-Security-Policy", Policy}, {"X-Content-Type-Options", "nosniff"}, {"X-Frame-Options", "DENY"}, {"Referrer-Policy", "no-referrer"},
	} {
		if head.Get(one[0]) == "" {
			head.Set(one[0], one[1])
		}
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		head.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == "" { // of a prefix without its slash; the page's addresses are relative
		asked, _, _ := strings.Cut(r.RequestURI, "?")
		head.Set("Location", path.Base(asked)+"/")
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" {
		name = "index.html"
	}
	data, err := fs.ReadFile(h.files, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	etag := h.tags[name]
	if etag == "" {
		etag = tag(data)
	}
	// Browsers ask each time and are told that nothing changed: after an update
	// no old module meets a new one.
	head.Set("Cache-Control", "no-cache")
	head.Set("ETag", etag)
	if match(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	head.Set("Content-Type", contentType(name))
	if r.Method == http.MethodGet {
		w.Write(data)
	}
}

func match(header, etag string) bool {
	for _, one := range strings.Split(header, ",") {
		if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == etag || one == "*" {
			return true
		}
	}
	return false
}

// contentType does not ask the system, whose tables differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

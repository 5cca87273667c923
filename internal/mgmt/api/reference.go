package api

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

//go:embed reference.html
var referenceHTML string

//go:embed reference.css
var referenceCSS []byte

// subject is a part of the reference: the routes below one first part of a path.
type subject struct {
	Name   string
	Routes []line
}

type line struct {
	Method, Path, Summary, Who, In, Out string
}

// getReference shows the routes for people.
func (a *API) getReference(rq *Request) error {
	t, err := template.New("reference").Parse(referenceHTML)
	if err != nil {
		return err
	}
	var subjects []*subject
	byName := map[string]*subject{}
	for _, r := range a.routes {
		name := strings.Split(strings.TrimPrefix(r.Path, "/"), "/")[0]
		if byName[name] == nil {
			byName[name] = &subject{Name: name}
			subjects = append(subjects, byName[name])
		}
		l := line{Method: r.Method, Path: r.Path, Summary: r.Summary, Who: accessWords[r.Access]}
		if r.In != nil {
			l.In = typeText(reflect.TypeOf(r.In))
		}
		if r.Out != nil {
			l.Out = typeText(reflect.TypeOf(r.Out))
		}
		byName[name].Routes = append(byName[name].Routes, l)
	}
	slices.SortFunc(subjects, func(x, y *subject) int { return strings.Compare(x.Name, y.Name) })
	var page bytes.Buffer
	if err := t.Execute(&page, map[string]any{"Subjects": subjects, "Version": a.Config.ProductVersion, "Level": a.Config.Level}); err != nil {
		return err
	}
	return rq.send("text/html; charset=utf-8", page.Bytes())
}

func (a *API) getReferenceStyle(rq *Request) error {
	return rq.send("text/css; charset=utf-8", referenceCSS)
}

// send answers 200 with something that is not JSON.
func (rq *Request) send(contentType string, body []byte) error {
	h := rq.W.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	rq.W.WriteHeader(http.StatusOK)
	rq.W.Write(body) // an error is the client's, who is gone
	return nil
}

// cliPage is what people find where RabbitMQ serves rabbitmqadmin.
func (a *API) cliPage(w http.ResponseWriter, path string) {
	if path != "/cli/" && path != "/cli/index.html" {
		// Who downloads the script should not run a page.
		http.Error(w, "rabbitmqadmin is not served here; take it from a RabbitMQ. It works with this node. See /cli/index.html", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write([]byte(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Command line</title>
<h1>Command line</h1>
<p>RabbitMQ's script <code>rabbitmqadmin</code> works with this node. Its licence is another one, so it is not served here:
take it from a RabbitMQ, or from the package <code>rabbitmq-server</code> of your distribution.</p>
<p>Warren brings its own: <code>warren ctl help</code>, on this machine or with
<code>warren ctl --node http://user:password@host:15672 …</code>.</p>
<p>The <a href="../api/index.html">HTTP API</a> is what both of them use.</p>
</html>
`))
}

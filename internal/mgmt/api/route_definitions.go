package api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

func (a *API) definitionRoutes() []*Route {
	var routes []*Route
	for _, path := range []string{"/definitions", "/all-configuration"} {
		routes = append(routes,
			&Route{Method: http.MethodGet, Path: path, Access: Administrator, Summary: "All definitions; download=name makes a browser save them", Out: apitype.Definitions{}, Handle: a.getDefinitions},
			&Route{Method: http.MethodPost, Path: path, Access: Administrator, Status: http.StatusNoContent, Summary: "Import definitions: all of a file or nothing. JSON, or a form with a field file", In: apitype.Definitions{}, Handle: a.postDefinitions})
	}
	return append(routes,
		&Route{Method: http.MethodGet, Path: "/definitions/{vhost}", Access: Administrator, Summary: "The definitions of a virtual host", Out: apitype.Definitions{}, Handle: a.getVHostDefinitions},
		&Route{Method: http.MethodPost, Path: "/definitions/{vhost}", Access: Administrator, Status: http.StatusNoContent, Summary: "Import definitions into a virtual host", In: apitype.Definitions{}, Handle: a.postVHostDefinitions})
}

func (a *API) getDefinitions(rq *Request) error { return a.sendDefinitions(rq, a.export()) }

func (a *API) getVHostDefinitions(rq *Request) error {
	v, err := rq.VHost()
	if err != nil {
		return BadRequest("vhost_not_found")
	}
	return a.sendDefinitions(rq, a.exportOne(v))
}

// sendDefinitions answers with a tag, so that who looks for changes need not
// load them again.
func (a *API) sendDefinitions(rq *Request, d apitype.Definitions) error {
	body, err := a.encode(nil, d, parseColumns(rq.URL.Query()))
	if err != nil {
		return err
	}
	if name := rq.Query("download"); name != "" {
		rq.W.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	}
	return rq.tagged(body)
}

// tagged answers with a body, or with 304 if the client has it.
func (rq *Request) tagged(body []byte) error {
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	rq.W.Header().Set("ETag", tag)
	for t := range strings.SplitSeq(rq.Header.Get("If-None-Match"), ",") {
		if t = strings.TrimSpace(t); t == tag || t == "*" || t == "W/"+tag {
			rq.W.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	writeJSON(rq.W, http.StatusOK, body)
	return nil
}

func (a *API) postDefinitions(rq *Request) error { return a.importInto(rq, "") }

func (a *API) postVHostDefinitions(rq *Request) error {
	v, err := rq.VHost()
	if err != nil {
		return noSuch("vhost_not_found")
	}
	return a.importInto(rq, v)
}

func (a *API) importInto(rq *Request, vhost string) error {
	raw, err := uploaded(rq)
	if err != nil {
		return err
	}
	m := &importer{broker: a.Broker, logger: a.Logger, actor: rq.Actor(), vhost: vhost}
	if !rq.Socket {
		m.grant = rq.User.Name
	}
	if err := m.run(raw); err != nil {
		return err
	}
	return rq.NoContent()
}

// uploaded is the request's body, or the field "file" of a form.
func uploaded(rq *Request) ([]byte, error) {
	kind, params, err := mime.ParseMediaType(rq.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return io.ReadAll(rq.Request.Body)
	}
	r := multipart.NewReader(rq.Request.Body, params["boundary"])
	for {
		part, err := r.NextPart()
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			return nil, err
		case err != nil:
			return nil, BadRequest("the form has no field called file")
		case part.FormName() == "file":
			return io.ReadAll(part)
		}
	}
}

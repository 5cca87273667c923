package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// Request is one request on its way.
type Request struct {
	*http.Request
	W     http.ResponseWriter
	API   *API
	Route *Route
	// User asks. Over the node's socket it is rmq-cli, an administrator.
	User   auth.User
	Socket bool
	vars   map[string]string
	keys   map[string]json.RawMessage // the members of the body
	strict bool                       // of which none may be unknown
}

// Var is a part of the path, decoded. "amq.default" is the default exchange.
func (rq *Request) Var(name string) string {
	v := rq.vars[name]
	if v == "amq.default" && (name == "exchange" || name == "source") {
		return ""
	}
	return v
}

// Query is a parameter.
func (rq *Request) Query(name string) string { return rq.URL.Query().Get(name) }

// Actor is who asks, for the record.
func (rq *Request) Actor() broker.Actor {
	if rq.Socket {
		return broker.Actor{User: rq.User.Name, Source: "ctl"}
	}
	return broker.Actor{User: rq.User.Name, Source: "http " + rq.RemoteAddr}
}

// Do changes definitions on the user's behalf; the error is one of adminFailure.
func (rq *Request) Do(cmds ...meta.Command) ([]meta.Result, error) {
	res, err := rq.API.Broker.Do(rq.Actor(), cmds...)
	return res, adminFailure(err)
}

// Body reads the request's JSON object into v, a pointer to a struct. An empty
// body is an empty object. The named keys must be there.
func (rq *Request) Body(v any, required ...string) error {
	raw, err := io.ReadAll(rq.Request.Body)
	if err != nil {
		return err
	}
	raw = trimJSON(raw)
	switch string(raw) {
	case "", "null", "undefined":
		raw = []byte("{}")
	}
	if err := json.Unmarshal(raw, &rq.keys); err != nil {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return BadRequest("invalid payload: the request body JSON-decoded to a string. Is the input doubly-JSON-encoded?")
		}
		return BadRequest("not_json")
	}
	if err := rq.Required(required...); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if rq.strict {
		d.DisallowUnknownFields()
	}
	if err := wrongType(d.Decode(v)); err != nil {
		return err
	}
	return rq.noNull(v, required)
}

// StrictBody is Body that refuses members it does not know: where one that is
// misspelt would leave a wider order than was meant.
func (rq *Request) StrictBody(v any, required ...string) error {
	rq.strict = true
	return rq.Body(v, required...)
}

// given reports whether the body has a member other than null.
func (rq *Request) given(key string) bool {
	raw, ok := rq.keys[key]
	return ok && string(raw) != "null"
}

// noNull refuses null for texts that must be there: to encoding/json it is no
// value, which would leave them empty.
func (rq *Request) noNull(v any, keys []string) error {
	info := rq.API.structOf(reflect.TypeOf(v).Elem())
	for _, k := range keys {
		f := info.byName[k]
		if f == nil || string(rq.keys[k]) != "null" {
			continue
		}
		if x, _ := f.get(reflect.ValueOf(v).Elem()); x.Kind() == reflect.String {
			return badRequestf("the value of %q is of the wrong type: null instead of string", k)
		}
	}
	return nil
}

// trimJSON drops what may stand around JSON: spaces, and the mark that editors
// and shells of Windows put before UTF-8.
func trimJSON(raw []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\ufeff")))
}

// Required refuses a body that lacks one of the keys.
func (rq *Request) Required(keys ...string) error {
	var missing []string
	for _, k := range keys {
		if _, ok := rq.keys[k]; !ok {
			missing = append(missing, "{key_missing,"+k+"}")
		}
	}
	if missing != nil {
		return BadRequest(joinErlang(missing))
	}
	return nil
}

// joinErlang writes a list as Erlang prints it: over several lines if it is long.
func joinErlang(list []string) string {
	s := "[" + strings.Join(list, ",") + "]"
	if len(s) > 80 {
		s = "[" + strings.Join(list, ",\n ") + "]"
	}
	return s
}

// wrongType turns the error of a value of the wrong type into an answer.
func wrongType(err error) error {
	var ve *apitype.ValueError
	var te *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ve):
		return BadRequest([]any{ve.Kind, ve.Value})
	case errors.As(err, &te):
		return badRequestf("the value of %q is of the wrong type: %s instead of %s", te.Field, te.Value, jsonType(te.Type))
	}
	return BadRequest(strings.TrimPrefix(err.Error(), "json: "))
}

func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Map, reflect.Struct, reflect.Pointer:
		return "object"
	}
	return "number"
}

// Reply answers 200 with one object, of which columns may choose.
func (rq *Request) Reply(v any) error { return rq.reply(http.StatusOK, v) }

func (rq *Request) reply(status int, v any) error {
	body, err := rq.API.encode(nil, v, parseColumns(rq.URL.Query()))
	if err != nil {
		return err
	}
	writeJSON(rq.W, status, body)
	return nil
}

// Created answers a PUT: 201 for something new, else 204.
func (rq *Request) Created(existed bool) error {
	if existed {
		return rq.NoContent()
	}
	rq.W.Header().Set("Content-Length", "0")
	rq.W.WriteHeader(http.StatusCreated)
	return nil
}

// NoContent answers 204.
func (rq *Request) NoContent() error {
	rq.W.WriteHeader(http.StatusNoContent)
	return nil
}

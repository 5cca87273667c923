package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// document is an OpenAPI document, made of the routes and of the types that
// their handlers take and give.
type document map[string]any

type schema map[string]any

// describer collects the schemas of types by their names.
type describer struct {
	api     *API
	schemas map[string]schema
}

func (a *API) describe() document {
	d := &describer{api: a, schemas: map[string]schema{}}
	paths := map[string]map[string]any{}
	for _, r := range a.routes {
		if paths[r.Path] == nil {
			paths[r.Path] = map[string]any{}
		}
		paths[r.Path][strings.ToLower(r.Method)] = d.operation(r)
	}
	d.schemaOf(reflect.TypeFor[apitype.Error]())
	return document{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "Warren management API", "version": a.Config.ProductVersion,
			"description": "RabbitMQ's HTTP API as Warren answers it. Path parts are percent-encoded: the virtual host / is %2F.",
		},
		"servers":  []any{map[string]string{"url": a.Config.PathPrefix + "/api"}},
		"security": []any{map[string][]string{"basic": {}}, map[string][]string{"session": {}}},
		"paths":    paths,
		"components": map[string]any{
			"schemas": d.schemas,
			"securitySchemes": map[string]any{
				"basic":   map[string]string{"type": "http", "scheme": "basic"},
				"session": map[string]string{"type": "apiKey", "in": "cookie", "name": sessionCookie},
			},
		},
	}
}

var accessWords = map[Access]string{
	Open:          "Nobody needs to log in.",
	Anyone:        "For users with the tag management, policymaker, monitoring or administrator.",
	OfVHost:       "For users with access to the virtual host, and administrators.",
	SeesVHost:     "For users with access to the virtual host, and the tags monitoring and administrator.",
	Policies:      "For the tags policymaker (in virtual hosts of theirs) and administrator.",
	Globals:       "For the tags policymaker and administrator.",
	Monitoring:    "For the tags monitoring and administrator.",
	Administrator: "For the tag administrator.",
}

func (d *describer) operation(r *Route) map[string]any {
	op := map[string]any{
		"summary": r.Summary, "description": accessWords[r.Access],
		"tags":       []string{strings.Split(strings.TrimPrefix(r.Path, "/"), "/")[0]},
		"parameters": parameters(r), "responses": d.responses(r),
	}
	if r.In != nil {
		op["requestBody"] = map[string]any{"content": map[string]any{"application/json": map[string]any{"schema": d.schemaOf(reflect.TypeOf(r.In))}}}
	}
	if r.Access == Open {
		op["security"] = []any{}
	}
	return op
}

func parameters(r *Route) []any {
	out := []any{}
	for part := range strings.SplitSeq(r.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			out = append(out, map[string]any{"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": schema{"type": "string"}})
		}
	}
	query := func(name, kind, text string) {
		out = append(out, map[string]any{"name": name, "in": "query", "description": text, "schema": schema{"type": kind}})
	}
	if r.Method == http.MethodGet && r.Out != nil {
		query("columns", "string", "the members that are wanted: paths with dots, and commas between")
	}
	if r.List {
		query("sort", "string", "the path of a member")
		query("sort_reverse", "boolean", "from the end")
	}
	if r.Paged {
		query("page", "integer", "from 1; the answer is then an object with items")
		query("page_size", "integer", "1 to 500, 100 if not said")
		query("name", "string", "only those whose name has this in it; with page")
		query("use_regex", "boolean", "name is a regular expression")
	}
	return out
}

func (d *describer) responses(r *Route) map[string]any {
	out := map[string]any{}
	fail := func(code int, text string) {
		out[strconv.Itoa(code)] = map[string]any{"description": text, "content": map[string]any{
			"application/json": map[string]any{"schema": schema{"$ref": "#/components/schemas/Error"}}}}
	}
	plain := func(code int, text string) { out[strconv.Itoa(code)] = map[string]any{"description": text} }
	switch {
	case r.Out != nil:
		s := d.schemaOf(reflect.TypeOf(r.Out))
		if r.Paged {
			s = schema{"oneOf": []any{s, pageSchema(s)}}
		}
		out["200"] = map[string]any{"description": "OK", "content": map[string]any{"application/json": map[string]any{"schema": s}}}
	case r.Status != 0:
		plain(r.Status, http.StatusText(r.Status))
	case r.Method == http.MethodPut:
		plain(http.StatusCreated, "made")
		plain(http.StatusNoContent, "was there")
	default:
		plain(http.StatusNoContent, "done")
	}
	if r.In != nil {
		fail(http.StatusBadRequest, "the request makes no sense")
	}
	if r.Access != Open {
		fail(http.StatusUnauthorized, "not logged in, or not allowed to")
	}
	if strings.Contains(r.Path, "{") {
		fail(http.StatusNotFound, "not there")
	}
	return out
}

func pageSchema(items schema) schema {
	n := schema{"type": "integer"}
	return schema{"type": "object", "properties": map[string]any{"items": items, "page": n, "page_count": n, "page_size": n,
		"item_count": n, "filtered_count": n, "total_count": n}}
}

// schemaOf describes a type; structs are put among the components.
func (d *describer) schemaOf(t reflect.Type) schema {
	switch t {
	case reflect.TypeFor[apitype.Bool]():
		return schema{"type": "boolean"}
	case reflect.TypeFor[apitype.Int]():
		return schema{"type": "integer"}
	case reflect.TypeFor[apitype.Tags]():
		return schema{"oneOf": []any{schema{"type": "array", "items": schema{"type": "string"}}, schema{"type": "string"}}}
	case reflect.TypeFor[json.RawMessage]():
		return schema{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.schemaOf(t.Elem())
	case reflect.Struct:
		return d.structSchema(t)
	case reflect.Slice, reflect.Array:
		return schema{"type": "array", "items": d.schemaOf(t.Elem())}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": d.schemaOf(t.Elem())}
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return schema{"type": "number"}
	case reflect.Interface:
		return schema{}
	}
	return schema{"type": "integer"}
}

func (d *describer) structSchema(t reflect.Type) schema {
	name := t.Name()
	if name == "" {
		return schema{"type": "object"}
	}
	ref := schema{"$ref": "#/components/schemas/" + name}
	if d.schemas[name] != nil {
		return ref
	}
	s := schema{"type": "object"}
	d.schemas[name] = s
	props := map[string]any{}
	for _, f := range d.api.structOf(t).fields {
		props[f.name] = d.schemaOf(t.FieldByIndex(f.index).Type)
	}
	s["properties"] = props
	return ref
}

func (a *API) getOpenAPI(rq *Request) error {
	body, err := appendJSON(nil, a.openapi())
	if err != nil {
		return err
	}
	return rq.tagged(body)
}

func (a *API) referenceRoutes() []*Route {
	access := Open
	if a.Config.ReferenceAuth {
		access = Anyone
	}
	return []*Route{
		{Method: http.MethodGet, Path: "/openapi.json", Access: access, Stopped: true, Summary: "This description", Out: apitype.Object{}, Handle: a.getOpenAPI},
		{Method: http.MethodGet, Path: "/index.html", Access: access, Stopped: true, Summary: "The reference as a page", Handle: a.getReference},
		{Method: http.MethodGet, Path: "/reference.css", Access: Open, Stopped: true, Summary: "How the page looks", Handle: a.getReferenceStyle},
	}
}

func refName(s schema) string {
	ref, _ := s["$ref"].(string)
	return strings.TrimPrefix(ref, "#/components/schemas/")
}

// typeText is a type in a few words, for the page.
func typeText(t reflect.Type) string {
	d := &describer{api: &API{}, schemas: map[string]schema{}}
	s := d.schemaOf(t)
	if n := refName(s); n != "" {
		return n
	}
	if items, ok := s["items"].(schema); ok {
		return "list of " + strings.TrimSpace(refName(items)+" "+fmt.Sprint(orEmpty(items["type"])))
	}
	return fmt.Sprint(orEmpty(s["type"]))
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}

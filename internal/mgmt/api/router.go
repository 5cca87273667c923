package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Access says who may use a route. The classes are RabbitMQ's.
type Access uint8

const (
	Open       Access = iota // no credentials are asked for
	Anyone                   // every user with one of the four tags
	OfVHost                  // administrators, and who has access to the path's virtual host
	SeesVHost                // the same, and who monitors
	Policies                 // administrators, and policymakers with access to the virtual host
	Globals                  // administrators and policymakers
	Monitoring               // administrators and who monitors
	Administrator
)

// Route is one method of one path. Routes are the one source of what the API
// answers and of what the OpenAPI document says.
type Route struct {
	Method string
	Path   string // below /api; parts in braces are names
	Access Access
	// Summary is what the reference says about it.
	Summary string
	// In and Out are values of the types that go in and come out; nil: none.
	In, Out any
	// Status of a success, if it is neither 200 nor, for PUT, 201 or 204.
	Status int
	// Stopped: also while the application is stopped. Deps.Broker is nil then.
	Stopped bool
	// List: the answer can be sorted, and paged if Paged.
	List, Paged bool
	Handle      func(*Request) error
}

// router finds the route of a path. Fixed parts go before names.
type router struct {
	fixed  map[string]*router
	name   *router
	routes map[string]*Route // by method
}

func (t *router) add(r *Route) {
	for part := range strings.SplitSeq(strings.TrimPrefix(r.Path, "/"), "/") {
		t = t.child(part)
	}
	if t.routes == nil {
		t.routes = map[string]*Route{}
	}
	if t.routes[r.Method] != nil {
		panic("two routes for " + r.Method + " " + r.Path)
	}
	t.routes[r.Method] = r
}

func (t *router) child(part string) *router {
	if strings.HasPrefix(part, "{") {
		if t.name == nil {
			t.name = &router{}
		}
		return t.name
	}
	if t.fixed == nil {
		t.fixed = map[string]*router{}
	}
	n := t.fixed[part]
	if n == nil {
		n = &router{}
		t.fixed[part] = n
	}
	return n
}

func (t *router) find(parts []string) map[string]*Route {
	if len(parts) == 0 {
		return t.routes
	}
	if n := t.fixed[parts[0]]; n != nil {
		if r := n.find(parts[1:]); r != nil {
			return r
		}
	}
	if t.name != nil {
		return t.name.find(parts[1:])
	}
	return nil
}

// split takes the parts of an escaped path apart and then decodes them, so that
// a virtual host may be called "/".
func split(escaped string) ([]string, bool) {
	escaped = strings.Trim(escaped, "/")
	if escaped == "" {
		return nil, true
	}
	parts := strings.Split(escaped, "/")
	for i, p := range parts {
		var err error
		if parts[i], err = url.PathUnescape(p); err != nil {
			return nil, false
		}
	}
	return parts, true
}

// vars pairs the names in a route's path with the parts of a request's.
func (r *Route) vars(parts []string) map[string]string {
	v := map[string]string{}
	i := 0
	for part := range strings.SplitSeq(strings.TrimPrefix(r.Path, "/"), "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			v[strings.TrimSuffix(name, "}")] = parts[i]
		}
		i++
	}
	return v
}

// allow is the header of what can be done with a path.
func allow(routes map[string]*Route) string {
	var out []string
	for _, m := range []string{http.MethodHead, http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		if routes[m] != nil || m == http.MethodHead && routes[http.MethodGet] != nil {
			out = append(out, m)
		}
	}
	return strings.Join(slices.Concat(out, []string{http.MethodOptions}), ", ")
}

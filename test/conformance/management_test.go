package conformance

import (
	"encoding/json"
	"errors"
	"html"
	"io"
	"net/http"
	"strings"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
)

// management answers the few requests that the cases make. It goes straight to
// the core, so that the cases say something about it and not about an API.
type management struct{ b *broker.Broker }

func (m management) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/"), "/")
	if c, bad := definition(r.Method == http.MethodDelete, f, body); bad != nil {
		err = bad
	} else if c == nil {
		http.NotFound(w, r)
		return
	} else {
		_, err = m.b.Do(broker.Actor{User: "guest", Source: "test"}, c)
	}
	var be *broker.Error
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.As(err, &be) && be.Kind == broker.NotFound:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"error":"Object Not Found","reason":"Not Found"}`)
	default:
		w.WriteHeader(http.StatusBadRequest)
		reason := err.Error()
		if f[0] == "policies" {
			reason = strings.ReplaceAll(html.EscapeString(reason), "&#34;", `"`)
			reason = strings.ReplaceAll(reason, "&#39;", "'")
		}
		e := json.NewEncoder(&trim{w})
		e.SetEscapeHTML(false)
		e.Encode(struct {
			Error  string `json:"error"`
			Reason string `json:"reason"`
		}{"bad_request", reason})
	}
}

// trim drops the line's end that a json.Encoder writes.
type trim struct{ w io.Writer }

func (t *trim) Write(b []byte) (int, error) {
	_, err := io.WriteString(t.w, strings.TrimSuffix(string(b), "\n"))
	return len(b), err
}

// definition is a request as the core's command; nil if there is none like it.
func definition(del bool, f []string, body []byte) (meta.Command, error) {
	var v struct {
		Password               *string
		Tags                   string
		Configure, Write, Read string
		Exchange               string
		Pattern                string
		ApplyTo                string          `json:"apply-to"`
		Priority               any             `json:"priority"`
		Definition             json.RawMessage `json:"definition"`
		Value                  int64
		Tracing                bool
	}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &v); err != nil {
			return nil, err
		}
	}
	f = append(f, "", "")
	switch kind := f[0]; {
	case kind == "users" && del:
		return &meta.DeleteUser{Name: f[1]}, nil
	case kind == "users":
		u := &meta.PutUser{Name: f[1], Algorithm: auth.SHA256}
		if v.Password != nil {
			u.PasswordHash = auth.Hash(*v.Password)
		}
		if v.Tags != "" {
			u.Tags = strings.Split(v.Tags, ",")
		}
		return u, nil
	case kind == "vhosts" && del:
		return &meta.DeleteVHost{Name: f[1]}, nil
	case kind == "vhosts":
		return &meta.PutVHost{Name: f[1], Tracing: v.Tracing}, nil
	case kind == "permissions" && del:
		return &meta.ClearPermissions{VHost: f[1], User: f[2]}, nil
	case kind == "permissions":
		return &meta.SetPermissions{VHost: f[1], User: f[2], Configure: v.Configure, Write: v.Write, Read: v.Read}, nil
	case kind == "topic-permissions" && del:
		return &meta.ClearTopicPermissions{VHost: f[1], User: f[2], All: true}, nil
	case kind == "topic-permissions":
		return &meta.SetTopicPermissions{VHost: f[1], User: f[2], Exchange: v.Exchange, Write: v.Write, Read: v.Read}, nil
	case kind == "vhost-limits" && del:
		return &meta.SetVHostLimits{VHost: f[1]}, nil
	case kind == "vhost-limits":
		return &meta.SetVHostLimits{VHost: f[1], Limits: meta.Limits{f[2]: v.Value}}, nil
	case kind == "user-limits":
		return &meta.SetUserLimits{User: f[1], Limits: meta.Limits{f[2]: v.Value}}, nil
	case (kind == "policies" || kind == "operator-policies") && del:
		return &meta.DeletePolicy{VHost: f[1], Name: f[2], Operator: kind != "policies"}, nil
	case kind == "policies", kind == "operator-policies":
		p := &meta.SetPolicy{VHost: f[1], Name: f[2], Operator: kind != "policies", Pattern: v.Pattern, ApplyTo: v.ApplyTo, Definition: v.Definition}
		switch n := v.Priority.(type) {
		case float64:
			p.Priority = int64(n)
		case string: // the API's to refuse
			return nil, errors.New("Validation failed\n\npriority should be a number, actually was <<\"" + n + "\">>\n")
		}
		return p, nil
	}
	return nil, nil
}

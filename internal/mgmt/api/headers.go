package api

import (
	"net/http"
	"slices"
	"strconv"
)

// commonHeaders are those of every answer.
func (a *API) commonHeaders(w http.ResponseWriter, r *http.Request) {
	h, c := w.Header(), &a.Config
	h.Set("Vary", "accept, accept-encoding, origin")
	h.Set("Cache-Control", "no-cache")
	for name, value := range map[string]string{
		"Content-Security-Policy":   c.CSP,
		"Strict-Transport-Security": c.HSTS,
		"X-Content-Type-Options":    c.ContentType,
		"X-XSS-Protection":          c.XSSProtection,
		"X-Frame-Options":           c.FrameOptions,
		"Referrer-Policy":           c.Referrer,
	} {
		if value != "" {
			h.Set(name, value)
		}
	}
	a.allowOrigin(w, r)
}

// allowOrigin is management.cors: which other sites' pages may use the API with
// a user's credentials.
func (a *API) allowOrigin(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || len(a.Config.CORSOrigins) == 0 {
		return false
	}
	h := w.Header()
	switch {
	case slices.Contains(a.Config.CORSOrigins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	case slices.Contains(a.Config.CORSOrigins, "*"):
		// Anybody, but then without credentials that a browser adds by itself.
		h.Set("Access-Control-Allow-Origin", "*")
	default:
		return false
	}
	h.Set("Access-Control-Expose-Headers", "Location, ETag")
	return true
}

// foreign reports whether a browser sends the request for a page of another site
// that management.cors does not name. Such a page can make it send what changes
// something, with the password that it has kept.
func (a *API) foreign(w http.ResponseWriter, r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return !a.allowOrigin(w, r)
	}
	return false
}

// options answers OPTIONS, with which a browser asks what it may do.
func (a *API) options(w http.ResponseWriter, r *http.Request, routes map[string]*Route) {
	h := w.Header()
	h.Set("Allow", allow(routes))
	if a.allowOrigin(w, r) {
		h.Set("Access-Control-Max-Age", strconv.Itoa(a.Config.CORSMaxAge))
		if r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", allow(routes))
		}
		if hs := r.Header.Get("Access-Control-Request-Headers"); hs != "" {
			h.Set("Access-Control-Allow-Headers", hs)
		}
	}
	w.WriteHeader(http.StatusOK)
}

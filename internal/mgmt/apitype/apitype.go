// Package apitype holds the types of the HTTP API: what goes over the wire, and
// nothing else. Package api serves them, package client asks for them, and the
// OpenAPI document is made of them. Field names are RabbitMQ's.
package apitype

import (
	"encoding/json"
	"strconv"
)

// Error is the body of an answer that is not a success.
type Error struct {
	Error  string `json:"error"`
	Reason any    `json:"reason"`
}

// Page is the answer to a list that was asked for with the parameter page.
type Page[T any] struct {
	FilteredCount int `json:"filtered_count"`
	ItemCount     int `json:"item_count"`
	Items         []T `json:"items"`
	Page          int `json:"page"`
	PageCount     int `json:"page_count"`
	PageSize      int `json:"page_size"`
	TotalCount    int `json:"total_count"`
}

// Object is a JSON object whose members are not known beforehand.
type Object map[string]any

// Bool is a boolean that may also be written as "true" or "false", which
// scripts do.
type Bool bool

// UnmarshalJSON implements json.Unmarshaler.
func (b *Bool) UnmarshalJSON(raw []byte) error {
	switch string(raw) {
	case `true`, `"true"`:
		*b = true
	case `false`, `"false"`:
		*b = false
	default:
		return &ValueError{Kind: "not_boolean", Value: json.RawMessage(raw)}
	}
	return nil
}

// Int is an integer that may also be written as text.
type Int int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *Int) UnmarshalJSON(raw []byte) error {
	s := string(raw)
	if s == "null" {
		return nil
	}
	if len(s) > 2 && s[0] == '"' {
		s = s[1 : len(s)-1]
	}
	i, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return &ValueError{Kind: "not_integer", Value: json.RawMessage(raw)}
	}
	*n = Int(i)
	return nil
}

// ValueError is a value of the wrong kind, with RabbitMQ's word for it.
type ValueError struct {
	Kind  string
	Value json.RawMessage
}

func (e *ValueError) Error() string { return e.Kind + ": " + string(e.Value) }

package apitype

import (
	"encoding/json"
	"strings"
)

// Tags is a list of words, which may also be written as one text with commas.
type Tags []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Tags) UnmarshalJSON(raw []byte) error {
	*t = Tags{}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		for w := range strings.SplitSeq(text, ",") {
			if w = strings.TrimSpace(w); w != "" {
				*t = append(*t, w)
			}
		}
		return nil
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		return &ValueError{Kind: "not_tags", Value: json.RawMessage(raw)}
	}
	*t = append(*t, list...)
	return nil
}

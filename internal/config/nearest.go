package config

import "strings"

// unknown is the mistake of a key that is in no table.
func (b *build) unknown(k string) error {
	if near := nearest(k, b.keys); near != "" {
		return &unknownKey{"unknown key \"" + k + "\"; did you mean \"" + near + "\"?"}
	}
	return &unknownKey{"unknown key \"" + k + "\""}
}

type unknownKey struct{ text string }

func (e *unknownKey) Error() string { return e.text }

// nearest returns the known key that is most like k, if any is like it. Free
// parts of a key are compared with nothing.
func nearest(k string, keys []*key) string {
	best, at := "", max(4, len(k)/4)
	parts := strings.Split(k, ".")
	for _, e := range keys {
		name := e.name
		if e.free {
			name = fill(e.parts, parts)
		}
		if d := distance(k, name); d < at || d == at && name < best {
			best, at = name, d
		}
	}
	return best
}

// fill puts what stands in a mistaken key into the free parts of a known one.
func fill(pattern, parts []string) string {
	out := make([]string, len(pattern))
	for i, p := range pattern {
		out[i] = p
		if p[0] == '$' && i < len(parts) {
			out[i] = parts[i]
		}
	}
	return strings.Join(out, ".")
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, diag+1)
		}
	}
	return row[len(b)]
}

package meta

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// RabbitMQ's error texts print Erlang terms. These print the few kinds that occur.

// erlBinary formats a binary as ~p does: <<"text">>, or numbers if unprintable.
func erlBinary(b []byte) string {
	if len(b) == 0 {
		return "<<>>"
	}
	for _, c := range b {
		if c < 8 || c > 13 && c < 27 || c > 27 && c < 32 || c > 126 && c < 160 {
			var n []string
			for _, c := range b {
				n = append(n, strconv.Itoa(int(c)))
			}
			return "<<" + strings.Join(n, ",") + ">>"
		}
	}
	return "<<" + erlString(string(b)) + ">>"
}

// erlString formats a string as ~p does.
func erlString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\v", `\v`, "\f", `\f`, "\x1b", `\e`).Replace(s) + `"`
}

func erlFloat(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	mant, exp, ok := strings.Cut(s, "e")
	if !strings.Contains(mant, ".") {
		mant += ".0"
	}
	if !ok {
		return mant
	}
	return mant + "e" + strings.TrimPrefix(exp, "+")
}

// erlTerm formats a JSON value as ~p formats what RabbitMQ makes of it.
func erlTerm(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case string:
		return erlBinary([]byte(v))
	case json.Number:
		return v.String()
	case []any:
		l := make([]string, len(v))
		for i, e := range v {
			l[i] = erlTerm(e)
		}
		return "[" + strings.Join(l, ",") + "]"
	case map[string]any:
		if len(v) == 0 {
			return "#{}"
		}
		l := make([]string, 0, len(v))
		for k, e := range v {
			l = append(l, erlBinary([]byte(k))+" => "+erlTerm(e))
		}
		sort.Strings(l)
		return "#{" + strings.Join(l, ",") + "}"
	}
	return fmt.Sprint(v)
}

// ErlangTerm formats a JSON value as RabbitMQ's error texts do. Numbers are
// json.Number.
func ErlangTerm(v any) string { return erlTerm(v) }

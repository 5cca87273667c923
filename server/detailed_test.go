package server

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// The same traffic in each mode: what the lists of pairs say of it.
func TestRatesModeDetailed(t *testing.T) {
	for _, c := range []struct {
		mode string
		want []string
	}{
		{"basic", []string{"channel 1 publishes", "channel 2 deliveries", "shape.x incoming", "shape.x outgoing", "default incoming", "default outgoing", "shape.q incoming", "shape.qq incoming", "shape.qq deliveries"}},
		{"detailed", []string{
			"channel 1 publishes: (): publish 60 confirm 60 drop_unroutable 20 return_unroutable 20; (shape.x): publish 20 confirm 20",
			"channel 2 deliveries: (shape.q): ack 20 redeliver 1 deliver 21",
			"shape.x incoming: (1): publish 20 confirm 20",
			"shape.x outgoing: (shape.q): publish 20",
			"default incoming: (1): publish 60 confirm 60 drop_unroutable 20 return_unroutable 20",
			"default outgoing: (shape.qq): publish 20",
			"shape.q incoming: (shape.x): publish 20",
			"shape.qq incoming: (): publish 20",
			"shape.qq deliveries: (1): get_no_ack 20 get_empty 20",
		}},
	} {
		t.Run(c.mode, func(t *testing.T) {
			s := start(t, func(cfg *Config) { cfg.Management.RatesMode = c.mode })
			channel := "channels/" + url.PathEscape(traffic(t, s))
			var got []string
			for _, at := range []struct{ label, path, list string }{
				{"channel 1", channel + "%20(1)", "publishes"}, {"channel 2", channel + "%20(2)", "deliveries"},
				{"shape.x", "exchanges/%2F/shape.x", "incoming"}, {"shape.x", "exchanges/%2F/shape.x", "outgoing"},
				{"default", "exchanges/%2F/amq.default", "incoming"}, {"default", "exchanges/%2F/amq.default", "outgoing"},
				{"shape.q", "queues/%2F/shape.q", "incoming"}, {"shape.qq", "queues/%2F/shape.qq", "incoming"}, {"shape.qq", "queues/%2F/shape.qq", "deliveries"},
			} {
				got = append(got, at.label+" "+at.list+pairLines(ask(t, s, at.path), at.list))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// pairLines writes a list of pairs down: the other object, and the figures that
// are not zero.
func pairLines(object any, list string) string {
	var ls []string
	for _, row := range object.(map[string]any)[list].([]any) {
		row := row.(map[string]any)
		l := ""
		for _, kind := range []string{"exchange", "queue"} {
			if o, ok := row[kind].(map[string]any); ok {
				l = fmt.Sprintf("(%s):", o["name"])
			}
		}
		if o, ok := row["channel_details"].(map[string]any); ok {
			l = fmt.Sprintf("(%v):", o["number"])
		}
		for _, f := range []string{"publish", "confirm", "drop_unroutable", "return_unroutable", "ack", "redeliver", "deliver", "get_no_ack", "get_empty"} {
			if n, ok := row["stats"].(map[string]any)[f].(float64); ok && n > 0 {
				l += fmt.Sprintf(" %s %v", f, n)
			}
		}
		ls = append(ls, l)
	}
	if ls == nil {
		return ""
	}
	return ": " + strings.Join(ls, "; ")
}

package api

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

type testRow struct {
	Name  string         `json:"name"`
	VHost string         `json:"vhost"`
	Stats *testStats     `json:"message_stats,omitempty"`
	Args  map[string]any `json:"arguments"`
}

type testStats struct {
	Publish int `json:"publish"`
	Details struct {
		Rate float64 `json:"rate"`
	} `json:"publish_details"`
}

func listed(t *testing.T, f *fixture, query string, rows []testRow) string {
	t.Helper()
	f.api.tree = router{}
	f.api.tree.add(&Route{Method: "GET", Path: "/rows", Access: Open, Paged: true, Handle: func(rq *Request) error { return ListOf(rq, rows, "vhost", "name") }})
	w := httptest.NewRecorder()
	f.api.ServeHTTP(w, httptest.NewRequest("GET", "/api/rows?"+query, nil))
	raw, _ := io.ReadAll(w.Result().Body)
	if w.Code != http.StatusOK {
		return fmt.Sprintf("%d %s", w.Code, raw)
	}
	return string(raw)
}

func TestList(t *testing.T) {
	rate := func(n int, r float64) *testStats {
		s := &testStats{Publish: n}
		s.Details.Rate = r
		return s
	}
	rows := []testRow{
		{Name: "b", VHost: "/", Stats: rate(3, 0.5)},
		{Name: "a", VHost: "x", Args: map[string]any{"x-max-length": 5}},
		{Name: "Ab", VHost: "/", Stats: rate(1, 2)},
	}
	f := newFixture(t)
	for _, c := range []struct{ query, want string }{
		{"columns=name", `[{"name":"Ab"},{"name":"b"},{"name":"a"}]`},
		{"columns=name&sort=name", `[{"name":"Ab"},{"name":"a"},{"name":"b"}]`},
		{"columns=name&sort=name&sort_reverse=true", `[{"name":"b"},{"name":"a"},{"name":"Ab"}]`},
		{"columns=name&sort=message_stats.publish_details.rate", `[{"name":"a"},{"name":"b"},{"name":"Ab"}]`},
		{"columns=name&sort=arguments.x-max-length&sort_reverse=true", `[{"name":"a"},{"name":"b"},{"name":"Ab"}]`},
		{"columns=message_stats.publish_details.rate,name", `[{"name":"Ab","message_stats":{"publish_details":{"rate":2}}},{"name":"b","message_stats":{"publish_details":{"rate":0.5}}},{"name":"a"}]`},
		{"columns=arguments.x-max-length", `[{"arguments":[]},{"arguments":[]},{"arguments":{"x-max-length":5}}]`},
		{"columns=", `[[],[],[]]`},
		{"page=1&columns=name", `{"filtered_count":3,"item_count":3,"items":[{"name":"Ab"},{"name":"b"},{"name":"a"}],"page":1,"page_count":1,"page_size":100,"total_count":3}`},
		{"page=2&page_size=2&columns=name", `{"filtered_count":3,"item_count":1,"items":[{"name":"a"}],"page":2,"page_count":2,"page_size":2,"total_count":3}`},
		{"page=1&name=a&columns=name", `{"filtered_count":2,"item_count":2,"items":[{"name":"Ab"},{"name":"a"}],"page":1,"page_count":1,"page_size":100,"total_count":3}`},
		{"page=1&name=%5Eab?$&use_regex=true&columns=name", `{"filtered_count":2,"item_count":2,"items":[{"name":"Ab"},{"name":"a"}],"page":1,"page_count":1,"page_size":100,"total_count":3}`},
		{"page=x", `400 {"error":"bad_request","reason":"Pagination parameters are invalid"}`},
		{"page=1&page_size=x", `400 {"error":"bad_request","reason":"Pagination parameters are invalid"}`},
		{"page=1&page_size=501", `400 {"error":"invalid_pagination_parameters","reason":"Invalid pagination parameters: page number 1, page size 501"}`},
		{"page=0", `400 {"error":"invalid_pagination_parameters","reason":"Invalid pagination parameters: page number 0, page size undefined"}`},
		{"page=9", `400 {"error":"page_out_of_range","reason":"Page out of range, page: 9 page size: 100, len: 3"}`},
		{"page=9223372036854775807", `400 {"error":"page_out_of_range","reason":"Page out of range, page: 9223372036854775807 page size: 100, len: 3"}`},
		{"page=1&name=(&use_regex=true", `400 {"error":"bad_request","reason":"Pagination parameters are invalid"}`},
		{"page=1&name=" + strings.Repeat("x", 2000), `400 {"error":"bad_request","reason":"the name to filter by is too long"}`},
	} {
		if got := listed(t, f, c.query, rows); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.query, got, c.want)
		}
	}
	if got := listed(t, f, "page=1", nil); got != `{"filtered_count":0,"item_count":0,"items":[],"page":1,"page_count":0,"page_size":100,"total_count":0}` {
		t.Errorf("an empty page: %s", got)
	}
}

// TestListMakesOnlyWhatIsShown: a page of many rows makes the rows of the page.
func TestListMakesOnlyWhatIsShown(t *testing.T) {
	f := newFixture(t)
	made := 0
	f.api.tree = router{}
	f.api.tree.add(&Route{Method: "GET", Path: "/rows", Access: Open, Paged: true, Handle: func(rq *Request) error {
		return List(rq, Rows[testRow]{N: 10_000, Ordered: true,
			Row:   func(i int) testRow { made++; return testRow{Name: fmt.Sprint(i)} },
			Cheap: map[string]func(int) Key{"name": func(i int) Key { return Text(fmt.Sprint(i)) }, "vhost": func(int) Key { return Text("/") }}})
	}})
	for _, q := range []string{"page=1&page_size=50", "page=3&page_size=50&sort=name&sort_reverse=true", "page=1&page_size=50&name=7"} {
		made = 0
		w := httptest.NewRecorder()
		f.api.ServeHTTP(w, httptest.NewRequest("GET", "/api/rows?"+q, nil))
		if w.Code != http.StatusOK || made != 50 {
			t.Errorf("%s: status %d, %d rows made", q, w.Code, made)
		}
	}
}

func BenchmarkList(b *testing.B) {
	f := newFixture(b)
	rows := make([]testRow, 10_000)
	for i := range rows {
		rows[i] = testRow{Name: fmt.Sprintf("queue-%05d", i), VHost: "/", Stats: &testStats{Publish: i % 97}, Args: map[string]any{"x-max-length": i, "x-queue-type": "classic"}}
	}
	f.api.tree = router{}
	f.api.tree.add(&Route{Method: "GET", Path: "/rows", Access: Open, Paged: true, Handle: func(rq *Request) error { return ListOf(rq, rows, "vhost", "name") }})
	for _, q := range []string{"", "sort=message_stats.publish", "columns=name,message_stats.publish", "page=50&page_size=100&sort=message_stats.publish_details.rate"} {
		b.Run("query="+q, func(b *testing.B) {
			start := time.Now()
			for range b.N {
				w := httptest.NewRecorder()
				f.api.ServeHTTP(w, httptest.NewRequest("GET", "/api/rows?"+q, nil))
			}
			b.ReportMetric(float64(time.Since(start).Milliseconds())/float64(b.N), "ms/list")
		})
	}
}

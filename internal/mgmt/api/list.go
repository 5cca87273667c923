package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/warrenmq/warren/internal/auth/pattern"
)

// Rows is a list that a request wants to see, perhaps in part. Rows that are not
// shown are not made, if what they are sorted by is in Cheap.
type Rows[T any] struct {
	N int
	// Row makes row i as it is shown. It is called at most once for each.
	Row func(i int) T
	// Cheap gives the columns, by name, that can be had without making the row.
	// "name" should be among them.
	Cheap map[string]func(i int) Key
	// Order are the columns that the list is sorted by if the request says
	// nothing, and after what the request says; nil: vhost, name.
	Order []string
	// Ordered: the rows are in that order already.
	Ordered bool
}

// List answers with rows, as the request wants them. Paging is for routes that
// say Paged.
func List[T any](rq *Request, rows Rows[T]) error {
	l := &lister[T]{rq: rq, rows: rows, made: map[int]T{}}
	if rows.N > 0 && l.rows.Order == nil {
		l.rows.Order = []string{"vhost", "name"}
	}
	page, err := pageOf(rq)
	if err != nil {
		return err
	}
	l.order = make([]int, rows.N)
	for i := range l.order {
		l.order[i] = i
	}
	l.sort()
	if page == nil {
		body, err := l.items(nil, l.order)
		if err != nil {
			return err
		}
		writeJSON(rq.W, http.StatusOK, body)
		return nil
	}
	return l.page(page)
}

// ListOf is List of rows that are all made.
func ListOf[T any](rq *Request, rows []T, order ...string) error {
	return List(rq, Rows[T]{N: len(rows), Row: func(i int) T { return rows[i] }, Order: order})
}

type lister[T any] struct {
	rq    *Request
	rows  Rows[T]
	order []int
	made  map[int]T
}

func (l *lister[T]) row(i int) T {
	r, ok := l.made[i]
	if !ok {
		r = l.rows.Row(i)
		l.made[i] = r
	}
	return r
}

// key is the value of a column in a row.
func (l *lister[T]) key(i int, column string) Key {
	if f := l.rows.Cheap[column]; f != nil {
		return f(i)
	}
	return l.rq.API.keyOf(reflect.ValueOf(l.row(i)), strings.FieldsFunc(column, func(r rune) bool { return r == '.' }))
}

func (l *lister[T]) sort() {
	q := l.rq.URL.Query()
	by := l.rows.Order
	if s := q.Get("sort"); s != "" {
		by = slices.Concat([]string{s}, by)
	} else if l.rows.Ordered {
		by = nil
	}
	if len(by) == 0 {
		if q.Get("sort_reverse") == "true" {
			slices.Reverse(l.order)
		}
		return
	}
	s := sorter{order: l.order, width: len(by), keys: make([]Key, 0, len(by)*l.rows.N)}
	for i := range l.rows.N {
		for _, c := range by {
			s.keys = append(s.keys, l.key(i, c))
		}
	}
	s.sort(q.Get("sort_reverse") == "true")
}

// items writes the rows in their order. A row that was not needed for sorting is
// made here and not kept.
func (l *lister[T]) items(dst []byte, order []int) ([]byte, error) {
	want := parseColumns(l.rq.URL.Query())
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	buf.WriteByte('[')
	for n, i := range order {
		if n > 0 {
			buf.WriteByte(',')
		}
		row, ok := l.made[i]
		if !ok {
			row = l.rows.Row(i)
		}
		if want == nil {
			if err := enc.Encode(&row); err != nil {
				return nil, err
			}
			buf.Truncate(buf.Len() - 1) // the line's end
			continue
		}
		raw, err := l.rq.API.encode(buf.AvailableBuffer(), &row, want)
		if err != nil {
			return nil, err
		}
		buf.Write(raw)
	}
	buf.WriteByte(']')
	return buf.Bytes(), nil
}

// page answers with one page in its envelope.
func (l *lister[T]) page(p *paging) error {
	total := len(l.order)
	if p.match != nil {
		l.order = slices.DeleteFunc(l.order, func(i int) bool { return !p.match(l.key(i, "name").text) })
	}
	n := len(l.order)
	from := (p.number - 1) * p.size
	if p.number-1 > math.MaxInt/p.size || from > n {
		return &Error{http.StatusBadRequest, "page_out_of_range",
			fmt.Sprintf("Page out of range, page: %d page size: %d, len: %d", p.number, p.size, n)}
	}
	shown := l.order[from:min(from+p.size, n)]
	body := fmt.Appendf(nil, `{"filtered_count":%d,"item_count":%d,"items":`, n, len(shown))
	body, err := l.items(body, shown)
	if err != nil {
		return err
	}
	body = fmt.Appendf(body, `,"page":%d,"page_count":%d,"page_size":%d,"total_count":%d}`, p.number, (n+p.size-1)/p.size, p.size, total)
	writeJSON(l.rq.W, http.StatusOK, body)
	return nil
}

// paging is which part of a list is wanted.
type paging struct {
	number, size int
	match        func(name string) bool // nil: all
}

const (
	defaultPageSize = 100
	maxPageSize     = 500
	// maxNameFilter bounds the length of a filter. Go's regular expressions take
	// time in proportion to it and to the names.
	maxNameFilter = 1000
)

func pageOf(rq *Request) (*paging, error) {
	if !rq.Route.Paged {
		return nil, nil
	}
	q := rq.URL.Query()
	number, hasNumber, err := intParam(q, "page")
	if err != nil {
		return nil, err
	}
	size, hasSize, err := intParam(q, "page_size")
	if err != nil || !hasNumber {
		return nil, err
	}
	if !hasSize {
		size = defaultPageSize
	}
	if number < 1 || size < 1 || size > maxPageSize {
		shown := "undefined"
		if hasSize {
			shown = strconv.Itoa(size)
		}
		return nil, &Error{http.StatusBadRequest, "invalid_pagination_parameters",
			fmt.Sprintf("Invalid pagination parameters: page number %d, page size %s", number, shown)}
	}
	p := &paging{number: number, size: size}
	name := q.Get("name")
	switch {
	case name == "":
	case len(name) > maxNameFilter || !utf8.ValidString(name):
		return nil, BadRequest("the name to filter by is too long")
	case q.Get("use_regex") == "true":
		re, err := pattern.Compile("(?i)" + name)
		if err != nil {
			return nil, BadRequest("Pagination parameters are invalid")
		}
		p.match = re.Match
	default:
		name = strings.ToLower(name)
		p.match = func(s string) bool { return strings.Contains(strings.ToLower(s), name) }
	}
	return p, nil
}

func intParam(q url.Values, name string) (n int, ok bool, err error) {
	if !q.Has(name) {
		return 0, false, nil
	}
	if n, err = strconv.Atoi(q.Get(name)); err != nil {
		return 0, false, BadRequest("Pagination parameters are invalid")
	}
	return n, true, nil
}

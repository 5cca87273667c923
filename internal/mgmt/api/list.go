package api

import (
	"cmp"
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
	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

// Rows is a list that a request wants to see, perhaps in part. Rows that are not
// shown are not made, if what they are sorted by is in Cheap.
type Rows[T any] struct {
	N int
	// Row makes row i as it is shown. It is called at most once for each.
	Row func(i int) T
	// Brief is Row of what is used before it is called again; nil: Row.
	Brief func(i int) T
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
	if page == nil {
		l.sort(0, rows.N)
		w := &listWriter{rq: rq}
		if err := l.items(w, l.order); err != nil {
			return err
		}
		w.end()
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

// sort puts the rows in order, as far as those from one place to another are
// concerned.
func (l *lister[T]) sort(from, to int) {
	q := l.rq.URL.Query()
	by := l.rows.Order
	if s := q.Get("sort"); s != "" {
		by = slices.Concat([]string{s}, by)
	} else if l.rows.Ordered {
		by = nil
	}
	reverse := q.Get("sort_reverse") == "true"
	if len(by) == 0 {
		if reverse {
			slices.Reverse(l.order)
		}
		return
	}
	cols := columnKeys[T]{l: l, by: by}
	pick(l.order, from, to, func(i, j int) int {
		c := cmp.Or(cols.compare(i, j), cmp.Compare(i, j))
		if reverse {
			return -c
		}
		return c
	})
}

// columnKeys are the keys that rows are compared by, column by column. A column
// is looked at when those before it do not tell two rows apart.
type columnKeys[T any] struct {
	l    *lister[T]
	by   []string
	cols [][]Key // nil: all rows have the same
}

func (c *columnKeys[T]) compare(i, j int) int {
	for n := range c.by {
		if n == len(c.cols) {
			c.cols = append(c.cols, c.column(c.by[n]))
		}
		if ks := c.cols[n]; ks != nil {
			if d := ks[i].compare(ks[j]); d != 0 {
				return d
			}
		}
	}
	return 0
}

func (c *columnKeys[T]) column(name string) []Key {
	ks := make([]Key, c.l.rows.N)
	same := true
	for n, i := range c.l.order {
		ks[i] = c.l.key(i, name)
		same = same && (n == 0 || ks[i] == ks[c.l.order[0]])
	}
	if same {
		return nil
	}
	return ks
}

// items writes the rows in their order. A row that was not needed for sorting is
// made here and not kept.
func (l *lister[T]) items(w *listWriter, order []int) error {
	want := parseColumns(l.rq.URL.Query())
	w.buf = append(w.buf, '[')
	for n, i := range order {
		if n > 0 {
			w.buf = append(w.buf, ',')
		}
		row, ok := l.made[i]
		switch {
		case ok:
		case l.rows.Brief != nil:
			row = l.rows.Brief(i)
		default:
			row = l.rows.Row(i)
		}
		if a, ok := any(&row).(apitype.Appender); ok && want == nil {
			w.buf = a.AppendJSON(w.buf)
		} else {
			var err error
			if w.buf, err = l.rq.API.encode(w.buf, &row, want); err != nil {
				return w.fail(err)
			}
		}
		w.flush()
	}
	w.buf = append(w.buf, ']')
	return nil
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
	to := min(from+p.size, n)
	l.sort(from, to)
	shown := l.order[from:to]
	w := &listWriter{rq: l.rq, buf: fmt.Appendf(nil, `{"filtered_count":%d,"item_count":%d,"items":`, n, len(shown))}
	if err := l.items(w, shown); err != nil {
		return err
	}
	w.buf = fmt.Appendf(w.buf, `,"page":%d,"page_count":%d,"page_size":%d,"total_count":%d}`, p.number, (n+p.size-1)/p.size, p.size, total)
	w.end()
	return nil
}

// listWriter sends a list in pieces, so that a long one takes no memory. A short
// one is sent at once.
type listWriter struct {
	rq      *Request
	buf     []byte
	started bool
}

// listPiece is from how many bytes on a list is sent in pieces.
const listPiece = 256 << 10

func (w *listWriter) flush() {
	if len(w.buf) < listPiece || w.rq.Method == http.MethodHead {
		return
	}
	if !w.started {
		w.started = true
		w.rq.W.Header().Set("Content-Type", "application/json")
		w.rq.W.WriteHeader(http.StatusOK)
	}
	w.rq.W.Write(w.buf) // an error is the client's, who is gone
	w.buf = w.buf[:0]
}

// fail is for a row that cannot be written. What was sent cannot be taken back.
func (w *listWriter) fail(err error) error {
	if w.started {
		panic(http.ErrAbortHandler)
	}
	return err
}

func (w *listWriter) end() {
	if !w.started {
		writeJSON(w.rq.W, http.StatusOK, w.buf)
		return
	}
	w.rq.W.Write(w.buf)
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

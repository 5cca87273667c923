package wire

// TableView is the content of a table, still in its bytes: what follows the length. Looking into it allocates
// nothing. Use ValidateTable before trusting one from outside to be whole; damage hides what stands after it.
type TableView []byte

// Lookup finds the first value of a key.
func (t TableView) Lookup(key string) (ValueView, bool) {
	b := []byte(t)
	for len(b) > 0 {
		k, v, rest, err := nextField(b)
		if err != nil {
			break
		}
		if string(k) == key {
			return v, true
		}
		b = rest
	}
	return ValueView{}, false
}

// Table decodes the whole table.
func (t TableView) Table() (Table, error) { return ParseTable(t) }

// Iter goes through the fields in order.
func (t TableView) Iter() TableIter { return TableIter{rest: t} }

// AppendWithout adds the table's content to dst, without the fields of one key: BCC before a message is
// routed on, for instance.
func (t TableView) AppendWithout(dst []byte, key string) []byte {
	b := []byte(t)
	for len(b) > 0 {
		k, _, rest, err := nextField(b)
		if err != nil {
			return append(dst, b...) // damage stays as it is
		}
		if string(k) != key {
			dst = append(dst, b[:len(b)-len(rest)]...)
		}
		b = rest
	}
	return dst
}

// TableIter goes through a TableView:
//
//	it := t.Iter()
//	for it.Next() {
//		use(it.Key(), it.Value())
//	}
//	if it.Err() != nil { ... }
type TableIter struct {
	rest []byte
	key  []byte
	val  ValueView
	err  error
}

// Next moves on to the next field, or says that there is none.
func (it *TableIter) Next() bool {
	if len(it.rest) == 0 || it.err != nil {
		return false
	}
	it.key, it.val, it.rest, it.err = nextField(it.rest)
	return it.err == nil
}

// Key is the field's name, in the table's bytes.
func (it *TableIter) Key() []byte { return it.key }

// Value is the field's value.
func (it *TableIter) Value() ValueView { return it.val }

// Err is what ended the walk early.
func (it *TableIter) Err() error { return it.err }

// ArrayView is the content of an array, still in its bytes.
type ArrayView []byte

// Iter goes through the elements in order.
func (a ArrayView) Iter() ArrayIter { return ArrayIter{rest: a} }

// ArrayIter goes through an ArrayView as TableIter does through a TableView.
type ArrayIter struct {
	rest []byte
	val  ValueView
	err  error
}

// Next moves on to the next element, or says that there is none.
func (it *ArrayIter) Next() bool {
	if len(it.rest) == 0 || it.err != nil {
		return false
	}
	it.val, it.rest, it.err = nextValue(it.rest)
	return it.err == nil
}

// Value is the element.
func (it *ArrayIter) Value() ValueView { return it.val }

// Err is what ended the walk early.
func (it *ArrayIter) Err() error { return it.err }

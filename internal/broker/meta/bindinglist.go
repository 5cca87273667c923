package meta

type bindKey struct {
	source, dest, key, args string
	kind                    DestKind
}

// bindingNode is in the list of its source and in that of its destination, both
// in the order of creation, and can leave them at once.
type bindingNode struct {
	b                *Binding
	key              bindKey
	seq              uint64
	srcList, dstList *bindingList
	src, dst         link
}

type link struct{ prev, next *bindingNode }

type bindingList struct {
	first, last *bindingNode
	n           int
}

func (l *bindingList) add(n *bindingNode, at func(*bindingNode) *link) {
	at(n).prev = l.last
	if l.last == nil {
		l.first = n
	} else {
		at(l.last).next = n
	}
	l.last = n
	l.n++
}

func (l *bindingList) remove(n *bindingNode, at func(*bindingNode) *link) {
	k := at(n)
	if k.prev == nil {
		l.first = k.next
	} else {
		at(k.prev).next = k.next
	}
	if k.next == nil {
		l.last = k.prev
	} else {
		at(k.next).prev = k.prev
	}
	*k = link{}
	l.n--
}

func (l *bindingList) list(at func(*bindingNode) *link) []*Binding {
	if l.n == 0 {
		return nil
	}
	out := make([]*Binding, 0, l.n)
	for n := l.first; n != nil; n = at(n).next {
		out = append(out, n.b)
	}
	return out
}

func bySource(n *bindingNode) *link { return &n.src }

func byDest(n *bindingNode) *link { return &n.dst }

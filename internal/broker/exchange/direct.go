package exchange

import "hash/maphash"

// direct: the routing key equals the binding key.
type direct[D comparable] struct {
	seed maphash.Seed
	keys dict[list[D]]
}

func (x *direct[D]) bind(b *Binding[D]) index[D] {
	hash := maphash.String(x.seed, b.Key)
	l, _ := x.keys.get(hash, b.Key)
	return &direct[D]{x.seed, x.keys.with(hash, b.Key, l.with(b.Dest))}
}

func (x *direct[D]) unbind(b *Binding[D]) index[D] {
	hash := maphash.String(x.seed, b.Key)
	l, _ := x.keys.get(hash, b.Key)
	if l = l.without(indexOf(l.items, b.Dest)); len(l.items) == 0 {
		return &direct[D]{x.seed, x.keys.without(hash, b.Key)}
	}
	return &direct[D]{x.seed, x.keys.with(hash, b.Key, l)}
}

func (x *direct[D]) route(dst []D, key []byte, _ HeaderLookup) []D {
	l, _ := x.keys.get(maphash.Bytes(x.seed, key), view(key))
	return append(dst, l.items...)
}

// fanout: every binding.
type fanout[D comparable] struct {
	dests list[D]
}

func (x *fanout[D]) bind(b *Binding[D]) index[D] { return &fanout[D]{x.dests.with(b.Dest)} }

func (x *fanout[D]) unbind(b *Binding[D]) index[D] {
	return &fanout[D]{x.dests.without(indexOf(x.dests.items, b.Dest))}
}

func (x *fanout[D]) route(dst []D, _ []byte, _ HeaderLookup) []D {
	return append(dst, x.dests.items...)
}

package meta

import (
	"encoding/base64"
	"hash/fnv"
	"slices"
)

// PropertiesKey identifies a binding among those of the same source and
// destination in the HTTP API: its routing key and a hash of its arguments.
func (b *Binding) PropertiesKey() string {
	if len(b.Args) == 0 {
		if b.Key == "" {
			return "~"
		}
		return escapeKey(b.Key)
	}
	h := fnv.New32a()
	h.Write([]byte(b.Args.canonical()))
	return escapeKey(b.Key) + "~" + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// escapeKey escapes as RabbitMQ does: a blank is a plus sign, and what is no
// letter, digit, dot, dash or underscore is two hexadecimal digits.
func escapeKey(s string) string {
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
			out = append(out, c)
		case c == ' ':
			out = append(out, '+')
		default:
			out = append(out, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(out)
}

// CheckBind is what is refused between the permission on the destination and
// that on the source.
func CheckBind(c *Bind) error {
	if c.Source == "" || c.DestKind == ToExchange && c.Dest == "" {
		return errDefaultExchange
	}
	return nil
}

// ends finds both ends of a binding: the source first, as RabbitMQ complains.
func (s *State) ends(c *Bind) (v *vhost, src *exchangeNode, dst *exchangeNode, q *queueNode, err error) {
	if v = s.vhost(c.VHost); v == nil {
		return nil, nil, nil, nil, noVHost(c.VHost)
	}
	if src = v.exchanges[c.Source]; src == nil {
		return v, nil, nil, nil, noExchange(c.VHost, c.Source)
	}
	if c.DestKind == ToExchange {
		if dst = v.exchanges[c.Dest]; dst == nil {
			err = noExchange(c.VHost, c.Dest)
		}
		return v, src, dst, nil, err
	}
	if q = v.queues[c.Dest]; q == nil {
		err = noQueue(c.VHost, c.Dest)
	}
	return v, src, nil, q, err
}

func (s *State) bind(c *Bind, r *Result) error {
	if err := CheckBind(c); err != nil {
		return err
	}
	if err := c.Args.Check(); err != nil {
		return errf(InternalError, "%v", err)
	}
	v, src, dst, q, err := s.ends(c)
	if err != nil {
		return err
	}
	if !s.replaying {
		if err := checkBinding(src.x, c); err != nil {
			return err
		}
		if q != nil {
			if err := CheckAccess(q.q, c.Conn); err != nil {
				return err
			}
		}
	}
	key := bindKey{c.Source, c.Dest, c.Key, c.Args.canonical(), c.DestKind}
	if v.bindings[key] != nil {
		r.Existed = true
		return nil
	}
	b := &Binding{VHost: c.VHost, Source: c.Source, DestKind: c.DestKind, Dest: c.Dest, Key: c.Key, Args: slices.Clone(c.Args)}
	s.seq++
	n := &bindingNode{b: b, key: key, seq: s.seq, srcList: &src.from}
	if q != nil {
		b.Durable = src.x.Durable && q.q.Durable
		n.dstList = &q.to
	} else {
		b.Durable = src.x.Durable && dst.x.Durable
		n.dstList = &dst.to
	}
	v.bindings[key] = n
	n.srcList.add(n, bySource)
	n.dstList.add(n, byDest)
	r.add(Change{Kind: BindingAdded, VHost: c.VHost, Binding: b})
	if b.Durable {
		r.log(c)
	}
	return nil
}

// checkBinding is what the type of the source demands.
func checkBinding(x *Exchange, c *Bind) error {
	if x.Type != "headers" {
		return nil
	}
	m, ok := c.Args.Get("x-match")
	if !ok {
		return nil
	}
	t, ok := m.Str()
	if !ok {
		return errf(PreconditionFailed, "Invalid x-match field type %s (value %s); expected longstr", m.Type(), m)
	}
	switch t {
	case "all", "any", "all-with-x", "any-with-x":
		return nil
	}
	return errf(PreconditionFailed, "Invalid x-match field value %s; expected all, any, all-with-x, or any-with-x", m)
}

func (s *State) unbind(c *Unbind, r *Result) error {
	b := (*Bind)(c)
	if err := CheckBind(b); err != nil {
		return err
	}
	v, src, _, q, err := s.ends(b)
	if v == nil && !s.replaying {
		return err
	}
	if err != nil {
		return nil // nothing there that could be bound
	}
	n := v.bindings[bindKey{c.Source, c.Dest, c.Key, c.Args.canonical(), c.DestKind}]
	if n == nil {
		return nil
	}
	if q != nil && !s.replaying {
		if err := CheckAccess(q.q, c.Conn); err != nil {
			return err
		}
	}
	r.Existed = true
	if n.b.Durable {
		r.log(c)
	}
	v.dropBinding(n, r)
	s.autoDelete(v, []string{src.x.Name}, r)
	return nil
}

// dropBinding removes one binding, without consequences. Its ends may have left
// the maps already.
func (v *vhost) dropBinding(n *bindingNode, r *Result) {
	delete(v.bindings, n.key)
	n.srcList.remove(n, bySource)
	n.dstList.remove(n, byDest)
	r.add(Change{Kind: BindingRemoved, VHost: v.info.Name, Binding: n.b})
}

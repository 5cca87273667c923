package meta

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// A snapshot is
//
//	"WMET" version byte (1)
//	uvarint largest queue id ever
//	uvarint count of commands, and for each: uvarint length, command (codec.go)
//
// The commands make the durable definitions anew through Replay. Whether the
// bytes are whole is for whoever keeps them to know (checksums).
const snapshotMagic = "WMET"

// SnapshotVersion is that of the snapshot's frame.
const SnapshotVersion = 1

// Snapshot returns the durable definitions. Equal definitions give equal bytes.
func (s *State) Snapshot() []byte {
	var body, one []byte
	count := 0
	put := func(c Command) {
		one = appendCommand(one[:0], c)
		body = append(binary.AppendUvarint(body, uint64(len(one))), one...)
		count++
	}
	s.commands(false, put)
	out := append([]byte(snapshotMagic), SnapshotVersion)
	out = binary.AppendUvarint(out, s.maxID)
	out = binary.AppendUvarint(out, uint64(count))
	return append(out, body...)
}

// Clone returns a copy, what is not durable included, on which commands can be
// tried. It costs about as much as a restart.
func (s *State) Clone() *State {
	fresh := NewWith(s.opt)
	s.commands(true, func(c Command) {
		if err := fresh.Replay(c); err != nil {
			panic(fmt.Sprintf("meta: a definition cannot be made again: %T: %v", c, err))
		}
	})
	fresh.maxID, fresh.authVer = s.maxID, s.authVer
	return fresh
}

// commands puts out the commands that make the definitions anew: the durable
// ones, or all.
func (s *State) commands(all bool, put func(Command)) {
	for g := range s.globals.all() {
		put(&SetGlobalParameter{g.Name, g.Value})
	}
	for u := range s.Users() {
		put(&PutUser{u.Name, u.PasswordHash, u.Algorithm, u.Tags})
		if len(u.Limits) > 0 {
			put(&SetUserLimits{u.Name, u.Limits})
		}
	}
	for v := range s.vhosts.all() {
		s.vhostCommands(v, all, put)
	}
}

func (s *State) vhostCommands(v *vhost, all bool, put func(Command)) {
	i := v.info
	put(&PutVHost{i.Name, i.Description, i.Tags, i.DefaultQueueType, i.Tracing, i.Protected})
	if len(i.Limits) > 0 {
		put(&SetVHostLimits{i.Name, i.Limits})
	}
	for u := range s.Users() {
		if p := v.perms[u.Name]; p != nil {
			put(&SetPermissions{p.User, p.VHost, p.Configure, p.Write, p.Read})
		}
		for _, t := range s.TopicPermissions(u.Name, i.Name) {
			put(&SetTopicPermissions{t.User, t.VHost, t.Exchange, t.Write, t.Read})
		}
	}
	for p := range v.params.all() {
		put(&SetParameter{p.VHost, p.Component, p.Name, p.Value})
	}
	for _, operator := range []bool{false, true} {
		for p := range v.policySet(operator).all() {
			put(&SetPolicy{p.VHost, p.Name, operator, p.Pattern, p.ApplyTo, p.Priority, p.Definition})
		}
	}
	var bindings []*bindingNode
	for x := range v.xorder.all() {
		if (all || x.x.Durable) && !isBuiltin(x.x.Name) {
			put(&DeclareExchange{VHost: i.Name, Name: x.x.Name, Type: x.x.Type, Durable: x.x.Durable, AutoDelete: x.x.AutoDelete,
				Internal: x.x.Internal, Args: x.x.Args, User: x.x.User})
		}
		for n := x.from.first; n != nil; n = n.src.next {
			if all || n.b.Durable {
				bindings = append(bindings, n)
			}
		}
	}
	for n := range v.qorder.all() {
		if q := n.q; all || q.Durable {
			put(&DeclareQueue{VHost: i.Name, Name: q.Name, Durable: q.Durable, AutoDelete: q.AutoDelete, Exclusive: q.Exclusive,
				Owner: q.Owner, Args: q.Args, ID: q.ID, User: q.User})
		}
	}
	slices.SortFunc(bindings, func(a, b *bindingNode) int { return int(int64(a.seq - b.seq)) })
	for _, n := range bindings {
		b := n.b
		put(&Bind{VHost: i.Name, Source: b.Source, DestKind: b.DestKind, Dest: b.Dest, Key: b.Key, Args: b.Args})
	}
}

func isBuiltin(name string) bool {
	return slices.ContainsFunc(builtinExchanges, func(x Exchange) bool { return x.Name == name })
}

// Restore replaces everything by what a snapshot says. After an error s is
// unchanged.
func (s *State) Restore(b []byte) error {
	if len(b) < len(snapshotMagic)+1 || string(b[:len(snapshotMagic)]) != snapshotMagic {
		return fmt.Errorf("%w: not a snapshot", ErrMalformed)
	}
	if v := b[len(snapshotMagic)]; v != SnapshotVersion {
		return fmt.Errorf("%w (snapshot %d)", ErrVersion, v)
	}
	r := codec{buf: b[len(snapshotMagic)+1:]}
	var maxID, count uint64
	r.uint(&maxID)
	if r.end() {
		return fmt.Errorf("%w: the snapshot is cut", ErrMalformed)
	}
	r.uint(&count)
	fresh := NewWith(s.opt)
	for i := range count {
		if r.end() {
			return fmt.Errorf("%w: the snapshot is cut at command %d of %d", ErrMalformed, i, count)
		}
		one := r.take()
		if r.err != nil {
			return fmt.Errorf("%w: the snapshot is cut at command %d of %d", ErrMalformed, i, count)
		}
		c, err := Unmarshal(one)
		if err != nil {
			return fmt.Errorf("snapshot, command %d: %w", i, err)
		}
		if err := fresh.Replay(c); err != nil {
			return fmt.Errorf("snapshot, command %d (%T): %w", i, c, err)
		}
	}
	if r.err != nil || len(r.buf) > 0 {
		return fmt.Errorf("%w: the snapshot does not end where it should", ErrMalformed)
	}
	fresh.maxID = max(fresh.maxID, maxID)
	fresh.authVer += s.authVer + 1
	*s = *fresh
	return nil
}

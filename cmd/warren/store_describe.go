package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"path"
	"reflect"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/store/segment"
	"github.com/warrenmq/warren/internal/vfs"
)

// Kinds of records that the broker writes beside those of its queues
// (docs/format/records.md).
const (
	kindCommand  store.Kind = 16
	kindSync     store.Kind = 17
	kindCommands store.Kind = 18
)

func kindName(k store.Kind) string {
	switch k {
	case kindCommand:
		return "command"
	case kindSync:
		return "sync"
	case kindCommands:
		return "commands"
	}
	return queueproc.KindName(k)
}

// describer says what records mean. It knows the names of the queues that the
// checkpoint holds or whose declarations it has seen.
type describer struct {
	queues map[uint64]string
}

func newDescriber(fs vfs.FS, dir string) *describer {
	d := &describer{queues: map[uint64]string{}}
	var blob []byte
	_, err := store.ReadCheckpoint(fs, path.Join(dir, store.CheckpointName), func(b []byte) error {
		blob = append(blob, b...)
		return nil
	})
	// Without a checkpoint, or with a damaged one, queues have numbers only.
	if err != nil || len(blob) < 9 {
		return d
	}
	n, k := binary.Uvarint(blob[9:])
	if k <= 0 || n > uint64(len(blob)-9-k) {
		return d
	}
	defs := meta.New()
	if defs.Restore(blob[9+k:][:n]) != nil {
		return d
	}
	for v := range defs.VHosts() {
		for q := range defs.Queues(v.Name) {
			d.queues[q.ID] = queueLabel(q.VHost, q.Name)
		}
	}
	return d
}

func queueLabel(vhost, name string) string {
	if vhost == "/" {
		return strconv.Quote(name)
	}
	return strconv.Quote(vhost + ":" + name)
}

func (d *describer) describe(k store.Kind, group uint64, payload []byte) string {
	switch k {
	case kindCommands:
		var parts []string
		for len(payload) > 0 {
			n, w := binary.Uvarint(payload)
			if w <= 0 || n > uint64(len(payload)-w) {
				return "commands cut short"
			}
			parts = append(parts, d.describe(kindCommand, group, payload[w:w+int(n)]))
			payload = payload[w+int(n):]
		}
		return strings.Join(parts, "; ")
	case kindCommand:
		c, err := meta.Unmarshal(payload)
		if err != nil {
			return "malformed: " + err.Error()
		}
		if q, ok := c.(*meta.DeclareQueue); ok {
			d.queues[q.ID] = queueLabel(q.VHost, q.Name)
		}
		return describeCommand(c)
	case kindSync:
		return ""
	}
	s := queueproc.Describe(k, payload)
	if name := d.queues[group]; name != "" && s != "" {
		s = "queue=" + name + " " + s
	}
	return s
}

// describeCommand prints a command's name and the fields that are set, but no
// secrets: of password hashes and of parameters, whose addresses may carry
// passwords, only that they are there.
func describeCommand(c meta.Command) string {
	v := reflect.ValueOf(c).Elem()
	var s strings.Builder
	s.WriteString(v.Type().Name())
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		if f.IsZero() {
			continue
		}
		s.WriteString(" " + name)
		switch x := f.Interface().(type) {
		case bool:
		case string:
			if name == "PasswordHash" {
				x = "…"
			}
			fmt.Fprintf(&s, "=%q", x)
		case meta.Args:
			var keys []string
			for k := range x.All() {
				keys = append(keys, k)
			}
			fmt.Fprintf(&s, "=%q", keys)
		case []byte:
			fmt.Fprintf(&s, "=(%d bytes)", len(x))
		default:
			fmt.Fprintf(&s, "=%v", x)
		}
	}
	return s.String()
}

// kindFilter passes on the lines of a dump whose second word is kind, and
// those that tell of damage. Kind "" is all.
type kindFilter struct {
	w    io.Writer
	kind string
	part []byte // of a line that is not complete
}

// newKindFilter takes a kind's name or number.
func newKindFilter(w io.Writer, kind string) (*kindFilter, error) {
	f := &kindFilter{w: w, kind: kind}
	if kind == "" || isOwn(kind) {
		return f, nil
	}
	n, err := strconv.ParseUint(kind, 10, 8)
	var known []string
	for k := store.Kind(1); k <= segment.MaxKind; k++ {
		name := kindName(k)
		switch {
		case name == "":
		case name == kind:
			return f, nil
		case err == nil && uint64(k) == n:
			f.kind = name
			return f, nil
		default:
			known = append(known, name)
		}
	}
	if err == nil {
		return f, nil
	}
	return nil, fmt.Errorf("unknown kind %q: want a number or one of %s, mark, seal, close", kind, strings.Join(known, ", "))
}

// isOwn reports whether a kind is one that the log writes for itself.
func isOwn(kind string) bool { return kind == "mark" || kind == "seal" || kind == "close" }

// Write implements io.Writer.
func (f *kindFilter) Write(p []byte) (int, error) {
	if f.kind == "" {
		return f.w.Write(p)
	}
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			f.part = append(f.part, p...)
			return n, nil
		}
		line := append(f.part, p[:i+1]...)
		f.part, p = f.part[:0], p[i+1:]
		words := bytes.SplitN(line, []byte(" "), 3)
		if string(words[0]) != "damage" && (len(words) < 2 || string(bytes.TrimSpace(words[1])) != f.kind) {
			continue
		}
		if _, err := f.w.Write(line); err != nil {
			return 0, err
		}
	}
}

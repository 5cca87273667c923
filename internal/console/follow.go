package console

import (
	"bytes"
	"fmt"
	"io"

	"github.com/warrenmq/warren/internal/hosts"
	"github.com/warrenmq/warren/internal/hosts/record"
)

// follower prints what is new in a task: lines of output, and how hosts end.
// It goes by what it has printed, not by what has happened, so that it does
// not mind when the view is read anew.
type follower struct {
	out   io.Writer
	raw   bool
	only  string
	shown map[string]*shown
}

// shown is what was printed of a host.
type shown struct {
	bytes   int64
	partial map[string][]byte // of each stream: a line that has no end yet
	final   bool
}

func (f *follower) show(v *record.View) {
	for _, h := range v.Hosts {
		if f.only != "" && h.Name != f.only && h.As != f.only {
			continue
		}
		s := f.shown[h.Name]
		if s == nil {
			s = &shown{partial: map[string][]byte{}}
			f.shown[h.Name] = s
		}
		if h.Bytes == s.bytes && (s.final || !h.State.Final()) {
			continue
		}
		prefix := label(h) + " | "
		if f.raw || len(v.Hosts) == 1 || f.only != "" {
			prefix = ""
		}
		for _, c := range h.From(s.bytes) {
			f.print(s, prefix, c)
		}
		s.bytes = h.Bytes
		if h.State.Final() && !s.final {
			s.final = true
			for _, stream := range []string{"stdout", "stderr"} {
				f.line(prefix, s.partial[stream])
				s.partial[stream] = nil
			}
			if !f.raw {
				fmt.Fprintf(f.out, "%s  %s\n", label(h), hostLine(v, h, nil))
			}
		}
	}
}

// print prints the lines that are complete.
func (f *follower) print(s *shown, prefix string, c record.Chunk) {
	if f.raw {
		f.out.Write(c.Data)
		return
	}
	i := bytes.LastIndexByte(c.Data, '\n')
	if i >= 0 {
		f.line(prefix, append(s.partial[c.Stream], c.Data[:i+1]...))
		s.partial[c.Stream] = nil
	}
	s.partial[c.Stream] = append(s.partial[c.Stream], c.Data[i+1:]...)
}

func (f *follower) line(prefix string, data []byte) {
	if len(data) == 0 {
		return
	}
	for line := range bytes.Lines([]byte(hosts.Printable(data))) {
		fmt.Fprintf(f.out, "%s%s\n", prefix, bytes.TrimSuffix(line, []byte("\n")))
	}
}

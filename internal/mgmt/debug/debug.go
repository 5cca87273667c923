// Package debug is the pages for whoever looks into a running node: profiles,
// and plain lists of connections, queues, and of what waits for the disk. It
// checks no rights: who serves it does.
package debug

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/stats"
)

// Handler serves the pages below prefix, "/debug" say.
func Handler(prefix string, b *broker.Broker, s *stats.Sampler) http.Handler {
	mux := http.NewServeMux()
	page := func(path string, write func(io.Writer, *http.Request)) {
		mux.HandleFunc("GET "+prefix+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			out := bufio.NewWriter(w)
			defer out.Flush()
			write(out, r)
		})
	}
	page("/{$}", func(w io.Writer, _ *http.Request) { index(w, prefix) })
	page("/connections", func(w io.Writer, _ *http.Request) { connections(w, b) })
	page("/queues", func(w io.Writer, r *http.Request) { queues(w, b, r) })
	page("/commits", func(w io.Writer, _ *http.Request) { commits(w, b) })
	page("/memory", func(w io.Writer, _ *http.Request) { memory(w, b, s) })
	for name, h := range map[string]http.HandlerFunc{"cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace} {
		mux.HandleFunc("GET "+prefix+"/pprof/"+name, h)
	}
	for _, name := range profiles() {
		mux.Handle("GET "+prefix+"/pprof/"+name, pprof.Handler(name))
	}
	return mux
}

func profiles() []string {
	return []string{"allocs", "block", "goroutine", "heap", "mutex", "threadcreate"}
}

func index(w io.Writer, prefix string) {
	fmt.Fprintf(w, "Warren, from inside. All pages are text; profiles are for \"go tool pprof\".\n\n")
	for _, p := range [][2]string{
		{"/connections", "connections: state, channels, what they sent and hold"},
		{"/queues", "queues that are not empty or have consumers, the longest first (all=true: all of them)"},
		{"/commits", "the log: what waits to be written, how long syncs take, its segments"},
		{"/memory", "what memory is used for"},
		{"/pprof/goroutine?debug=2", "what every goroutine is doing"},
		{"/pprof/profile?seconds=10", "profile of the CPU"},
		{"/pprof/trace?seconds=2", "execution trace"},
	} {
		fmt.Fprintf(w, "%-28s %s\n", prefix+p[0], p[1])
	}
	for _, n := range profiles() {
		fmt.Fprintf(w, "%s/pprof/%s\n", prefix, n)
	}
}

func connections(w io.Writer, b *broker.Broker) {
	type row struct {
		i broker.SessionInfo
		t broker.Traffic
	}
	var rows []row
	for _, s := range b.Sessions() {
		rows = append(rows, row{s.Info(), s.Traffic()})
	}
	slices.SortFunc(rows, func(x, y row) int { return strings.Compare(x.i.Name, y.i.Name) })
	fmt.Fprintf(w, "%d connections\n\n", len(rows))
	for _, r := range rows {
		fmt.Fprintf(w, "%s %s user=%q vhost=%q since=%s in=%d out=%d waits=%d\n", r.i.Name, r.i.State, r.i.UserName, r.i.VHost,
			r.i.ConnectedAt.UTC().Format(time.RFC3339), r.t.RecvBytes, r.t.SendBytes, r.t.SendPending)
		if r.i.Client == nil {
			continue
		}
		for _, ch := range r.i.Client.Channels() {
			channel(w, ch)
		}
	}
}

func channel(w io.Writer, ch *broker.Channel) {
	cs, ok := ch.Outlet().(broker.ChannelSession)
	if !ok {
		return
	}
	i := cs.Info()
	sent, waiting := ch.Sent()
	fmt.Fprintf(w, "  channel %d published=%d confirmed=%d unconfirmed=%d consumers=%d unacked=%d prefetch=%d/%d delivered=%d acked=%d\n",
		i.Number, sent.Published, sent.Confirmed, waiting, i.Consumers, i.Unacked, i.Prefetch, i.GlobalPrefetch, i.Received.DeliverGet(), i.Received.Acked)
}

func queues(w io.Writer, b *broker.Broker, r *http.Request) {
	all := r.URL.Query().Get("all") == "true"
	type row struct {
		q *broker.Queue
		b queueproc.Backlog
	}
	var rows []row
	total := 0
	for _, v := range b.VHosts() {
		for _, q := range v.Queues() {
			l := q.Backlog()
			if total++; all || l.Ready+l.Unacked+l.Consumers > 0 {
				rows = append(rows, row{q, l})
			}
		}
	}
	slices.SortFunc(rows, func(x, y row) int {
		return cmp.Or(cmp.Compare(y.b.Ready+y.b.Unacked, x.b.Ready+x.b.Unacked), strings.Compare(x.q.Name, y.q.Name))
	})
	fmt.Fprintf(w, "%d queues, %d shown\n\n", total, len(rows))
	for _, r := range rows {
		i := r.q.Info()
		fmt.Fprintf(w, "%s in %q id=%d ready=%d (in memory %d) unacked=%d consumers=%d memory=%d stalled=%dms %+v\n", strconv.Quote(r.q.Name), r.q.VHost, r.q.ID,
			i.Ready, i.ReadyInMemory, i.Unacked, i.Consumers, i.Memory, i.Stalled, i.Counters)
		for _, c := range r.q.Consumers() {
			fmt.Fprintf(w, "  consumer %q active=%v unacked=%d prefetch=%d full=%v gated=%v\n", c.Tag, c.Active, c.Unacked, c.Prefetch, c.Full, c.Gated)
		}
	}
}

func commits(w io.Writer, b *broker.Broker) {
	s := b.StoreStats()
	fmt.Fprintf(w, "waiting to be written  %d bytes\nrecords                %d, %d bytes\ncommits                %d\nsyncs                  %d, last %v\n",
		s.Pending, s.Records, s.Bytes, s.Commits, s.Syncs, s.SyncLast)
	if s.Syncs > 0 {
		fmt.Fprintf(w, "sync, mean             %v\n", s.SyncTotal/time.Duration(s.Syncs))
	}
	fmt.Fprintf(w, "live                   %d records, %d bytes of %d on disk\ncheckpoints            %d, failed %d, newest from %v\nsegments freed         %d, evacuations %d, dangling %d\n",
		s.LiveRecords, s.LiveBytes, s.DiskBytes, s.Checkpoints, s.CheckpointsFailed, s.CheckpointStart, s.SegmentsFreed, s.Evacuations, s.Dangling)
	if s.Blocked != "" {
		fmt.Fprintf(w, "BLOCKED                %s\n", s.Blocked)
	}
	if s.Err != nil {
		fmt.Fprintf(w, "FAILED                 %v\n", s.Err)
	}
	fmt.Fprintf(w, "\nsyncs by duration\n")
	for i, n := range s.SyncHist {
		if n > 0 {
			fmt.Fprintf(w, "  < %-10v %d\n", time.Duration(1<<i)*time.Microsecond, n)
		}
	}
	fmt.Fprintf(w, "\nsegments\n")
	for _, g := range b.StoreSegments() {
		fmt.Fprintf(w, "  %d: %d live records, %d of %d bytes\n", g.Number, g.Live, g.LiveBytes, g.DiskBytes)
	}
}

func memory(w io.Writer, b *broker.Broker, s *stats.Sampler) {
	p := s.Process()
	fmt.Fprintf(w, "resident          %d bytes\nof the Go runtime %d\nheap in use       %d\nstacks            %d\nfree, kept        %d\nruntime's own     %d\nwaiting messages  %d\nhistories         %d\ngoroutines        %d\nopen files        %d of %d\n",
		p.RSS, p.GoTotal, p.Heap, p.Stacks, p.HeapFree, p.OtherGo, b.MemoryHeld(), s.Held(), p.Goroutines, p.FDs, p.FDLimit)
}

package apitype

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// Lists of queues, connections and channels can have tens of thousands of rows,
// so these are written without reflection. What comes out is what encoding/json
// would write; a test compares.

// Appender is what writes itself as JSON.
type Appender interface{ AppendJSON(dst []byte) []byte }

// object is a JSON object under way.
type object struct{ b []byte }

func (o *object) key(k string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), k...), '"', ':')
}

func (o *object) text(k, v string) {
	o.key(k)
	o.b = AppendText(o.b, v)
}

func (o *object) textOr(k string, v *string) {
	o.key(k)
	if v == nil {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = AppendText(o.b, *v)
}

func (o *object) int(k string, v int64) {
	o.key(k)
	o.b = strconv.AppendInt(o.b, v, 10)
}

func (o *object) intOr(k string, v *int64) {
	o.key(k)
	if v == nil {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = strconv.AppendInt(o.b, *v, 10)
}

func (o *object) uint(k string, v uint64) {
	o.key(k)
	o.b = strconv.AppendUint(o.b, v, 10)
}

func (o *object) bool(k string, v bool) {
	o.key(k)
	o.b = strconv.AppendBool(o.b, v)
}

func (o *object) float(k string, v float64) {
	o.key(k)
	o.b = appendFloat(o.b, v)
}

func (o *object) raw(k string, v json.RawMessage) {
	o.key(k)
	if v == nil {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = append(o.b, v...)
}

// any is for values that are seldom anything but text or JSON.
func (o *object) any(k string, v any) {
	switch v := v.(type) {
	case json.RawMessage:
		o.raw(k, v)
	case string:
		o.text(k, v)
	case nil:
		o.key(k)
		o.b = append(o.b, "null"...)
	default:
		o.key(k)
		o.b = appendAny(o.b, v)
	}
}

func (o *object) detail(k string, d *Detail) {
	o.key(k)
	o.b = append(o.b, `{"rate":`...)
	o.b = appendFloat(o.b, d.Rate)
	if len(d.Samples) > 0 {
		o.key("samples")
		for i := range d.Samples {
			s := &d.Samples[i]
			if o.b = append(o.b, ','); i == 0 {
				o.b[len(o.b)-1] = '['
			}
			o.b = appendFloat(append(o.b, `{"sample":`...), s.Sample)
			o.b = strconv.AppendInt(append(o.b, `,"timestamp":`...), s.Timestamp, 10)
			o.b = append(o.b, '}')
		}
		o.b = append(o.b, ']')
	}
	if d.AvgRate != nil {
		o.float("avg_rate", *d.AvgRate)
	}
	if d.Avg != nil {
		o.float("avg", *d.Avg)
	}
	o.b = append(o.b, '}')
}

// count is a count with its detail.
func (o *object) count(k, kd string, n int64, d *Detail) {
	o.int(k, n)
	o.detail(kd, d)
}

// AppendText appends a string as JSON.
func AppendText(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return appendAny(dst, s)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

func appendAny(dst []byte, v any) []byte {
	w := bytes.NewBuffer(dst)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return append(dst, "null"...)
	}
	return bytes.TrimSuffix(w.Bytes(), []byte("\n"))
}

// appendFloat writes numbers as encoding/json does.
func appendFloat(dst []byte, f float64) []byte {
	if f == 0 {
		return appendZero(dst, f)
	}
	if abs := math.Abs(f); math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	} else if abs < 1e-6 || abs >= 1e21 {
		return appendAny(dst, f)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

func appendZero(dst []byte, f float64) []byte {
	if math.Signbit(f) {
		dst = append(dst, '-')
	}
	return append(dst, '0')
}

func (o *object) erlang(e *ErlangProcess) {
	o.key("garbage_collection")
	g := object{append(o.b, '{')}
	g.int("fullsweep_after", e.GarbageCollection.FullsweepAfter)
	g.int("max_heap_size", e.GarbageCollection.MaxHeapSize)
	g.int("min_bin_vheap_size", e.GarbageCollection.MinBinVHeapSize)
	g.int("min_heap_size", e.GarbageCollection.MinHeapSize)
	g.int("minor_gcs", e.GarbageCollection.MinorGCs)
	o.b = append(g.b, '}')
	o.count("reductions", "reductions_details", e.Reductions, &e.ReductionsDetails)
}

func (o *object) messageStats(m *MessageStats) {
	if m == nil {
		return
	}
	o.key("message_stats")
	o.b = append(o.b, '{')
	if s := m.PublishStats; s != nil {
		o.count("publish", "publish_details", s.Publish, &s.PublishDetails)
	}
	if s := m.ConfirmStats; s != nil {
		o.count("confirm", "confirm_details", s.Confirm, &s.ConfirmDetails)
		o.count("drop_unroutable", "drop_unroutable_details", s.DropUnroutable, &s.DropUnroutableDetails)
		o.count("return_unroutable", "return_unroutable_details", s.ReturnUnroutable, &s.ReturnUnroutableDetails)
	}
	if s := m.DeliverStats; s != nil {
		o.count("ack", "ack_details", s.Ack, &s.AckDetails)
		o.count("deliver", "deliver_details", s.Deliver, &s.DeliverDetails)
		o.count("deliver_get", "deliver_get_details", s.DeliverGet, &s.DeliverGetDetails)
		o.count("deliver_no_ack", "deliver_no_ack_details", s.DeliverNoAck, &s.DeliverNoAckDetails)
		o.count("get", "get_details", s.Get, &s.GetDetails)
		o.count("get_empty", "get_empty_details", s.GetEmpty, &s.GetEmptyDetails)
		o.count("get_no_ack", "get_no_ack_details", s.GetNoAck, &s.GetNoAckDetails)
		o.count("redeliver", "redeliver_details", s.Redeliver, &s.RedeliverDetails)
	}
	if s := m.DiskStats; s != nil {
		o.count("disk_reads", "disk_reads_details", s.DiskReads, &s.DiskReadsDetails)
		o.count("disk_writes", "disk_writes_details", s.DiskWrites, &s.DiskWritesDetails)
	}
	if s := m.ExchangeStats; s != nil {
		o.count("publish_in", "publish_in_details", s.PublishIn, &s.PublishInDetails)
		o.count("publish_out", "publish_out_details", s.PublishOut, &s.PublishOutDetails)
	}
	o.b = append(o.b, '}')
}

func (r *ConnectionRef) append(dst []byte) []byte {
	o := object{append(dst, '{')}
	o.text("name", r.Name)
	o.text("peer_host", r.PeerHost)
	o.int("peer_port", int64(r.PeerPort))
	return append(o.b, '}')
}

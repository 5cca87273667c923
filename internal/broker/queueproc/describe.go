package queueproc

import (
	"fmt"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/broker/queue"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// KindName names a kind of record that queues write, for `warren store dump`;
// "" for other kinds.
func KindName(k store.Kind) string {
	switch k {
	case KindPublish:
		return "publish"
	case KindBody:
		return "body"
	case KindRef:
		return "ref"
	case KindSettle:
		return "settle"
	case KindPage:
		return "page"
	case KindPageDrop:
		return "pagedrop"
	case KindReturned:
		return "returned"
	}
	return ""
}

// Describe says what a record that a queue wrote means; "" for other kinds. A
// payload that is not of its kind is described as malformed.
func Describe(k store.Kind, payload []byte) string {
	s, err := describe(k, payload)
	if err != nil {
		return "malformed: " + err.Error()
	}
	return s
}

func describe(k store.Kind, payload []byte) (string, error) {
	switch k {
	case KindPublish, KindRef:
		it, rest, err := parseHead(payload)
		if err != nil {
			return "", err
		}
		if k == KindPublish {
			m, ok := message.Parse(rest)
			if !ok {
				return "", errRecord
			}
			return describeItem(&it) + " " + describeMessage(&m), nil
		}
		r := reader{b: rest}
		pos, size := r.uvarint(), r.uvarint()
		if r.bad {
			return "", errRecord
		}
		return fmt.Sprintf("%s at=%v body=%d", describeItem(&it), store.Position(pos), size), nil
	case KindBody:
		m, ok := message.Parse(payload)
		if !ok {
			return "", errRecord
		}
		return describeMessage(&m), nil
	case KindSettle:
		return describeRuns(payload)
	case KindPage:
		p, err := parsePage(payload)
		if err != nil {
			return "", err
		}
		ref := pageRef(0, len(payload), &p, p.epoch)
		s := fmt.Sprintf("items=%d seq=%d-%d persistent=%d level=%d", ref.Count, ref.First, ref.Last, ref.Persistent, p.level)
		if p.replaces != 0 {
			s += fmt.Sprintf(" replaces=%v", store.Position(p.replaces))
		}
		return s, nil
	case KindPageDrop, KindReturned:
		if len(payload) < 1 || payload[0] != recordVersion {
			return "", errRecord
		}
		r := reader{b: payload[1:]}
		n := r.uvarint()
		s := fmt.Sprintf("page=%v", store.Position(n))
		if k == KindReturned {
			s = fmt.Sprintf("seq=%d count=%d", n, r.uvarint())
			if r.uvarint(); len(r.b) > 0 { // acquired
				if due := r.varint(); due != 0 {
					s += " delayed until " + time.UnixMilli(due).UTC().Format("2006-01-02T15:04:05.000Z")
				}
			}
			if len(r.b) > 0 {
				if why := queue.Reason(r.byte()); why < queue.Reasons {
					s += " dead " + why.String()
				}
			}
		}
		if r.bad {
			return "", errRecord
		}
		return s, nil
	}
	return "", nil
}

func describeItem(it *queue.Item) string {
	s := fmt.Sprintf("seq=%d", it.Seq)
	if it.Flags&queue.Persistent == 0 {
		s += " transient"
	}
	if it.Prio > 0 {
		s += fmt.Sprintf(" priority=%d", it.Prio)
	}
	if it.Count > 0 {
		s += fmt.Sprintf(" count=%d", it.Count)
	}
	if it.Expiry != 0 {
		s += " expires=" + time.UnixMilli(it.Expiry).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return s
}

func describeMessage(m *message.Message) string {
	return fmt.Sprintf("exchange=%q key=%q body=%d", m.Exchange, m.RoutingKey, len(m.Body))
}

// maxRunsShown bounds what is printed of a settle record.
const maxRunsShown = 8

func describeRuns(payload []byte) (string, error) {
	if len(payload) < 1 || payload[0] != recordVersion {
		return "", errRecord
	}
	var shown []string
	var runs int
	var messages uint64
	err := eachRun(payload[1:], func(first, last uint64) {
		runs++
		messages += last - first + 1
		switch {
		case runs > maxRunsShown:
		case first == last:
			shown = append(shown, fmt.Sprint(first))
		default:
			shown = append(shown, fmt.Sprintf("%d-%d", first, last))
		}
	})
	if err != nil {
		return "", err
	}
	if runs > maxRunsShown {
		shown = append(shown, "…")
	}
	return fmt.Sprintf("messages=%d seq=%s", messages, strings.Join(shown, ",")), nil
}

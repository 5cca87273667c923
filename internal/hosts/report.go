package hosts

import (
	"time"
	"unicode/utf8"

	"github.com/warrenmq/warren/internal/hosts/record"
)

// Report is a task as programs get it, in JSON.
type Report struct {
	ID         record.ID            `json:"id"`
	Command    string               `json:"command"`
	Shell      bool                 `json:"shell"`
	User       string               `json:"user,omitempty"`
	Dir        string               `json:"dir,omitempty"`
	By         string               `json:"by"`
	From       string               `json:"from,omitempty"`
	Operator   string               `json:"operator,omitempty"`
	Created    time.Time            `json:"created"`
	Expires    time.Time            `json:"expires"`
	Deadline   time.Time            `json:"deadline"`
	TimeoutMS  int64                `json:"timeout_ms"`
	Batch      int                  `json:"batch,omitempty"`
	RetryOf    record.ID            `json:"retry_of,omitempty"`
	Cancelling string               `json:"cancelled_by,omitempty"`
	Final      bool                 `json:"final"`
	Count      map[record.State]int `json:"count"`
	Hosts      []HostReport         `json:"hosts"`
}

// HostReport is a host of a task. Output is there as text; what is not UTF-8
// comes as it is besides, in base64.
type HostReport struct {
	Name       string       `json:"name"`
	As         string       `json:"as,omitempty"`
	State      record.State `json:"state"`
	Final      bool         `json:"final"`
	Online     *bool        `json:"online,omitempty"` // while it is waiting
	Reason     string       `json:"reason,omitempty"`
	Exit       *int         `json:"exit,omitempty"`
	Signal     string       `json:"signal,omitempty"`
	DurationMS *int64       `json:"duration_ms,omitempty"`
	Stdout     string       `json:"stdout"`
	Stderr     string       `json:"stderr"`
	StdoutRaw  []byte       `json:"stdout_base64,omitempty"`
	StderrRaw  []byte       `json:"stderr_base64,omitempty"`
	// Printed is how much the command has written, Kept how much of it is here.
	Printed   int64           `json:"printed_bytes"`
	Kept      int64           `json:"kept_bytes"`
	Truncated bool            `json:"truncated"`
	Late      *record.Outcome `json:"late,omitempty"`
}

// NewReport makes the report of a task. The list of hosts, if there is one,
// tells which of those that wait are there.
func NewReport(v *record.View, list []Host) Report {
	t := &v.Task
	r := Report{ID: t.ID, Command: t.Text, Shell: t.Shell, User: t.User, Dir: t.Dir, By: t.By, From: t.From, Operator: t.Operator,
		Created: t.Created, Expires: t.Created.Add(t.Expires()), Deadline: t.Created.Add(t.Deadline()), TimeoutMS: t.TimeoutMS,
		Batch: t.Batch, RetryOf: t.RetryOf, Cancelling: v.Cancelling, Final: v.Final(), Count: v.Count(), Hosts: []HostReport{}}
	online := Online(list)
	for _, h := range v.Hosts {
		hr := hostReport(h)
		if there, known := online[h.Name]; h.State == record.Waiting && list != nil {
			there = there && known
			hr.Online = &there
		}
		r.Hosts = append(r.Hosts, hr)
	}
	return r
}

// Online says of each host of a list whether it is there.
func Online(list []Host) map[string]bool {
	online := make(map[string]bool, len(list))
	for _, h := range list {
		online[h.Name] = h.Online
	}
	return online
}

func hostReport(h *record.Host) HostReport {
	r := HostReport{Name: h.Name, As: h.As, State: h.State, Final: h.State.Final(), Reason: h.Reason, Late: h.Late, Kept: h.Held(), Printed: h.Bytes}
	r.Stdout, r.StdoutRaw = text(h.Stream("stdout"))
	r.Stderr, r.StderrRaw = text(h.Stream("stderr"))
	r.Truncated = r.Kept < r.Printed
	if o := h.Outcome; o != nil {
		r.Exit, r.Signal, r.DurationMS = o.Exit, o.Signal, &o.DurationMS
		r.Printed = o.Stdout + o.Stderr
		r.Truncated = r.Truncated || o.Kept < r.Printed
	}
	return r
}

func text(raw []byte) (string, []byte) {
	if utf8.Valid(raw) {
		return string(raw), nil
	}
	return Printable(raw), raw
}

// Package record holds what consoles and agents say to one another, and what
// follows from it: the messages of docs/format/hosts.md with their coding, and
// View, which reads a task's record and decides the state of each host.
//
// Everything here is pure: no connection, no clock, no file. The state of a
// host depends on the order of the messages in the record alone, so that every
// console that reads it comes to the same answer.
package record

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Version of the messages. A reader refuses newer ones.
const Version = 1

// How long the steps may take. All are measured by one party's own clock, and
// never compared between two.
const (
	// AcceptWithin is how long after the delivery of a task an agent may still
	// begin: its acceptance has to be in the record by then.
	AcceptWithin = 2 * time.Second
	// ExpireGrace is what the record waits after a task's expiry before it
	// closes the door: longer than AcceptWithin, so that whoever was given the
	// task in time has said so.
	ExpireGrace = 3 * time.Second
	// EndGrace is added to expiry and timeout for the deadline: an agent ends a
	// command and tells of it.
	EndGrace = 10 * time.Second
	// BeatEvery is how often an agent says that it is alive.
	BeatEvery = 5 * time.Second
	// Lease is how long an agent may be silent before what it runs counts as lost.
	Lease = 20 * time.Second
)

// What the system can have.
const (
	maxName = 256
	maxPath = 4096
)

// Limits of a task.
const (
	MaxExpires = 21 * 24 * time.Hour
	MaxTimeout = 7 * 24 * time.Hour
	MaxKeep    = 21 * 24 * time.Hour // the three together must fit 2^32 ms, a queue's longest TTL
	MaxOutput  = 16 << 20
	MaxCommand = 128 << 10 // what Linux takes as one argument
	MaxHosts   = 20_000
)

// ID is the number of a task, unique within a broker's virtual host.
type ID int64

func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }

// ParseID reads a task id as a person types it.
func ParseID(s string) (ID, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%q is not a task id: ids are numbers, as in check_task 45334", s)
	}
	return ID(n), nil
}

// Command is what is to be run, and how.
type Command struct {
	// Argv is the program and its arguments. With Shell it has one element,
	// which /bin/sh gets.
	Argv        []string `json:"argv"`
	Shell       bool     `json:"shell,omitempty"`
	User        string   `json:"user,omitempty"`
	Dir         string   `json:"dir,omitempty"`
	Env         []string `json:"env,omitempty"` // NAME=value
	TimeoutMS   int64    `json:"timeout_ms"`
	OutputLimit int64    `json:"output_limit"` // bytes kept of each host, stdout and stderr together
}

// Timeout is how long the command may run.
func (c *Command) Timeout() time.Duration { return time.Duration(c.TimeoutMS) * time.Millisecond }

// Check finds what no agent could carry out.
func (c *Command) Check() error {
	if len(c.Argv) == 0 || c.Argv[0] == "" {
		return errors.New("the command is empty")
	}
	if c.Shell && len(c.Argv) != 1 {
		return errors.New("a shell command is one text")
	}
	size := 0
	for _, a := range c.Argv {
		size += len(a) + 1
		switch {
		case !clean(a):
			return errors.New("the command contains a NUL character")
		case !utf8.ValidString(a): // JSON would replace it, and something else would run
			return errors.New("the command is not UTF-8; let a shell's printf write other bytes")
		}
	}
	if size > MaxCommand {
		return fmt.Errorf("the command is longer than %d bytes", MaxCommand)
	}
	size = 0
	for _, e := range c.Env {
		if size += len(e) + 1; size > MaxCommand {
			return fmt.Errorf("the variables are longer than %d bytes", MaxCommand)
		}
		if !envName.MatchString(e) || !clean(e) || !utf8.ValidString(e) {
			return fmt.Errorf("%q is not NAME=value", e)
		}
	}
	switch {
	case !utf8.ValidString(c.User) || !utf8.ValidString(c.Dir):
		return errors.New("user or directory is not UTF-8")
	case len(c.User) > maxName || len(c.Dir) > maxPath:
		return errors.New("user or directory is too long")
	case c.TimeoutMS <= 0 || c.TimeoutMS > MaxTimeout.Milliseconds():
		return fmt.Errorf("the timeout must be more than 0 and at most %v", MaxTimeout)
	case c.OutputLimit < 0 || c.OutputLimit > MaxOutput:
		return fmt.Errorf("the output limit must be between 0 and %d bytes", MaxOutput)
	case !clean(c.User) || !clean(c.Dir):
		return errors.New("user or directory contains a NUL character")
	case c.Dir != "" && c.Dir[0] != '/':
		return fmt.Errorf("the directory %q does not begin with /", c.Dir)
	}
	return nil
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

func clean(s string) bool {
	for i := range len(s) {
		if s[i] == 0 {
			return false
		}
	}
	return true
}

// Target is a host of a task: the name of its agent, and what the user called it.
type Target struct {
	Name string `json:"name"`
	As   string `json:"as,omitempty"`
}

// Label is how the host is shown: as the user called it.
func (t Target) Label() string {
	if t.As != "" {
		return t.As
	}
	return t.Name
}

// Task is all that was asked for: the first entry of a record.
type Task struct {
	ID    ID     `json:"id"`
	Realm string `json:"realm"` // of the broker's counter: ids of another one mean other tasks
	Nonce string `json:"nonce"`
	// Text is the command as it was typed.
	Text string `json:"command"`
	Command
	Hosts      []Target  `json:"hosts"`           // frozen
	Batch      int       `json:"batch,omitempty"` // hosts at a time; 0: all at once
	ExpiresMS  int64     `json:"expires_ms"`      // from creation: until when a host may begin
	EachMS     int64     `json:"each_ms"`         // from being asked; differs from ExpiresMS with batches
	DeadlineMS int64     `json:"deadline_ms"`     // from creation: then the task is closed
	KeepMS     int64     `json:"keep_ms"`         // from the deadline: how long the record stays
	By         string    `json:"by"`
	From       string    `json:"from,omitempty"`
	Operator   string    `json:"operator,omitempty"` // whose key has signed it
	RetryOf    ID        `json:"retry_of,omitempty"`
	Created    time.Time `json:"created"` // by the console's clock
}

// Expires is how long after its creation a host may still begin.
func (t *Task) Expires() time.Duration { return time.Duration(t.ExpiresMS) * time.Millisecond }

// Each is how long a host may wait with its beginning once it is asked.
func (t *Task) Each() time.Duration { return time.Duration(t.EachMS) * time.Millisecond }

// Deadline is how long after its creation the task is closed.
func (t *Task) Deadline() time.Duration { return time.Duration(t.DeadlineMS) * time.Millisecond }

// Job is what one agent is asked: the body of a message of type "task".
type Job struct {
	Version int    `json:"v"`
	ID      ID     `json:"id"`
	Realm   string `json:"realm"`
	Nonce   string `json:"nonce"`
	Host    string `json:"host"`
	Text    string `json:"command"`
	Command
	By       string    `json:"by"`
	From     string    `json:"from,omitempty"`
	Created  time.Time `json:"created"`
	NotAfter time.Time `json:"not_after"` // looked at when signatures are required
}

// Job is the task as one host gets it.
func (t *Task) Job(host string) Job {
	return Job{Version: Version, ID: t.ID, Realm: t.Realm, Nonce: t.Nonce, Host: host, Text: t.Text, Command: t.Command,
		By: t.By, From: t.From, Created: t.Created, NotAfter: t.Created.Add(t.Expires())}
}

// Check finds what makes a job unusable whoever sent it.
func (j *Job) Check() error {
	switch {
	case j.Version > Version:
		return fmt.Errorf("the task has version %d; this agent knows %d: update it", j.Version, Version)
	case j.Version < 1 || j.ID <= 0 || j.Realm == "" || j.Nonce == "":
		return errors.New("the message is not a task")
	case len(j.Realm) > 64 || len(j.Nonce) > 64 || len(j.Text) > 8*MaxCommand || len(j.By) > maxPath || len(j.From) > maxPath:
		return errors.New("the message is not a task")
	}
	return j.Command.Check()
}

// Cancel asks an agent to end a task: the body of a message of type "cancel".
type Cancel struct {
	Version  int       `json:"v"`
	ID       ID        `json:"id"`
	Realm    string    `json:"realm"`
	Nonce    string    `json:"nonce"`
	Host     string    `json:"host"`
	By       string    `json:"by"`
	From     string    `json:"from,omitempty"`
	NotAfter time.Time `json:"not_after"`
}

// Presence is what an agent says of itself: when it connects ("presence"), and
// every BeatEvery ("beat").
type Presence struct {
	Version int        `json:"v"`
	Name    string     `json:"name"`
	Addrs   []string   `json:"addrs,omitempty"`
	Groups  []string   `json:"groups,omitempty"`
	Program string     `json:"program"` // its version
	System  string     `json:"system,omitempty"`
	Boot    string     `json:"boot"` // another one each time that the agent starts
	Since   time.Time  `json:"since"`
	At      time.Time  `json:"at"` // by the host's clock
	Load    [3]float64 `json:"load"`
	Cores   int        `json:"cores"`
	Running int        `json:"running"`
	Slots   int        `json:"slots"`
	Signed  bool       `json:"signed,omitempty"`  // runs only what its allow file permits
	Leaving bool       `json:"leaving,omitempty"` // the agent is stopping
}

// Check says what no agent would tell. Whoever has an agent's password can
// publish anything in its name, and consoles show it.
func (p *Presence) Check() error {
	if err := CheckName(p.Name); err != nil {
		return err
	}
	for _, g := range p.Groups {
		if err := CheckName(g); err != nil {
			return err
		}
	}
	for _, s := range slices.Concat(p.Addrs, []string{p.Program, p.System, p.Boot}) {
		if len(s) > maxName || strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
			return fmt.Errorf("%q cannot be shown", s)
		}
	}
	if len(p.Groups) > maxName || len(p.Addrs) > maxPath {
		return errors.New("too many groups or addresses")
	}
	return nil
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// CheckName says why a text cannot be the name of a host or group.
func CheckName(name string) error {
	if !hostName.MatchString(name) {
		return fmt.Errorf("%q cannot be a name: letters, digits, '.', '_' and '-', at most 100, beginning with a letter or digit", name)
	}
	return nil
}

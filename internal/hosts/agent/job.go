package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/warrenmq/warren/internal/hosts/command"
	"github.com/warrenmq/warren/internal/hosts/record"
)

// job is a command that this agent runs.
type job struct {
	record.Job
	a        *Agent
	operator string
	ctx      context.Context
	cancel   context.CancelCauseFunc
	seq      int64 // of the last event; the job's goroutine and the pump, never both
	kept     int64
}

// stop ends the job; the reason is told.
func (j *job) stop(reason string) { j.cancel(errors.New(reason)) }

// begin starts a job that the record has the acceptance of. False means that
// it must not run: it was cancelled, or has been here, or the agent is leaving.
func (a *Agent) begin(task record.Job, operator string) (bool, error) {
	a.decide.Lock()
	defer a.decide.Unlock()
	if _, known, _ := a.journal.find(task.Realm, task.ID); known || a.stopping() {
		return false, nil
	}
	err := a.journal.put(&entry{State: started, Realm: task.Realm, ID: task.ID, Nonce: task.Nonce}, true)
	if err != nil {
		return false, err
	}
	j := &job{Job: task, a: a, operator: operator}
	j.ctx, j.cancel = context.WithCancelCause(context.Background())
	a.mu.Lock()
	a.running[taskKey(j.Realm, j.ID)] = j
	a.mu.Unlock()
	a.jobs.Go(j.run)
	return true, nil
}

func (a *Agent) stopping() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.leaving
}

// find is the job of a task that runs.
func (a *Agent) find(realm string, id record.ID) *job {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.running[taskKey(realm, id)]
}

// event is one of the job's, with the next number.
func (j *job) event(kind record.Kind) record.Event {
	j.seq++
	return record.Event{Kind: kind, Task: j.ID, Nonce: j.Nonce, Host: j.a.cfg.Name, Seq: j.seq, Boot: j.a.boot, At: time.Now()}
}

func (j *job) run() {
	j.a.outbox.add(j.event(record.Running), nil)
	outcome := j.outcome(j.execute())
	e := j.event(record.Finished)
	e.Outcome = &outcome
	entry := entry{State: finished, Realm: j.Realm, ID: j.ID, Nonce: j.Nonce,
		Events: append(j.a.outbox.of(j.ID), storedEvent{Event: e})}
	if err := j.a.journal.put(&entry, true); err != nil {
		j.a.cfg.Log.Error("cannot write the journal: a result may be lost if the agent ends now", "task", j.ID, "err", err)
	}
	j.a.outbox.add(e, func() { j.a.settled(entry) })
	j.a.audit(Entry{Event: "end", Task: j.ID, Operator: j.operator, Command: j.Text, Outcome: &outcome.State, Exit: outcome.Exit, Reason: outcome.Reason})
	j.cancel(nil)
	j.a.mu.Lock()
	delete(j.a.running, taskKey(j.Realm, j.ID))
	close(j.a.freed)
	j.a.freed = make(chan struct{})
	j.a.mu.Unlock()
}

func (j *job) execute() command.Result {
	env := append([]string{"WARREN_TASK=" + j.ID.String(), "WARREN_HOST=" + j.a.cfg.Name}, j.Env...)
	p, failed := command.Start(command.Spec{Argv: j.Argv, Shell: j.Shell, User: j.User, Dir: j.Dir, Env: env,
		Timeout: j.Timeout(), Limit: j.OutputLimit, Output: j.output})
	if failed != nil {
		return *failed
	}
	// For the next life of the agent; if it is lost, an orphan is not ended.
	note := entry{State: started, Realm: j.Realm, ID: j.ID, Nonce: j.Nonce, PID: p.PID(), Started: command.Started(p.PID())}
	if err := j.a.journal.put(&note, false); err != nil {
		j.a.cfg.Log.Error("cannot write the journal", "err", err)
	}
	return p.Wait(j.ctx)
}

func (j *job) output(stream string, data []byte) {
	e := j.event(record.Output)
	e.Stream, e.Offset, e.Data = stream, j.kept, data
	j.kept += int64(len(data))
	j.a.outbox.add(e, nil)
}

// outcome says how the command ended.
func (j *job) outcome(r command.Result) record.Outcome {
	o := record.Outcome{State: record.OK, Signal: r.Signal, DurationMS: r.Duration.Milliseconds(), Stdout: r.Stdout, Stderr: r.Stderr, Kept: r.Kept}
	if r.Exit >= 0 {
		o.Exit = &r.Exit
	}
	switch {
	case errors.Is(r.Err, command.ErrTimeout):
		o.State, o.Reason = record.TimedOut, fmt.Sprintf("ended after %v", j.Timeout())
	case errors.Is(r.Err, command.ErrStopped):
		o.State, o.Reason = record.Cancelled, context.Cause(j.ctx).Error()
	case r.Err != nil:
		o.State, o.Reason = record.Failed, "cannot be started: "+r.Err.Error()
	case r.Exit != 0:
		o.State = record.Failed
	}
	if errors.Is(r.Err, command.ErrUndead) {
		o.Reason += "; " + command.ErrUndead.Error()
	}
	return o
}

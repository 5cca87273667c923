package hosts

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/internal/hosts/record"
	"github.com/warrenmq/warren/internal/hosts/topology"
)

// TaskOptions say what of a record is wanted.
type TaskOptions struct {
	NoOutput bool
	Only     string // output of this host only
	Room     int64  // so much output of all hosts together; 0: all that there is
}

// Task reads a task's record.
func (c *Client) Task(ctx context.Context, id record.ID, o TaskOptions) (*record.View, error) {
	var v *record.View
	err := c.do(ctx, func(ctx context.Context, conn *amqp.Connection) (err error) {
		v, err = readTask(ctx, conn, id, o)
		return err
	})
	return v, err
}

func readTask(ctx context.Context, conn *amqp.Connection, id record.ID, o TaskOptions) (*record.View, error) {
	v := &record.View{NoOutput: o.NoOutput, Only: o.Only, Room: o.Room}
	err := topology.Read(ctx, conn, topology.RecordQueue(id), func(m amqp.Delivery) bool {
		if e, err := topology.ReadEvent(m); err == nil {
			v.Apply(e)
		}
		return false
	}, nil)
	if errors.Is(err, topology.ErrNoQueue) || err == nil && !v.Known() {
		return nil, errNoTask(id)
	}
	return v, err
}

// Summary is a task in the list of tasks.
type Summary struct {
	ID      record.ID            `json:"id"`
	Created time.Time            `json:"created"`
	By      string               `json:"by"`
	Text    string               `json:"command"`
	Hosts   int                  `json:"hosts"`
	RetryOf record.ID            `json:"retry_of,omitempty"`
	KeepMS  int64                `json:"keep_ms"` // as long as the record
	Count   map[record.State]int `json:"count,omitempty"`
	Final   bool                 `json:"final,omitempty"` // Count does not change any more
}

// maxKeepMS is the longest time for which a broker can be asked to keep a
// message.
const maxKeepMS = 1<<32 - 1

// Tasks lists the newest tasks, newest first; limit 0 means all.
func (c *Client) Tasks(ctx context.Context, limit int) ([]Summary, error) {
	var list []Summary
	err := c.do(ctx, func(ctx context.Context, conn *amqp.Connection) (err error) {
		list, err = c.readTasks(ctx, conn, limit)
		return err
	})
	return list, err
}

func (c *Client) readTasks(ctx context.Context, conn *amqp.Connection, limit int) ([]Summary, error) {
	known := map[record.ID]Summary{}
	err := topology.Read(ctx, conn, topology.Tasks, func(m amqp.Delivery) bool {
		var s Summary
		if json.Unmarshal(m.Body, &s) != nil || s.ID <= 0 || s.KeepMS < 0 || s.KeepMS > maxKeepMS {
			return true
		}
		if !known[s.ID].Final {
			known[s.ID] = s
		}
		return false
	}, nil)
	if err != nil {
		return nil, err
	}
	list := make([]Summary, 0, len(known))
	for _, s := range known {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Summary) int { return int(b.ID - a.ID) })
	if limit > 0 {
		list = list[:min(limit, len(list))]
	}
	return list, c.count(ctx, conn, list)
}

// count reads the records of tasks that were not final when they were read
// last. What is final is noted in the list for the next time.
func (c *Client) count(ctx context.Context, conn *amqp.Connection, list []Summary) error {
	for i := range list {
		s := &list[i]
		if s.Final {
			continue
		}
		v, err := readTask(ctx, conn, s.ID, TaskOptions{NoOutput: true})
		var gone *RefusedError
		if errors.As(err, &gone) {
			continue // the record is away already; the list follows
		}
		if err != nil {
			return err
		}
		s.Count, s.Final = v.Count(), v.Final()
		if s.Final {
			if err := c.note(ctx, conn, *s); err != nil {
				return err
			}
		}
	}
	return nil
}

// note adds a final summary to the list.
func (c *Client) note(ctx context.Context, conn *amqp.Connection, s Summary) error {
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	if err := ch.Confirm(false); err != nil {
		return err
	}
	return c.summarize(ctx, ch, s)
}

func (c *Client) summarize(ctx context.Context, ch *amqp.Channel, s Summary) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return topology.Publish(ctx, ch, "", topology.Tasks, amqp.Publishing{Type: topology.TypeSummary, ContentType: "application/json",
		DeliveryMode: amqp.Persistent, Expiration: topology.Millis(time.Duration(s.KeepMS) * time.Millisecond), Body: body})
}

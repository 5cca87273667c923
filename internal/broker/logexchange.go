package broker

import (
	"errors"
	"time"

	"github.com/warrenmq/warren/internal/broker/meta"
	"github.com/warrenmq/warren/internal/broker/queueproc"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/proto/amqp091/wire"
)

// LogExchange is where the node's log is published, if it is (log.exchange).
const LogExchange = "amq.rabbitmq.log"

// internalUser is who acts when it is the node itself.
const internalUser = "rmq-internal"

// DeclareLogExchange makes the exchange of the log in a virtual host. If it is
// there, nothing is done.
func (b *Broker) DeclareLogExchange(vhost string) error {
	_, err := b.apply(&meta.DeclareExchange{VHost: vhost, Name: LogExchange, Type: "topic", Durable: true, Internal: true,
		User: internalUser, System: true})
	return err
}

// LogEntry is an entry of the log as a message.
type LogEntry struct {
	Level       string // its routing key
	Time        time.Time
	ContentType string
	Body        []byte
}

var errNoLogExchange = errors.New("there is no exchange " + LogExchange)

// PublishLog publishes an entry of the log. It waits for nobody; an entry that no
// queue wants is gone. The error is that the exchange is not there.
func (b *Broker) PublishLog(vhost string, e LogEntry) error {
	v := b.VHost(vhost)
	if v == nil {
		return errNoLogExchange
	}
	x := v.Exchange(LogExchange)
	if x == nil {
		return errNoLogExchange
	}
	var r router
	key := []byte(e.Level)
	queues := r.route(v, x, key, nil, noHeaders{})
	if len(queues) == 0 {
		return nil
	}
	props := wire.Properties{ContentType: e.ContentType, Headers: wire.Table{{Key: "node", Value: wire.String(b.cfg.NodeName)}},
		Timestamp: wire.Timestamp(e.Time.Unix())}
	b.fanOut(queues, []queueproc.Pub{{Msg: message.Message{Exchange: []byte(LogExchange), RoutingKey: key, Props: props.Append(nil), Body: e.Body}}})
	return nil
}

// wasLogged reports whether a dead letter was an entry of the log.
func wasLogged(props *wire.Properties) bool { return firstDeath(props) == LogExchange }

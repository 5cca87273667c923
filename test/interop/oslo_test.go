package interop

import (
	"testing"

	"github.com/warrenmq/warren/brokertest"
)

// OpenStack's services talk to each other with oslo.messaging.
func TestOsloMessaging(t *testing.T) {
	t.Parallel()
	py := python(t, "oslo_messaging", "python3-oslo.messaging")
	for _, c := range []struct {
		name    string
		options []string
	}{
		{"transient", nil},
		{"durable, quorum queues", []string{"amqp_durable_queues=true", "rabbit_quorum_queue=true"}},
		{"confirmed, gone with their consumers", []string{"amqp_auto_delete=true", "direct_mandatory_flag=true"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.Start(t)
			p := run(t, b, nil, py, append([]string{"testdata/oslo/rpc.py", "rabbit://guest:guest@" + b.Addr() + "/"}, c.options...)...)
			for _, line := range []string{"calls", "errors", "casts", "notifications", "ok"} {
				p.expect(line)
			}
			p.output()
		})
	}
}

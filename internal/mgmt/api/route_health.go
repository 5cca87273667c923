package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/mgmt/apitype"
)

func (a *API) healthRoutes() []*Route {
	check := func(path, summary string, h func(*Request) (apitype.Health, error)) *Route {
		return &Route{Method: http.MethodGet, Path: "/health/checks/" + path, Access: Anyone, Summary: summary, Out: apitype.Health{}, Handle: func(rq *Request) error {
			answer, err := h(rq)
			if err != nil {
				return err
			}
			if answer.Status == "" {
				answer.Status = "ok"
				return rq.Reply(answer)
			}
			return rq.reply(http.StatusServiceUnavailable, answer)
		}}
	}
	fine := func(path, summary string) *Route {
		return check(path, summary, func(*Request) (apitype.Health, error) { return apitype.Health{}, nil })
	}
	single := func(path, summary string) *Route {
		return check(path, summary, func(*Request) (apitype.Health, error) { return apitype.Health{Reason: "single node cluster"}, nil })
	}
	const leaders = "Quorum queues without a leader; on one node every queue has one"
	return []*Route{
		check("alarms", "No resource runs out", a.checkAlarms),
		check("local-alarms", "No resource of this node runs out", a.checkAlarms),
		check("certificate-expiration/{within}/{unit}", "No certificate expires within some days, weeks, months or years", a.checkCertificates),
		check("port-listener/{port}", "Something listens on a port", a.checkPort),
		check("protocol-listener/{protocol}", "Something listens for a protocol, or for one of several with commas between", a.checkProtocol),
		fine("virtual-hosts", "All virtual hosts run"),
		single("node-is-quorum-critical", "No quorum is lost when this node stops"),
		single("node-is-mirror-sync-critical", "No mirror is lost when this node stops"),
		fine("quorum-queues-without-elected-leaders/all-vhosts", leaders),
		fine("quorum-queues-without-elected-leaders/all-vhosts/pattern/{pattern}", leaders),
		check("quorum-queues-without-elected-leaders/vhost/{vhost}", leaders, a.checkLeaders),
		check("quorum-queues-without-elected-leaders/vhost/{vhost}/pattern/{pattern}", leaders, a.checkLeaders),
		fine("metadata-store/initialized", "Definitions can be read"),
		fine("metadata-store/initialized/with-data", "Definitions are there"),
		check("is-in-service", "The node accepts clients", a.checkInService),
		check("ready-to-serve-clients", "The node accepts clients", a.checkInService),
		fine("below-node-connection-limit", "The node can take more connections"),
		fine("reached-target-cluster-size", "All nodes are there"),
		{Method: http.MethodGet, Path: "/aliveness-test/{vhost}", Access: OfVHost, Summary: "Publish, and take back, a message of the queue aliveness-test", Out: apitype.Health{}, Handle: a.aliveness},
		{Method: http.MethodGet, Path: "/healthchecks/node", Access: Anyone, Summary: "An old check that does nothing", Out: apitype.Health{}, Handle: a.oldCheck},
		{Method: http.MethodGet, Path: "/healthchecks/node/{node}", Access: Anyone, Summary: "An old check that does nothing", Out: apitype.Health{}, Handle: a.oldCheck},
	}
}

func failed(reason string) apitype.Health { return apitype.Health{Status: "failed", Reason: reason} }

func (a *API) checkAlarms(*Request) (apitype.Health, error) {
	alarms := a.Node.Alarms()
	if len(alarms) == 0 {
		return apitype.Health{}, nil
	}
	h := failed("There are alarms in effect in the cluster")
	for _, r := range alarms {
		h.Alarms = append(h.Alarms, apitype.Alarm{Node: a.Config.NodeName, Resource: r})
	}
	return h, nil
}

func within(n int, unit string) (time.Time, bool) {
	now := time.Now()
	switch unit {
	case "days":
		return now.AddDate(0, 0, n), true
	case "weeks":
		return now.AddDate(0, 0, 7*n), true
	case "months":
		return now.AddDate(0, n, 0), true
	case "years":
		return now.AddDate(n, 0, 0), true
	}
	return now, false
}

// maxAhead bounds how far ahead a check looks; the calendar ends somewhere.
const maxAhead = 100_000

func (a *API) checkCertificates(rq *Request) (apitype.Health, error) {
	n, err := strconv.Atoi(rq.Var("within"))
	if err != nil || n < 0 || n > maxAhead {
		return apitype.Health{}, BadRequest("Invalid expiration value.")
	}
	until, ok := within(n, rq.Var("unit"))
	if !ok {
		return apitype.Health{}, BadRequest("Time unit not recognised. Supported units: days, weeks, months, years.")
	}
	h := apitype.Health{}
	for _, c := range a.Node.Certificates() {
		if c.Leaf != nil && c.Leaf.NotAfter.Before(until) {
			h.Expired = append(h.Expired, apitype.Certificate{Name: c.Listener.Protocol, Port: c.Listener.Port, Node: a.Config.NodeName,
				Interface: c.Listener.Address, CertsExpiringOn: c.Leaf.NotAfter.UTC().Format(time.DateTime), CertFile: c.File})
		}
	}
	if h.Expired != nil {
		h.Status, h.Reason = "failed", "Certificates expiring"
	}
	return h, nil
}

func (a *API) checkPort(rq *Request) (apitype.Health, error) {
	port, err := strconv.Atoi(rq.Var("port"))
	if err != nil {
		return apitype.Health{}, BadRequest("Invalid port")
	}
	h := failed("No active listener")
	for _, l := range a.Node.Listeners() {
		if l.Port == port {
			return apitype.Health{Port: port}, nil
		}
		if !slices.Contains(h.Ports, l.Port) {
			h.Ports = append(h.Ports, l.Port)
		}
	}
	h.Missing = port
	return h, nil
}

// protocolName is what a protocol is called in lists of listeners.
func protocolName(s string) string {
	switch s = strings.ToLower(strings.TrimSpace(s)); s {
	case "amqp091", "amqp0.9.1", "amqp0-9-1", "amqp0_9_1", "amqp10", "amqp1.0", "amqp1-0", "amqp1_0", "amqp":
		return "amqp"
	case "amqps", "amqp/ssl", "amqp/tls":
		return "amqp/ssl"
	case "mqtt/ssl", "mqtts":
		return "mqtt/ssl"
	case "web_mqtt", "web-mqtt", "ws-mqtt":
		return "http/web-mqtt"
	case "web_stomp", "web-stomp":
		return "http/web-stomp"
	case "prometheus":
		return "http/prometheus"
	}
	return s
}

func (a *API) checkProtocol(rq *Request) (apitype.Health, error) {
	h := failed("No active listener")
	for asked := range strings.SplitSeq(rq.Var("protocol"), ",") {
		name := protocolName(asked)
		for _, l := range a.Node.Listeners() {
			if l.Protocol == name {
				return apitype.Health{Protocol: name}, nil
			}
			if !slices.Contains(h.Protocols, l.Protocol) {
				h.Protocols = append(h.Protocols, l.Protocol)
			}
		}
	}
	h.Missing = rq.Var("protocol")
	return h, nil
}

func (a *API) checkLeaders(rq *Request) (apitype.Health, error) {
	_, err := rq.VHost()
	return apitype.Health{}, err
}

func (a *API) checkInService(*Request) (apitype.Health, error) {
	switch {
	case !a.Node.AppRunning():
		return failed("the broker is not running"), nil
	case a.Node.Suspended():
		return failed("listeners are suspended"), nil
	}
	return apitype.Health{}, nil
}

func (a *API) oldCheck(rq *Request) error {
	if _, ok := rq.vars["node"]; ok {
		if err := rq.ThisNode(); err != nil {
			return err
		}
	}
	return rq.Reply(apitype.Health{Status: "ok"})
}

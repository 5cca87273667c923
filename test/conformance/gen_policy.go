package conformance

import "strings"

// policies are every key of a policy at work on what was there before, with
// and without an argument or an operator policy that says something else, and
// after the policy is gone.
func (g *generator) policies() {
	for _, c := range policyCases {
		name, script, _ := strings.Cut(c, ": ")
		g.add("policy/"+name, strings.Split(script, " ;; ")...)
	}
}

const settle = "sleep 300"

func put(kind, name, pattern, applyTo, definition string) string {
	return `http PUT /api/` + kind + `/$VH/` + name + ` {"pattern":"` + pattern + `","apply-to":"` + applyTo + `","definition":` + definition + `} ;; ` + settle
}

func policy(definition string) string { return put("policies", "%p", "^%q$", "queues", definition) }
func operator(definition string) string {
	return put("operator-policies", "%o", "^%q$", "queues", definition)
}

const (
	unpolicy   = "http DELETE /api/policies/$VH/%p ;; " + settle
	unoperator = "http DELETE /api/operator-policies/$VH/%o ;; " + settle
)

var policyCases = []string{
	"max-length-drops-at-once: open ;; qd %q ;; pubs - %q a,b,c,d ;; poll %q 4 ;; " + policy(`{"max-length":2}`) + " ;; poll %q 2 ;; " + unpolicy + " ;; pubs - %q e,f ;; poll %q 4 ;; drain %q",
	"max-length-argument-smaller: open ;; qd %q args={x-max-length:1} ;; " + policy(`{"max-length":3}`) + " ;; pubs - %q a,b,c,d ;; quiet ;; drain %q ;; " + unpolicy,
	"max-length-bytes: open ;; qd %q ;; pubs - %q aaaa,bbbb,cccc ;; poll %q 3 ;; " + policy(`{"max-length-bytes":9}`) + " ;; poll %q 2 ;; drain %q ;; " + unpolicy,
	"max-length-bytes-argument: open ;; qd %q args={x-max-length-bytes:5} ;; " + policy(`{"max-length-bytes":9}`) + " ;; pubs - %q aaaa,bbbb,cccc ;; quiet ;; drain %q ;; " + unpolicy,
	"overflow-reject: open ;; sel ;; qd %q args={x-max-length:1} ;; " + policy(`{"overflow":"reject-publish"}`) + " ;; pub - %q a ;; wait 1 ;; pub - %q b ;; wait 1 ;; drain %q ;; " + unpolicy + " ;; pub - %q c ;; wait 1 ;; pub - %q d ;; wait 1 ;; drain %q",
	"overflow-argument-wins: open ;; sel ;; qd %q args={x-max-length:1,x-overflow:\"drop-head\"} ;; " + policy(`{"overflow":"reject-publish"}`) + " ;; pub - %q a ;; wait 1 ;; pub - %q b ;; wait 1 ;; drain %q ;; " + unpolicy,
	"message-ttl: open ;; qd %q ;; " + policy(`{"message-ttl":100}`) + " ;; pub - %q a ;; sleep 500 ;; qs %q ;; " + unpolicy,
	"message-ttl-waiting-messages: open ;; qd %q ;; pub - %q a ;; poll %q 1 ;; " + policy(`{"message-ttl":100}`) + " ;; sleep 300 ;; pub - %q b ;; sleep 400 ;; qs %q ;; " + unpolicy,
	"message-ttl-argument-smaller: open ;; qd %q args={x-message-ttl:100} ;; " + policy(`{"message-ttl":100000}`) + " ;; pub - %q a ;; sleep 400 ;; qs %q ;; " + unpolicy,
	"expires: open ;; qd %q ;; " + policy(`{"expires":1000}`) + " ;; gone %q",
	"expires-removed: open ;; qd %q ;; " + policy(`{"expires":2000}`) + " ;; " + unpolicy + " ;; sleep 2500 ;; qs %q ;; qx %q",
	"dlx-without-key: open ;; qd %d exclusive ;; xd %dx fanout ;; qb %d %dx - ;; qd %q ;; pub - %q a ;; poll %q 1 ;; " + policy(`{"dead-letter-exchange":"%dx"}`) + " ;; get %q ;; nack 1 requeue=false ;; poll %d 1 ;; drain %d ;; " + unpolicy + " ;; pub - %q b ;; poll %q 1 ;; get %q ;; nack 3 requeue=false ;; quiet ;; qs %d ;; xx %dx",
	"dlx-argument-wins: open ;; qd %d exclusive ;; qd %e exclusive ;; qd %q args={x-dead-letter-exchange:\"\",x-dead-letter-routing-key:\"%d\"} ;; " + policy(`{"dead-letter-exchange":"","dead-letter-routing-key":"%e"}`) + " ;; pub - %q a ;; poll %q 1 ;; get %q ;; nack 1 requeue=false ;; poll %d 1 ;; qs %e ;; " + unpolicy,
	"dlx-maxlen-by-policy: open ;; qd %d exclusive ;; qd %q ;; pubs - %q a,b,c ;; poll %q 3 ;; " + policy(`{"max-length":1,"dead-letter-exchange":"","dead-letter-routing-key":"%d"}`) + " ;; poll %d 2 ;; drain %d ;; " + unpolicy,
	"alternate-exchange: open ;; qd %q exclusive ;; xd %x direct ;; xd %ae fanout ;; qb %q %ae - ;; pub %x k a mandatory ;; wait 1 ;; " + put("policies", "%p", "^%x$", "exchanges", `{"alternate-exchange":"%ae"}`) + " ;; pub %x k b mandatory ;; poll %q 1 ;; " + unpolicy + " ;; pub %x k c mandatory ;; wait 1 ;; drain %q ;; xx %x ;; xx %ae",
	"alternate-exchange-argument-wins: open ;; qd %q exclusive ;; qd %r exclusive ;; xd %ae fanout ;; xd %af fanout ;; qb %q %ae - ;; qb %r %af - ;; xd %x direct args={alternate-exchange:\"%ae\"} ;; " + put("policies", "%p", "^%x$", "exchanges", `{"alternate-exchange":"%af"}`) + " ;; pub %x k a ;; poll %q 1 ;; qs %r ;; " + unpolicy + " ;; xx %x ;; xx %ae ;; xx %af",
	"operator-smaller: open ;; qd %q ;; " + policy(`{"max-length":3}`) + " ;; " + operator(`{"max-length":2}`) + " ;; pubs - %q a,b,c,d ;; quiet ;; qs %q ;; " + unoperator + " ;; pubs - %q e,f ;; quiet ;; drain %q ;; " + unpolicy,
	"operator-larger: open ;; qd %q ;; " + policy(`{"max-length":1}`) + " ;; " + operator(`{"max-length":3}`) + " ;; pubs - %q a,b,c,d ;; quiet ;; qs %q ;; " + unpolicy + " ;; pubs - %q e,f,g,h ;; quiet ;; drain %q ;; " + unoperator,
	"operator-alone: open ;; qd %q ;; " + operator(`{"max-length":1}`) + " ;; pubs - %q a,b ;; quiet ;; drain %q ;; " + unoperator,
	"operator-adds-a-key: open ;; qd %q ;; " + policy(`{"max-length":3}`) + " ;; " + operator(`{"message-ttl":100}`) + " ;; pub - %q a ;; sleep 400 ;; qs %q ;; " + unoperator + " ;; " + unpolicy,
	"operator-overflow-wins: open ;; sel ;; qd %q ;; " + policy(`{"max-length":1,"overflow":"drop-head"}`) + " ;; " + operator(`{"overflow":"reject-publish"}`) + " ;; pub - %q a ;; wait 1 ;; pub - %q b ;; wait 1 ;; drain %q ;; " + unoperator + " ;; " + unpolicy,
	"operator-against-argument: open ;; qd %q args={x-max-length:5} ;; " + operator(`{"max-length":2}`) + " ;; pubs - %q a,b,c,d ;; quiet ;; drain %q ;; " + unoperator,
	"priority: open ;; qd %q ;; http PUT /api/policies/$VH/%p {\"pattern\":\"^%q\",\"priority\":1,\"definition\":{\"max-length\":1}} ;; http PUT /api/policies/$VH/%p2 {\"pattern\":\"^%q\",\"priority\":2,\"definition\":{\"max-length\":2}} ;; " + settle + " ;; pubs - %q a,b,c ;; quiet ;; qs %q ;; http DELETE /api/policies/$VH/%p2 ;; " + settle + " ;; poll %q 1 ;; " + unpolicy,
	"one-policy-at-a-time: open ;; qd %q ;; http PUT /api/policies/$VH/%p {\"pattern\":\"^%q\",\"priority\":1,\"definition\":{\"max-length\":1}} ;; http PUT /api/policies/$VH/%p2 {\"pattern\":\"^%q\",\"priority\":2,\"definition\":{\"message-ttl\":100000}} ;; " + settle + " ;; pubs - %q a,b,c ;; quiet ;; qs %q ;; http DELETE /api/policies/$VH/%p2 ;; " + unpolicy,
	"apply-to-exchanges-not-queues: open ;; qd %q ;; " + put("policies", "%p", "^%q$", "exchanges", `{"alternate-exchange":"amq.fanout"}`) + " ;; pubs - %q a,b ;; quiet ;; drain %q ;; " + unpolicy,
	"new-queue-under-policy: open ;; " + policy(`{"max-length":1}`) + " ;; qd %q ;; pubs - %q a,b ;; quiet ;; drain %q ;; " + unpolicy,
	"changed: open ;; qd %q ;; " + policy(`{"max-length":1}`) + " ;; " + policy(`{"max-length":2}`) + " ;; pubs - %q a,b,c ;; quiet ;; drain %q ;; " + unpolicy,
	"arguments-stay: open ;; qd %q args={x-max-length:5} ;; " + policy(`{"max-length":1}`) + " ;; qd %q args={x-max-length:5} ;; qd %q args={x-max-length:1} ;; " + unpolicy,
	"quorum-max-length: open ;; qd %q durable args={x-queue-type:\"quorum\"} ;; pubs - %q a,b,c ;; poll %q 3 ;; " + policy(`{"max-length":1}`) + " ;; pub - %q d ;; poll %q 1 ;; drain %q ;; " + unpolicy + " ;; qx %q",
	"quorum-overflow-policy-wins: open ;; sel ;; qd %q durable args={x-queue-type:\"quorum\",x-max-length:1,x-overflow:\"reject-publish\"} ;; " + policy(`{"overflow":"drop-head"}`) + " ;; pub - %q a ;; wait 1 ;; pub - %q b ;; wait 1 ;; pub - %q c ;; wait 1 ;; poll %q 1 ;; " + unpolicy + " ;; qx %q",
	"quorum-delivery-limit: open ;; qd %d exclusive ;; qd %q durable args={x-queue-type:\"quorum\"} ;; " + policy(`{"delivery-limit":1,"dead-letter-exchange":"","dead-letter-routing-key":"%d"}`) + " ;; pub - %q a ;; poll %q 1 ;; get %q ;; rej 1 ;; poll %q 1 ;; get %q ;; rej 2 ;; poll %d 1 ;; " + unpolicy + " ;; qx %q",
	"refused-unknown-key: " + `http PUT /api/policies/$VH/%p {"pattern":".*","definition":{"nonsense":1}}`,
	"refused-bad-value: " + `http PUT /api/policies/$VH/%p {"pattern":".*","definition":{"max-length":-1}}`,
	"refused-bad-type: " + `http PUT /api/policies/$VH/%p {"pattern":".*","definition":{"max-length":"1"}}`,
	"refused-empty: " + `http PUT /api/policies/$VH/%p {"pattern":".*","definition":{}}`,
	"refused-bad-pattern: " + `http PUT /api/policies/$VH/%p {"pattern":"(","definition":{"max-length":1}}`,
	"refused-bad-apply-to: " + `http PUT /api/policies/$VH/%p {"pattern":".*","apply-to":"zebras","definition":{"max-length":1}}`,
	"refused-operator-dlx: " + `http PUT /api/operator-policies/$VH/%o {"pattern":".*","apply-to":"queues","definition":{"dead-letter-exchange":"x"}}`,
	"refused-overflow: " + `http PUT /api/policies/$VH/%p {"pattern":".*","definition":{"overflow":"spill"}}`,
	"refused-expires-0: " + `http PUT /api/policies/$VH/%p {"pattern":".*","definition":{"expires":0}}`,
	"refused-priority: " + `http PUT /api/policies/$VH/%p {"pattern":".*","priority":"high","definition":{"expires":1}}`,
}

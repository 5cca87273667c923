package conformance

import "strings"

// permissions is the matrix of who may do what: each operation, on what is
// there and on what is not, by a user with each combination of the three
// permissions. The order of checks shows in which error wins.
func (g *generator) permissions() {
	for _, op := range permOps {
		name, script, _ := strings.Cut(op, ": ")
		for _, p := range []string{"---", "c--", "-w-", "--r", "cw-", "c-r", "-wr", "cwr"} {
			g.permCase("matrix/"+name+"-"+p, p, script)
		}
	}
	for _, c := range namedPermCases {
		f := strings.SplitN(c, " | ", 5)
		g.add("matrix/"+f[0], append([]string{
			putUser, grant(f[1], f[2], f[3])}, permFixture+" ;; "+f[4])...)
	}
	for _, c := range topicPermCases {
		f := strings.SplitN(c, " | ", 4)
		g.add("matrix/topic-"+f[0], putUser, grant(".*", ".*", ".*"),
			`http PUT /api/topic-permissions/$VH/%u {"exchange":"%t","write":"`+f[1]+`","read":"`+f[2]+`"}`,
			permFixture+" ;; "+f[3])
	}
	for _, c := range changingPermCases {
		name, script, _ := strings.Cut(c, ": ")
		g.add("matrix/live-"+name, append([]string{putUser, grant(".*", ".*", ".*"), permFixture},
			strings.Split(script, " ;; ")...)...)
	}
}

const putUser = `http PUT /api/users/%u {"password":"p","tags":""}`

func grant(configure, write, read string) string {
	return `http PUT /api/permissions/$VH/%u {"configure":"` + configure + `","write":"` + write + `","read":"` + read + `"}`
}

// permFixture is what an administrator has made: %q, %x (direct), %f (fanout),
// %t (topic), %i (internal), a binding, and one message in %q.
const permFixture = "@B open ;; @B qd %q ;; @B xd %x direct ;; @B xd %f fanout ;; @B xd %t topic ;; @B xd %i fanout internal" +
	" ;; @B qb %q %x k ;; @B pub %x k first ;; @B poll %q 1 ;; open user=%u pass=p"

func (g *generator) permCase(name, p, script string) {
	re := func(on bool) string {
		if on {
			return ".*"
		}
		return "^$"
	}
	g.add(name, putUser, grant(re(p[0] == 'c'), re(p[1] == 'w'), re(p[2] == 'r')), permFixture+" ;; "+script)
}

var permOps = []string{
	"queue-declare: qd %new",
	"queue-declare-existing: qd %q",
	"queue-declare-unequal: qd %q auto-delete",
	"queue-declare-passive: qd %q passive",
	"queue-declare-passive-missing: qd %new passive",
	"queue-declare-server-named: qd - exclusive",
	"queue-declare-dlx: qd %new args={x-dead-letter-exchange:\"%x\"}",
	"queue-declare-dlx-existing: qd %q args={x-dead-letter-exchange:\"%x\"}",
	"queue-declare-dlx-default: qd %new args={x-dead-letter-exchange:\"\"}",
	"queue-declare-bad-argument: qd %new args={x-max-length:-1,x-dead-letter-exchange:\"%x\"}",
	"queue-declare-dlx-of-bad-type: qd %new args={x-dead-letter-exchange:5}",
	"queue-declare-reserved: qd amq.foo",
	"queue-delete: qx %q",
	"queue-delete-missing: qx %new",
	"queue-delete-if-empty: qx %q if-empty",
	"queue-purge: qp %q",
	"queue-purge-missing: qp %new",
	"queue-bind: qb %q %x k2",
	"queue-bind-missing-queue: qb %new %x k",
	"queue-bind-missing-exchange: qb %q %new k",
	"queue-bind-default-exchange: qb %q - k",
	"queue-unbind: qu %q %x k",
	"queue-unbind-missing: qu %q %x nosuch",
	"queue-unbind-missing-queue: qu %new %x k",
	"exchange-declare: xd %new direct",
	"exchange-declare-existing: xd %x direct",
	"exchange-declare-unequal: xd %x fanout",
	"exchange-declare-passive: xd %x direct passive",
	"exchange-declare-passive-missing: xd %new direct passive",
	"exchange-declare-default: xd - direct",
	"exchange-declare-reserved: xd amq.foo direct",
	"exchange-declare-unknown-type: xd %new nosuch",
	"exchange-declare-ae: xd %new direct args={alternate-exchange:\"%f\"}",
	"exchange-declare-ae-existing: xd %x direct args={alternate-exchange:\"%f\"}",
	"exchange-declare-ae-of-bad-type: xd %new direct args={alternate-exchange:5}",
	"exchange-delete: xx %x",
	"exchange-delete-missing: xx %new",
	"exchange-delete-if-unused: xx %x if-unused",
	"exchange-delete-reserved: xx amq.direct",
	"exchange-delete-default: xx -",
	"exchange-bind: xb %f %x k",
	"exchange-bind-missing-source: xb %f %new k",
	"exchange-bind-missing-destination: xb %new %x k",
	"exchange-bind-default-source: xb %f - k",
	"exchange-bind-default-destination: xb - %x k",
	"exchange-unbind: xu %f %x k",
	"publish: pub %x k hi ;; poll %q 2",
	"publish-default-exchange: pub - %q hi ;; poll %q 2",
	"publish-internal: pub %i k hi ;; quiet 200",
	"publish-missing-exchange: pub %new k hi ;; wait 1",
	"get: get %q no-ack",
	"get-missing: get %new",
	"consume: con %q tag no-ack ;; quiet 200",
	"consume-missing: con %new tag",
	"reply-queue: con amq.rabbitmq.reply-to tag no-ack ;; qd amq.rabbitmq.reply-to passive",
}

// namedPermCases are: name | configure | write | read | script.
var namedPermCases = []string{
	"name-prefix | ^%mine | ^%mine | ^%mine | qd %mine ;; qd %other",
	"name-matches-anywhere | ine$ | .* | .* | qd %mine ;; qd %miner",
	"name-is-not-a-pattern | ^%q$ | .* | .* | qd %qx",
	"dlx-read-on-queue | .* | .* | ^$ | qd %new args={x-dead-letter-exchange:\"%x\"}",
	"dlx-write-on-exchange | .* | ^%f | .* | qd %new args={x-dead-letter-exchange:\"%x\"}",
	"dlx-write-on-default-exchange | .* | ^amq.default$ | .* | qd %new args={x-dead-letter-exchange:\"\"}",
	"dlx-missing-exchange | .* | ^%f | .* | qd %new args={x-dead-letter-exchange:\"%nosuch\"}",
	"ae-write-on-alternate | .* | ^%x | .* | xd %new direct args={alternate-exchange:\"%f\"}",
	"bind-write-on-queue-only | ^$ | ^%q | ^$ | qb %q %x k2",
	"bind-both | ^$ | ^%q | ^%x | qb %q %x k2",
	"e2e-both | ^$ | ^%f | ^%x | xb %f %x k2",
	"default-exchange-by-name | ^$ | ^amq.default$ | ^$ | pub - %q hi ;; poll %q 2 ;; pub %x k hi ;; wait 1",
	"default-exchange-not-by-queue | ^$ | ^%q$ | ^$ | pub - %q hi ;; wait 1",
	"publish-several-then-refused | ^$ | ^%x$ | ^$ | pub %x k a ;; pub %x k b ;; pub %f k c ;; wait 1",
	"user-id-right | .* | .* | .* | pub %x k hi user-id=%u ;; poll %q 2",
	"user-id-wrong | .* | .* | .* | pub %x k hi user-id=guest ;; wait 1",
	"user-id-before-expiration | .* | .* | .* | pub %x k hi user-id=guest expiration=abc ;; wait 1",
	"user-id-to-refused-exchange | .* | ^$ | .* | pub %x k hi user-id=guest ;; wait 1",
	"negative-lookahead | ^(?!%q).*$ | .* | .* | qd %new ;; qd %q",
	"brackets | ^%[a-c]+$ | .* | .* | qd %abc ;; qd %abd",
	"unicode | ^.*ü$ | .* | .* | qd \"%fü\" ;; qd %fu",
}

// topicPermCases are: name | write | read | script. %t is the exchange.
var topicPermCases = []string{
	"publish | ^a | .* | pub %t a.b hi ;; quiet 100 ;; pub %t b.a hi ;; wait 1",
	"publish-none | ^$ | .* | pub %t a hi ;; wait 1",
	"publish-cc-is-not-checked | ^a | .* | qd %mine exclusive ;; qb %mine %t # ;; pub %t a hi headers={CC:[\"b\"]} ;; poll %mine 1",
	"bind | .* | ^a | qb %q %t a.# ;; qb %q %t b.#",
	"unbind | .* | ^a | qu %q %t a ;; qu %q %t b",
	"bind-e2e | .* | ^a | xb %f %t a ;; xb %f %t b",
	"bind-with-empty-key | .* | ^$ | qb %q %t -",
	"read-only-limits-bind | ^$ | .* | qb %q %t b ;; pub %t b hi ;; wait 1",
	"other-exchange | ^$ | ^$ | pub %x k hi ;; poll %q 2 ;; qb %q amq.topic b",
	"username | ^{username}\\\\. | .* | pub %t %u.a hi ;; quiet 100 ;; pub %t other.a hi ;; wait 1",
	"vhost | ^{vhost}$ | .* | pub %t $VH hi ;; quiet 100 ;; pub %t other hi ;; wait 1",
	"client-id-is-unknown | ^{client_id}$ | .* | pub %t abc hi ;; wait 1",
	"consume-is-not-checked | .* | ^$ | get %q no-ack",
}

// changingPermCases change what a connected user may do.
var changingPermCases = []string{
	"permission-given: http PUT /api/permissions/$VH/%u {\"configure\":\"^$\",\"write\":\"^$\",\"read\":\"^$\"} ;; sleep 300 ;; qd %a ;; chan" +
		" ;; http PUT /api/permissions/$VH/%u {\"configure\":\".*\",\"write\":\"^$\",\"read\":\"^$\"} ;; sleep 300 ;; qd %a",
	"permission-taken-other-name: pub %x k a ;; poll %q 2 ;; http PUT /api/permissions/$VH/%u {\"configure\":\"^$\",\"write\":\"^$\",\"read\":\"^$\"} ;; sleep 300 ;; pub %f k b ;; wait 1",
	"permission-taken-new-channel: pub %x k a ;; poll %q 2 ;; http PUT /api/permissions/$VH/%u {\"configure\":\"^$\",\"write\":\"^$\",\"read\":\"^$\"} ;; sleep 300 ;; @A.2 chan ;; @A.2 pub %x k b ;; wait 1",
	"consumer-goes-on: con %q tag no-ack ;; wait 1 ;; http PUT /api/permissions/$VH/%u {\"configure\":\"^$\",\"write\":\"^$\",\"read\":\"^$\"} ;; sleep 300 ;; @B pub %x k b ;; wait 1",
	"permissions-cleared: http DELETE /api/permissions/$VH/%u ;; sleep 300 ;; qd %a ;; quiet 300",
	"permissions-cleared-new-connection: http DELETE /api/permissions/$VH/%u ;; sleep 300 ;; @C open user=%u pass=p",
	"password-changed: http PUT /api/users/%u {\"password\":\"other\",\"tags\":\"\"} ;; sleep 300 ;; qd %a ;; @C open user=%u pass=p ;; @D open user=%u pass=other",
	"user-deleted: http DELETE /api/users/%u ;; wait 1 ;; quiet 300",
	"user-deleted-login: close ;; http DELETE /api/users/%u ;; @C open user=%u pass=p",
	"impersonator-given: http PUT /api/users/%u {\"password\":\"p\",\"tags\":\"impersonator\"} ;; sleep 300 ;; pub %x k hi user-id=guest ;; quiet 300",
	"impersonator: http PUT /api/users/%u {\"password\":\"p\",\"tags\":\"impersonator\"} ;; @C open user=%u pass=p ;; @C pub %x k hi user-id=guest ;; poll %q 2",
	"topic-permission-given: http PUT /api/topic-permissions/$VH/%u {\"exchange\":\"%t\",\"write\":\"^a\",\"read\":\".*\"} ;; sleep 300 ;; pub %t b hi ;; wait 1",
	"topic-permission-cleared: http PUT /api/topic-permissions/$VH/%u {\"exchange\":\"%t\",\"write\":\"^a\",\"read\":\".*\"} ;; http DELETE /api/topic-permissions/$VH/%u ;; sleep 300 ;; pub %t b hi ;; quiet 300",
	"update-secret: connection.update-secret new-secret=abc reason=test ;; qd %a",
}

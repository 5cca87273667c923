package conformance

import (
	"fmt"
	"strings"
)

// properties sends every basic property, and good and bad expirations.
func (g *generator) properties() {
	props := []string{`content-type="text/plain"`, `content-encoding=gzip`, `delivery-mode=0`, `delivery-mode=1`, `delivery-mode=2`, `delivery-mode=3`, `delivery-mode=255`, `priority=0`, `priority=9`, `priority=255`, `correlation-id="c-1"`, `reply-to=rq`, `message-id=m1`, `timestamp=1700000000`, `timestamp=0`, `timestamp=18446744073709551615`, `type=ty`, `user-id=guest`, `app-id=ap`, `cluster-id=cl`, `content-type=""`, `expiration=60000`}
	for i, p := range props {
		g.add(fmt.Sprintf("props/one-%02d-%s", i, inName(p)), "open ;; qd %q exclusive ;; pub - %q hi "+p+" ;; poll %q 1 ;; get %q no-ack")
	}
	allp := `content-type="text/plain" content-encoding=gzip headers={a:1} delivery-mode=2 priority=3 correlation-id=c reply-to=r expiration=60000 message-id=m timestamp=1700000000 type=t user-id=guest app-id=a cluster-id=cl`
	g.add("props/all", "open ;; qd %q exclusive ;; pub - %q hi "+allp+" ;; poll %q 1 ;; get %q no-ack")
	g.add("props/all-consume", "open ;; qd %q exclusive ;; con %q t no-ack ;; pub - %q hi "+allp+" ;; wait 1")
	g.add("props/all-through-dlx", `open ;; qd %d exclusive ;; qd %q exclusive args={x-dead-letter-exchange:"",x-dead-letter-routing-key:"%d"} ;; pub - %q hi `+allp+` ;; poll %q 1 ;; get %q ;; rej 1 requeue=false ;; poll %d 1 ;; get %d no-ack`)
	g.add("props/all-returned", "open ;; pub - %q hi mandatory "+allp+" ;; wait 1")
	for ei, e := range []string{"0", "1000", "-1", "abc", `""`, "1.5", "4294967295", "4294967296", "315360000000", "315360000001", "99999999999999999999", `" 5"`, `"5 "`, "+5", "0x10", "1e3", "007"} {
		exp := e
		if strings.HasPrefix(e, "0") || e == "+5" {
			exp = e
		}
		g.add(fmt.Sprintf("props/expiration-%02d-%s", ei, inName(e)), "open ;; qd %q exclusive ;; con %q t no-ack ;; pub - %q hi expiration="+exp+" ;; wait 1 700")
	}
}

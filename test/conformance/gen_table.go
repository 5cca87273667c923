package conformance

import (
	"fmt"
	"strings"
)

// fieldTables sends values of every type through headers, plain and encoded anew by
// dead-lettering.
func (g *generator) fieldTables() {
	all := []string{"true", "false", "b-128", "b127", "B255", "B0", "s-32768", "s32767", "u65535", "I-2147483648", "2147483647", "i4294967295", "l-9223372036854775808", "l9223372036854775807", "L18446744073709551615", "f1.5", "f-0.25", "d3.141592653589793", "d-1e300", "D12345/2", "D-5/0", "D2147483647/255", `"text"`, `""`, `"\x00\xff"`, `x"\x00\x01\xff"`, `x""`, "T0", "T1700000000000", "T18446744073709551615", "V", "[]", `[1,"a",true,V,[2,[3]],{k:V}]`, "{}", `{a:{b:{c:[{d:1}]}}}`}
	for i, v := range all {
		n := inName(v)
		if strings.ContainsAny(v, `"[{`) {
			n = fmt.Sprintf("value%d", i)
		}
		g.add("table/headers-"+n, fmt.Sprintf(`open ;; qd %%d exclusive ;; qd %%q exclusive args={x-dead-letter-exchange:"",x-dead-letter-routing-key:"%%d"} ;; pub - %%q hi headers={h:%s} ;; poll %%q 1 ;; get %%q ;; nack 1 requeue=false ;; poll %%d 1 ;; get %%d no-ack`, v))
	}
	g.add("table/headers-many-keys", `open ;; qd %q exclusive ;; pub - %q hi headers={z:1,a:2,m:3,"":4,"a b":5,"é":6,z:7} ;; poll %q 1 ;; get %q no-ack`)
	g.add("table/headers-empty", `open ;; qd %q exclusive ;; pub - %q hi headers={} ;; poll %q 1 ;; get %q no-ack`)
	g.add("table/headers-big-40k", `open ;; qd %q exclusive ;; pub - %q hi headers={h:#40000*x} ;; poll %q 1 ;; get %q no-ack`)
	g.add("table/args-all-types-accepted-on-bind", `open ;; qd %q exclusive ;; xd %x direct ;; qb %q %x k args={a:true, b:b-1, c:B200, s:s-5, u:u7, i:i9, I:I-9, l:l5, f:f1.5, d:d2.5, D:D12345/2, S:"x", x:x"bin", A:[1,"a",{z:1}], F:{k:{v:V}}, T:T1000000000, V:V} ;; pub %x k hi ;; poll %q 1`)
	// unknown type letters
	for _, h := range []string{"5a", "43", "63", "6e"} {
		g.add("table/unknown-type-"+h, "open ;; qd %q exclusive ;; basic.publish - %q ;; hdr size=2 rawprops=2000000000030161"+h+" ;; body hi ;; wait 1 1000")
	}
}

package conformance

import (
	"fmt"
	"os/exec"
	"strings"
)

// opCtl runs the broker's rabbitmqctl.
func opCtl(r *Run, s *statement) {
	_, args, _ := strings.Cut(s.line, "ctl")
	if r.ep.Control != nil {
		if err := r.ep.Control(strings.Fields(args)); err != nil {
			panic(fmt.Sprintf("ctl: %v", err))
		}
		return
	}
	if r.ep.Ctl == "" {
		panic("needs a ctl command")
	}
	out, err := exec.Command("/bin/sh", "-c", r.ep.Ctl+" "+strings.TrimSpace(args)).CombinedOutput()
	if err != nil {
		panic(fmt.Sprintf("ctl: %v %s", err, out))
	}
}

// opHTTP calls the management API: http METHOD path [json]
func opHTTP(r *Run, s *statement) {
	method, path, body := s.arg(0), s.arg(1), ""
	if i := strings.Index(s.line, path); i >= 0 {
		body = strings.TrimSpace(s.line[i+len(path):])
	}
	st, msg := r.ep.api(method, path, body)
	if st < 200 || st >= 300 {
		r.log(fmt.Sprintf("http status %d", st), msg)
	}
	if method != "PUT" {
		return
	}
	if u, ok := strings.CutPrefix(path, "/api/users/"); ok {
		r.users = append(r.users, u)
	}
	if v, ok := strings.CutPrefix(path, "/api/vhosts/"); ok && !strings.Contains(v, "/") {
		r.vhosts = append(r.vhosts, v)
	}
}

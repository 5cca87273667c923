package server

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// The debug pages are there for administrators only.
func TestDebugPages(t *testing.T) {
	s := start(t)
	traffic(t, s)
	page := func(path, user, password string) (int, string) {
		t.Helper()
		for _, l := range s.Listeners() {
			if l.Protocol == ProtocolHTTP {
				rq, err := http.NewRequest("GET", "http://"+net.JoinHostPort(l.Address, strconv.Itoa(l.Port))+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				if user != "" {
					rq.SetBasicAuth(user, password)
				}
				resp, err := http.DefaultClient.Do(rq)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				raw, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				return resp.StatusCode, string(raw)
			}
		}
		t.Fatal("no management listener")
		return 0, ""
	}
	for path, want := range map[string]string{
		"/debug": "/debug/queues", "/debug/": "/debug/queues", "/debug/connections": "channel 2 ", "/debug/queues": `"shape.q" in "/"`,
		"/debug/commits": "waiting to be written", "/debug/memory": "goroutines", "/debug/pprof/goroutine?debug=1": "goroutine profile",
	} {
		if code, body := page(path, "guest", "guest"); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, no %q in\n%s", path, code, want, body)
		}
		if code, _ := page(path, "guest", "wrong"); code != 401 {
			t.Errorf("%s with a wrong password: %d", path, code)
		}
		if code, _ := page(path, "", ""); code != 401 {
			t.Errorf("%s for nobody: %d", path, code)
		}
	}
}

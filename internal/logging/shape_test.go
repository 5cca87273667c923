package logging

import (
	"errors"
	"log/slog"
	"testing"
	"time"
)

// Lines and objects as somebody wants them, in RabbitMQ's way of saying so.
func TestShapes(t *testing.T) {
	e := &entry{time: time.Date(2026, 11, 20, 12, 59, 26, 366164000, time.UTC), level: Warning, category: "queue", text: "it is\nfull",
		attrs: []slog.Attr{slog.String("vhost", "/"), slog.Int("n", 5), slog.Any("reason", errors.New("x y"))}}
	must := func(f Format, err error) Format {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	pattern := func(s string) Format { p, err := ParsePattern(s); return must(Format{Level: "uc4", Pattern: p}, err) }
	fields := func(s, verbosity string) Format {
		f, err := ParseFields(s)
		v, err2 := ParseVerbosity(verbosity)
		return must(Format{JSON: true, Time: "epoch_secs", Fields: f, Verbosity: v}, errors.Join(err, err2))
	}
	for _, c := range []struct {
		f    Format
		want string
	}{
		{pattern("$time [$level] $pid - $msg"), `2026-11-20 12:59:26.366164+00:00 [WARN] <queue> - it is\nfull vhost=/ n=5 reason="x y"`},
		{pattern("$level|$domain|$vhost|$nosuch|$msg  "), `WARN|rabbitmq.queue|/|<unknown nosuch>|it is\nfull vhost=/ n=5 reason="x y"`},
		{pattern("$n"), `5`},
		{fields("time:ts level msg *:-", ""), `{"ts":1795179566,"level":"warning","msg":"it is\nfull"}`},
		{fields("msg vhost:n reason:-", ""), `{"msg":"it is\nfull","n":"/","time":1795179566,"level":"warning","domain":"rabbitmq.queue","attr.n":5}`},
		{fields("verbosity:v msg gl:- pid *:-", "debug:2 info:1 *:0"), `{"v":0,"msg":"it is\nfull"}`},
		{fields("level verbosity msg *:-", "debug:2"), `{"level":"warning","msg":"it is\nfull"}`},
		{must(Format{JSON: true, Time: "epoch_secs", Verbosity: map[string]int64{"warning": 3}}, nil),
			`{"time":1795179566,"level":"warning","verbosity":3,"msg":"it is\nfull","domain":"rabbitmq.queue","vhost":"/","n":5,"reason":"x y"}`},
	} {
		if got := string(c.f.append(nil, e)); got != c.want+"\n" {
			t.Errorf("%s\nwant\n%s", got, c.want)
		}
	}
	for _, s := range []string{"", "costs $ 5", "$time $", "a\tb"} {
		if _, err := ParsePattern(s); err == nil {
			t.Errorf("the pattern %q is accepted", s)
		}
	}
	for _, s := range []string{"*:x", "*", "a: b", ":a", "a:x b:x"} {
		if _, err := ParseFields(s); err == nil {
			t.Errorf("the fields %q are accepted", s)
		}
	}
	for _, s := range []string{"debug", "debug:x", "loud:1"} {
		if _, err := ParseVerbosity(s); err == nil {
			t.Errorf("the numbers %q are accepted", s)
		}
	}
	if v, err := ParseVerbosity("debug:2 *:7"); err != nil || v["debug"] != 2 || v["emergency"] != 7 {
		t.Errorf("%v %v", v, err)
	}
}

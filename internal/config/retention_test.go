package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/server"
)

func TestRetention(t *testing.T) {
	c, _, err := in(t, map[string]string{"rabbitmq.conf": `
management.sample_retention_policies.global.day    = 1200
management.sample_retention_policies.global.minute = 5
management.sample_retention_policies.global.3660   = 60
management.sample_retention_policies.detailed.10   = 5
`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := func(span, step int) server.Samples {
		return server.Samples{Span: time.Duration(span) * time.Second, Step: time.Duration(step) * time.Second}
	}
	want := server.Retention{Global: []server.Samples{s(60, 5), s(3660, 60), s(86400, 1200)}, Detailed: []server.Samples{s(10, 5)}}
	if got := c.Server.Management.Retention; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for line, want := range map[string]string{
		"some.minute = 5":         `"some": want global, basic or detailed`,
		"basic.week = 5":          `"week": want minute, hour, day`,
		"basic.minute = 0":        "seconds between samples",
		"basic.minute = 61":       "seconds between samples",
		"basic.minute = x":        "seconds between samples",
		"global.99999999999 = 60": "want minute, hour, day",
	} {
		_, _, err := in(t, map[string]string{"rabbitmq.conf": "management.sample_retention_policies." + line}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

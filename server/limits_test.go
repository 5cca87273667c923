package server

import "testing"

func TestParseBytes(t *testing.T) {
	for s, want := range map[string]int64{"0": 0, "1024": 1024, "50MB": 50e6, "8GB": 8e9, "2GiB": 2 << 30, "3k": 3000, "1Ti": 1 << 40,
		"": -1, "GB": -1, "-1": -1, "1.5GB": -1, "1GBB": -1, "99999999PiB": -1} {
		got, err := parseBytes(s)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

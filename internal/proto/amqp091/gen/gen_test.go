package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const factsFile = "../../../../spec/amqp0-9-1.json"

// TestGeneratedFilesAreCurrent fails when the facts or the generator changed and nobody ran go generate.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	want, err := generate(factsFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		have, err := os.ReadFile(filepath.Join("../wire", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, text) {
			t.Errorf("wire/%s is not what gen writes: run go generate ./internal/proto/amqp091/wire", name)
		}
	}
	there, err := filepath.Glob("../wire/*_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range there {
		if _, ok := want[filepath.Base(path)]; !ok {
			t.Errorf("wire/%s is left over: gen does not write it", filepath.Base(path))
		}
	}
}

func TestFactsCheck(t *testing.T) {
	domains := []Domain{{"bit", "bit"}}
	method := Method{Name: "m", ID: 1, To: []string{"server"}}
	for name, f := range map[string]*Facts{
		"same id 1":        {Classes: []Class{{Name: "c", Methods: []Method{method, {Name: "n", ID: 1, To: []string{"client"}}}}}},
		"nobody receives":  {Classes: []Class{{Name: "c", Methods: []Method{{Name: "m"}}}}},
		"unknown domain":   {Domains: domains, Classes: []Class{{Name: "c", Methods: []Method{{Name: "m", To: []string{"server"}, Fields: []Field{{Domain: "x"}}}}}}},
		"unknown response": {Classes: []Class{{Name: "c", Methods: []Method{{Name: "m", To: []string{"server"}, Responses: []string{"x"}}}}}},
		"more properties":  {Domains: domains, Classes: []Class{{Name: "c", Properties: slices.Repeat([]Field{{Domain: "bit"}}, 15)}}},
	} {
		if err := f.check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: check says %v", name, err)
		}
	}
}

package plugins

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "enabled_plugins")
	if _, ok, err := Read(file); ok || err != nil {
		t.Errorf("no file: %v, %v", ok, err)
	}
	want := []string{Management, Prometheus}
	if err := Write(file, want); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(file); string(b) != "[rabbitmq_management,rabbitmq_prometheus].\n" {
		t.Errorf("the file says %q", b)
	}
	if got, ok, err := Read(file); !ok || err != nil || !slices.Equal(got, want) {
		t.Errorf("read %v, %v, %v", got, ok, err)
	}
	for text, want := range map[string]string{"[a, 1].": "want a list of plugins", "a.": "want a list", "[a": "line 1"} {
		os.WriteFile(file, []byte(text), 0o600)
		if _, _, err := Read(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNames(t *testing.T) {
	if err := Check(Management, "nosuch"); err == nil || err.(*UnknownError).Names[0] != "nosuch" {
		t.Errorf("nosuch: %v", err)
	}
	if err := Check("rabbitmq_top"); err == nil || !strings.Contains(err.Error(), "cannot be enabled: it shows Erlang processes") {
		t.Errorf("top: %v", err)
	}
	if got := Closure([]string{Management}); !slices.Equal(got, []string{Management, Agent, Dispatch}) {
		t.Errorf("closure %v", got)
	}
	if got := Requiring([]string{Management, Prometheus, "rabbitmq_auth_mechanism_ssl"}, []string{Agent}); !slices.Equal(got, []string{Management, Prometheus}) {
		t.Errorf("requiring %v", got)
	}
	if good, bad := Split([]string{"x", Management}); len(good) != 1 || len(bad) != 1 {
		t.Errorf("split %v, %v", good, bad)
	}
}

package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/warrenmq/warren/brokertest"
)

// What of amqp091-go's own tests is left out, and why.
var leftOut = map[string][]string{
	"needs rabbitmqctl to set off the memory alarm": {
		"TestConnection_Close_WhenMemoryAlarmIsActive",
	},
	"closes connections by the management API": {
		"TestConnectionRecoveryPublish",
		"TestConnectionRecoveryConsume",
		"TestConnectionRecoveryCustomSASLPlainAuth",
		"TestConnectionRecoveryChannelIDReservation",
		"TestConnectionRecoveryLifeCycleNotifyStateChange",
		"TestConnectionRecoveryCancelInterrupt",
		"TestConnectionRecoveryExclusiveQueue",
		"TestConnectionRecoveryDeletedQueueSkip",
		"TestConnectionRecoveryTopologyOnlyTransient",
		"TestConnectionRecoveryMultiChannelTopology",
		"TestConnectionRecoveryTopologyAllEnabled",
		"TestConnectionRecoveryTopologyDisabled",
		"TestConnectionRecoveryExhaustionDoesNotPanic",
		"TestConnectionRecoveryAutoDeleteTopologyForgotten",
		"TestConnectionRecoveryAutoDeleteExchangeCascade",
		"TestConnectionRecoverySkipAndContinue",
		"TestConnectionRecoveryConsumerNotForgottenAfterFailedResubscribe",
	},
}

// The tests that Go's client library brings along pass, run from its module.
func TestAMQP091Go(t *testing.T) {
	t.Parallel()
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/rabbitmq/amqp091-go")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	// The module cache is read-only, and its tests write beside themselves.
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(strings.TrimSpace(string(out)))); err != nil {
		t.Fatal(err)
	}
	var skip []string
	for why, tests := range leftOut {
		t.Logf("left out, %s: %s", why, strings.Join(tests, ", "))
		skip = append(skip, tests...)
	}
	checkNames(t, dir, skip)

	b := brokertest.Start(t)
	cmd := exec.Command("go", "test", "-tags", "integration", "-v", "-count=1", "-timeout", "5m",
		"-skip", "^("+strings.Join(skip, "|")+")$", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "AMQP_URL="+b.URL(), "GOWORK=off", "GOFLAGS=-mod=mod")
	log, err := cmd.CombinedOutput()
	verdicts := regexp.MustCompile(`(?m)^--- (PASS|FAIL|SKIP): (\w+)`).FindAllStringSubmatch(string(log), -1)
	passed := 0
	for _, v := range verdicts {
		switch v[1] {
		case "PASS":
			passed++
		case "FAIL":
			t.Errorf("%s failed", v[2])
		case "SKIP":
			t.Errorf("%s skips itself, and is not on the list", v[2])
		}
	}
	if err != nil || t.Failed() {
		t.Fatalf("%v\n%s", err, log)
	}
	if passed < 200 || !slices.ContainsFunc(verdicts, func(v []string) bool { return v[2] == "TestIntegrationPublishConsume" }) {
		t.Fatalf("only %d tests have run\n%s", passed, log)
	}
	t.Logf("%d tests of amqp091-go passed", passed)
}

// checkNames fails if a test that is to be left out does not exist.
func checkNames(t *testing.T, dir string, tests []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, name := range tests {
		if !strings.Contains(all.String(), "func "+name+"(") {
			t.Errorf("the library has no %s any more", name)
		}
	}
}

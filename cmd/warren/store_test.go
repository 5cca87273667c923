package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/perf"
	"github.com/warrenmq/warren/server"
)

// runCommand runs a command and returns its output and exit code.
func runCommand(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	root := rootCommand()
	var b bytes.Buffer
	root.SetOut(&b)
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		return b.String() + err.Error(), exitCode(err)
	}
	return b.String(), 0
}

func TestStoreCommands(t *testing.T) {
	dir := t.TempDir()
	srv, err := server.New(server.Config{DataDir: dir, Listeners: []string{"127.0.0.1:0"}, SegmentSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	load := perf.Throughput{URL: "amqp://guest:guest@" + srv.Addrs()[0].String() + "/", Producers: 1, Size: 100, Messages: 200,
		Persistent: true, Durable: true, Confirm: 50, Queue: "lessons", Keep: true}
	if _, err := load.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	drain := perf.Throughput{URL: load.URL, Consumers: 1, Size: 100, Ack: 10, Queue: "lessons", Durable: true, Drain: true, Keep: true}
	if _, err := drain.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"check", "dump"} {
		if out, code := runCommand(t, "store", sub, dir); code != exitUnavailable || !strings.Contains(out, "is running") {
			t.Errorf("%s of a running node: %d, %s", sub, code, out)
		}
	}
	if err := srv.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if out, code := runCommand(t, "store", "check", dir); code != 0 || !strings.Contains(out, "no damage") {
		t.Errorf("check: %d, %s", code, out)
	}
	out, _ := runCommand(t, "store", "dump", dir)
	for _, want := range []string{
		`command 0 `, `PutVHost Name="/"`, `PasswordHash="…"`, `DeclareQueue VHost="/" Name="lessons" Durable`,
		`queue="lessons" seq=1 exchange="" key="lessons" body=100`, `queue="lessons" messages=`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("dump lacks %s", want)
		}
	}
	if out, _ = runCommand(t, "store", "dump", "--kind", "1", dir); strings.Count(out, "\n") != 200 || strings.Contains(out, " settle ") {
		t.Errorf("dump --kind 1: %d lines, want 200", strings.Count(out, "\n"))
	}
	if out, _ = runCommand(t, "store", "dump", "--kind", "mark", dir); !strings.Contains(out, "durable=") {
		t.Errorf("dump --kind mark: %s", out)
	}
	if out, code := runCommand(t, "store", "dump", "--kind", "nonsense", dir); code != exitUsage || !strings.Contains(out, "want a number or one of publish") {
		t.Errorf("dump of an unknown kind: %d, %s", code, out)
	}
	if _, code := runCommand(t, "store", "check", t.TempDir()); code != exitNoInput {
		t.Errorf("check of an empty directory: %d", code)
	}

	name := filepath.Join(dir, "0000000001.seg")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[bytes.Index(b, []byte("lessons"))] ^= 1
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := runCommand(t, "store", "check", dir); code != exitData || !strings.Contains(out, "DAMAGE") {
		t.Errorf("check of a flipped bit: %d, %s", code, out)
	}
	if out, code := runCommand(t, "store", "dump", dir); code != 0 || !strings.Contains(out, "damage 1:") {
		t.Errorf("dump of a flipped bit: %d, lacks the line that tells", code)
	}
}

package ctl

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/warrenmq/warren/internal/mgmt/client"
)

// importedHash is the global parameter that remembers what --skip-if-unchanged
// imported last. RabbitMQ has one of the same name.
const importedHash = "imported_definition_hash_value"

func definitionCommands() []*Command {
	format := flag{"format", text, ""}
	return []*Command{
		{Name: "export_definitions", Group: groupDefinitions, Usage: `export_definitions <file_path | "-"> [--format <json | erlang>]`, Timed: true, Min: 1, Max: 1,
			Short: "Writes all definitions to a file", Explain: [][2]string{{`<file_path | "-">`, "the file, or - for the standard output"}, {"--format", "json, and nothing else"}},
			Flags: []flag{format}, Check: (*call).checkExport, Banner: (*call).exportBanner, Run: (*call).exportDefinitions},
		{Name: "import_definitions", Group: groupDefinitions, Usage: `import_definitions <file_path | "-"> [--format <json | erlang>] [--skip-if-unchanged]`, Timed: true, Max: 1,
			Short: "Reads definitions from a file: all of them or, after an error, none", Explain: [][2]string{{`<file_path | "-">`, "the file, or - for the standard input"},
				{"--format", "json, and nothing else"}, {"--skip-if-unchanged", "do nothing if the last import with this option was of the same file"}},
			Flags: []flag{format, {"skip-if-unchanged", boolean, ""}}, Check: (*call).checkImport, Banner: (*call).importBanner, Run: (*call).importDefinitions},
	}
}

func (c *call) checkFormat() error {
	switch c.option("format") {
	case "", "json", "JSON":
		return nil
	case "erlang":
		return c.badArgument("Format should be json: Warren does not read or write compressed Erlang terms")
	}
	return c.badArgument("Format should be either json or erlang")
}

func (c *call) checkExport() error {
	if err := c.checkFormat(); err != nil {
		return err
	}
	if c.args[0] == "-" {
		return nil
	}
	dir := filepath.Dir(c.args[0])
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return c.badArgument("Directory " + dir + " does not exist")
	}
	return nil
}

func (c *call) checkImport() error {
	if err := c.checkFormat(); err != nil {
		return err
	}
	if c.fromStdin() {
		return nil
	}
	if _, err := os.Stat(c.args[0]); err != nil {
		return c.badArgument("File " + c.args[0] + " does not exist")
	}
	return nil
}

func (c *call) fromStdin() bool { return len(c.args) == 0 || c.args[0] == "-" }

func (c *call) exportBanner() string {
	if c.args[0] == "-" {
		return ""
	}
	return fmt.Sprintf("Exporting definitions in JSON to a file at \"%s\" ...", c.args[0])
}

func (c *call) importBanner() string {
	if c.fromStdin() {
		return "Importing definitions in JSON from standard input ..."
	}
	return fmt.Sprintf("Importing definitions in JSON from a file at \"%s\" ...", c.args[0])
}

// exportDefinitions writes what the node says, without blanks. A file appears
// whole or not at all, and is the owner's alone: there are password hashes in it.
func (c *call) exportDefinitions() (any, error) {
	var raw json.RawMessage
	if err := c.get("/definitions", &raw); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, err
	}
	if c.args[0] == "-" {
		return report{text: b.String(), value: json.RawMessage(b.Bytes()), raw: true}, nil
	}
	if err := writeWhole(c.args[0], b.Bytes()); err != nil {
		return nil, failed(exitUnavailable, err.Error())
	}
	return nil, nil
}

func writeWhole(name string, b []byte) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(name, b, 0o600) // a pipe, or /dev/stdout
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func (c *call) readDefinitions() ([]byte, error) {
	if c.fromStdin() {
		return io.ReadAll(c.Stdin)
	}
	return os.ReadFile(c.args[0])
}

func (c *call) importDefinitions() (any, error) {
	raw, err := c.readDefinitions()
	if err != nil {
		return nil, failed(exitUnavailable, err.Error())
	}
	var parsed map[string]json.RawMessage
	if err := json.Unmarshal(raw, &parsed); err != nil {
		return nil, failedf(exitData, "Failed to deserialise input (format: JSON) (error: %v)", err)
	}
	sum := sha256.Sum256(raw)
	hash := hex.EncodeToString(sum[:])
	if c.flag("skip-if-unchanged") {
		same, err := c.imported(hash)
		if err != nil {
			return nil, err
		}
		if same {
			return "The definitions are those that were imported last: nothing to do.", nil
		}
	}
	if err := refused(c.post("/definitions", json.RawMessage(raw), nil)); err != nil {
		return nil, err
	}
	if c.flag("skip-if-unchanged") {
		if err := c.put(path("global-parameters", importedHash), map[string]any{"value": hash}); err != nil {
			return nil, err
		}
	}
	return "Successfully imported definitions.", nil
}

// imported says whether the last import was of a file with this hash.
func (c *call) imported(hash string) (bool, error) {
	var p struct{ Value any }
	err := c.get(path("global-parameters", importedHash), &p)
	if client.IsNotFound(err) {
		return false, nil
	}
	return p.Value == hash, err
}

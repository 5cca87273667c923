package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/broker/meta"
)

// importedHash is the global parameter that remembers what was imported when
// the node started, by the name that RabbitMQ has for it.
const importedHash = "imported_definition_hash_value"

// LoadDefinitions imports definitions when a node starts (load_definitions,
// definitions.local.path): a file, or all *.json of a directory by name. Each
// file is imported as a whole or not at all; the error names it. With
// skipUnchanged nothing is done if the same files were imported before.
func LoadDefinitions(b *broker.Broker, path string, skipUnchanged bool, logger *slog.Logger) error {
	files, err := definitionFiles(path)
	if err != nil {
		return err
	}
	contents := make([][]byte, len(files))
	h := sha256.New()
	for i, f := range files {
		if contents[i], err = os.ReadFile(f); err != nil {
			return err
		}
		h.Write(contents[i])
	}
	sum, _ := json.Marshal(hex.EncodeToString(h.Sum(nil)))
	same := false
	b.View(func(s *meta.State) {
		p := s.GlobalParameter(importedHash)
		same = p != nil && sameJSON(p.Value, sum)
	})
	if same && skipUnchanged {
		logger.Info("definitions have not changed since they were imported", "path", path)
		return nil
	}
	actor := broker.Actor{User: socketUser, Source: "definitions at start"}
	for i, f := range files {
		m := &importer{broker: b, logger: logger, actor: actor}
		if err := m.run(contents[i]); err != nil {
			return fmt.Errorf("definitions of %s: %w", f, plain(err))
		}
		logger.Info("definitions imported", "file", f)
	}
	if same {
		return nil
	}
	_, err = b.Do(actor, &meta.SetGlobalParameter{Name: importedHash, Value: sum})
	return err
}

func definitionFiles(path string) ([]string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && strings.EqualFold(filepath.Ext(e.Name()), ".json") {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	slices.Sort(files)
	return files, nil
}

// plain is an answer of the API as an error for the log.
func plain(err error) error {
	e, ok := err.(*Error)
	if !ok {
		return err
	}
	switch r := e.Reason.(type) {
	case string:
		return fmt.Errorf("%s", strings.TrimSpace(r))
	case []string:
		if len(r) == 2 && r[0] == "no_such_vhost" && r[1] == undefinedVHost {
			return fmt.Errorf("a row names no virtual host: this is the export of a single virtual host, which cannot be imported when a node starts")
		}
		return fmt.Errorf("%s", strings.Join(r, ": "))
	}
	return err
}

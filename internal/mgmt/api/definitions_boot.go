package api

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
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
	for i, f := range files {
		if contents[i], err = os.ReadFile(f); err != nil {
			return err
		}
	}
	return bootDefinitions(b, files, contents, skipUnchanged, logger)
}

// maxDefinitions bounds what is fetched.
const maxDefinitions = 256 << 20

// FetchDefinitions does what LoadDefinitions does with what a URL has
// (definitions.https.url).
func FetchDefinitions(ctx context.Context, b *broker.Broker, from *url.URL, cfg *tls.Config, skipUnchanged bool, logger *slog.Logger) error {
	t := &http.Transport{TLSClientConfig: cfg, Proxy: http.ProxyFromEnvironment}
	defer t.CloseIdleConnections()
	name := from.Redacted()
	fail := func(err error) error {
		var u *url.Error // which repeats the URL
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("definitions cannot be fetched from %s: %w", name, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), nil)
	if err != nil {
		return fail(err)
	}
	resp, err := (&http.Client{Transport: t}).Do(req)
	if err != nil {
		return fail(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fail(fmt.Errorf("the server answers %s", resp.Status))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDefinitions+1))
	if err != nil {
		return fail(err)
	}
	if len(body) > maxDefinitions {
		return fail(fmt.Errorf("they are longer than %d bytes", maxDefinitions))
	}
	return bootDefinitions(b, []string{name}, [][]byte{body}, skipUnchanged, logger)
}

// bootDefinitions imports what was read; names are for people.
func bootDefinitions(b *broker.Broker, names []string, contents [][]byte, skipUnchanged bool, logger *slog.Logger) error {
	h := sha256.New()
	for _, c := range contents {
		h.Write(c)
	}
	sum, _ := json.Marshal(hex.EncodeToString(h.Sum(nil)))
	same := false
	b.View(func(s *meta.State) {
		p := s.GlobalParameter(importedHash)
		same = p != nil && sameJSON(p.Value, sum)
	})
	if same && skipUnchanged {
		logger.Info("definitions have not changed since they were imported", "from", strings.Join(names, ", "))
		return nil
	}
	actor := broker.Actor{User: socketUser, Source: "definitions at start"}
	for i, name := range names {
		m := &importer{broker: b, logger: logger, actor: actor}
		if err := m.run(contents[i]); err != nil {
			return fmt.Errorf("definitions of %s: %w", name, plain(err))
		}
		logger.Info("definitions imported", "from", name)
	}
	if same {
		return nil
	}
	_, err := b.Do(actor, &meta.SetGlobalParameter{Name: importedHash, Value: sum})
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

package conformance

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
)

//go:embed golden-3.10.8.json.gz
var goldenData []byte

// Golden is what the reference answered.
type Golden struct {
	Reference string          `json:"reference"`
	Recorded  string          `json:"recorded"`
	Cases     map[string][]Ev `json:"cases"`
}

// RecordedGolden is the one that comes with the tester.
func RecordedGolden() (*Golden, error) { return readGolden(goldenData) }

func loadGolden(file string) (*Golden, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return readGolden(b)
}

func readGolden(b []byte) (*Golden, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("golden traces: %w", err)
	}
	g := &Golden{}
	if err := json.NewDecoder(z).Decode(g); err != nil {
		return nil, fmt.Errorf("golden traces: %w", err)
	}
	return g, nil
}

// save writes the file; the same traces give the same bytes.
func (g *Golden) save(file string) error {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return err
	}
	e := json.NewEncoder(z)
	e.SetEscapeHTML(false)
	if err := e.Encode(g); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(file, buf.Bytes(), 0o644)
}

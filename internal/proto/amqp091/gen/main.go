// Command gen writes package wire's *_gen.go files from the facts in spec/amqp0-9-1.json.
//
// The facts go through loadFacts, which refuses contradictions; each gen function turns them into the text of
// one file; gofmt's formatter has the last word. `go generate` in package wire runs it, and a test here fails
// when a checked-in file differs from what it would write now.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	log.SetFlags(0)
	facts := flag.String("facts", "../../../../spec/amqp0-9-1.json", "the facts to read")
	out := flag.String("out", ".", "the directory to write into")
	flag.Parse()
	files, err := generate(*facts)
	if err != nil {
		log.Fatal("gen: ", err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(*out, name), text, 0o644); err != nil {
			log.Fatal("gen: ", err)
		}
	}
}

// generate returns the generated files by name.
func generate(facts string) (map[string][]byte, error) {
	f, err := loadFacts(facts)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for name, gen := range map[string]func(*Facts, *writer){
		"constants_gen.go":  genConstants,
		"ids_gen.go":        genIDs,
		"methods_gen.go":    genMethods,
		"properties_gen.go": genProperties,
	} {
		w := new(writer)
		w.p("// Code generated from spec/amqp0-9-1.json by internal/proto/amqp091/gen. DO NOT EDIT.")
		w.p("")
		w.p("package wire")
		w.p("")
		gen(f, w)
		text, err := format.Source(w.b.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files[name] = text
	}
	return files, nil
}

// writer gathers the text of one file.
type writer struct{ b bytes.Buffer }

// p adds a line.
func (w *writer) p(format string, args ...any) {
	fmt.Fprintf(&w.b, format, args...)
	w.b.WriteByte('\n')
}

// f formats a piece of a line.
func (w *writer) f(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// list adds a case for all methods that satisfy has.
func (w *writer) list(prefix string, f *Facts, has func(Method) bool) {
	var names []string
	for _, c := range f.Classes {
		for _, m := range c.Methods {
			if has(m) {
				names = append(names, "Method"+goName(c.Name)+goName(m.Name))
			}
		}
	}
	w.p("%s%s:", prefix, strings.Join(names, ",\n"))
}

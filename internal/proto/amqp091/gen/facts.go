package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// Facts is the content of spec/amqp0-9-1.json; spec/README.md explains the keys.
type Facts struct {
	Name      string     `json:"name"`
	Major     int        `json:"major"`
	Minor     int        `json:"minor"`
	Revision  int        `json:"revision"`
	Port      int        `json:"port"`
	Constants []Constant `json:"constants"`
	Domains   []Domain   `json:"domains"`
	Classes   []Class    `json:"classes"`
}

// Constant is a named number: a frame type, a limit or a reply code.
type Constant struct {
	Name   string `json:"name"`
	Value  int    `json:"value"`
	Class  string `json:"class"`
	Origin string `json:"origin"`
}

// Domain names a use of a wire type.
type Domain struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Class is a group of methods, with the properties of the content they carry.
type Class struct {
	Name       string   `json:"name"`
	ID         int      `json:"id"`
	Origin     string   `json:"origin"`
	Properties []Field  `json:"properties"`
	Methods    []Method `json:"methods"`
}

// Method is one command of a class.
type Method struct {
	Name        string   `json:"name"`
	ID          int      `json:"id"`
	Synchronous bool     `json:"synchronous"`
	Content     bool     `json:"content"`
	Deprecated  bool     `json:"deprecated"`
	Origin      string   `json:"origin"`
	To          []string `json:"to"`
	Responses   []string `json:"responses"`
	Fields      []Field  `json:"fields"`
}

// Field is an argument of a method, or a content property.
type Field struct {
	Name     string `json:"name"`
	Domain   string `json:"domain"`
	Reserved bool   `json:"reserved"`
	Spec     string `json:"spec"` // the specification's name, where it differs
}

// loadFacts reads and checks the facts; a misspelled key is an error.
func loadFacts(path string) (*Facts, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	f := new(Facts)
	if err := d.Decode(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, f.check()
}

// check finds the mistakes that would otherwise become strange Go code.
func (f *Facts) check() error {
	for _, c := range f.Classes {
		ids := map[int]string{}
		names := map[string]bool{}
		for _, m := range c.Methods {
			if other, taken := ids[m.ID]; taken {
				return fmt.Errorf("%s.%s and %s.%s have the same id %d", c.Name, m.Name, c.Name, other, m.ID)
			}
			ids[m.ID] = m.Name
			names[m.Name] = true
			if len(m.To) == 0 {
				return fmt.Errorf("%s.%s: nobody receives it", c.Name, m.Name)
			}
			for _, x := range m.Fields {
				if _, err := f.wireType(x.Domain); err != nil {
					return fmt.Errorf("%s.%s: field %s: %w", c.Name, m.Name, x.Name, err)
				}
			}
		}
		for _, m := range c.Methods {
			for _, r := range m.Responses {
				if !names[r] {
					return fmt.Errorf("%s.%s: unknown response %s", c.Name, m.Name, r)
				}
			}
		}
		// One 16-bit word of flags holds 14 properties: bit 1 is unused, bit 0 announces another word.
		if len(c.Properties) > 14 {
			return fmt.Errorf("%s: more properties than one flag word holds", c.Name)
		}
		for _, x := range c.Properties {
			if _, err := f.wireType(x.Domain); err != nil {
				return fmt.Errorf("%s: property %s: %w", c.Name, x.Name, err)
			}
		}
	}
	return nil
}

// wireType resolves a domain to one of the types of section 4.2.1.
func (f *Facts) wireType(domain string) (string, error) {
	for _, d := range f.Domains {
		if d.Name == domain {
			return d.Type, nil
		}
	}
	return "", fmt.Errorf("unknown domain %q", domain)
}

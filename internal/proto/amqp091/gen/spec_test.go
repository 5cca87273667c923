package main

import (
	"encoding/xml"
	"errors"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"testing"
)

// Where Debian's package amqp-specs puts the specification's XML.
const (
	standardSpec = "/usr/share/amqp/specs/0-9-1/amqp0-9-1.stripped.xml"
	extendedSpec = "/usr/share/amqp/specs/0-9-1-rabbit/amqp0-9-1.stripped.extended.xml"
)

type xmlSpec struct {
	Major     int `xml:"major,attr"`
	Minor     int `xml:"minor,attr"`
	Revision  int `xml:"revision,attr"`
	Port      int `xml:"port,attr"`
	Constants []struct {
		Name  string `xml:"name,attr"`
		Value int    `xml:"value,attr"`
		Class string `xml:"class,attr"`
	} `xml:"constant"`
	Domains []struct {
		Name string `xml:"name,attr"`
		Type string `xml:"type,attr"`
	} `xml:"domain"`
	Classes []struct {
		Name    string      `xml:"name,attr"`
		ID      int         `xml:"index,attr"`
		Fields  []xmlField  `xml:"field"`
		Methods []xmlMethod `xml:"method"`
	} `xml:"class"`
}

type xmlMethod struct {
	Name        string     `xml:"name,attr"`
	ID          int        `xml:"index,attr"`
	Synchronous string     `xml:"synchronous,attr"`
	Content     string     `xml:"content,attr"`
	Deprecated  string     `xml:"deprecated,attr"`
	Chassis     []xmlNamed `xml:"chassis"`
	Responses   []xmlNamed `xml:"response"`
	Fields      []xmlField `xml:"field"`
}

type xmlNamed struct {
	Name string `xml:"name,attr"`
}

type xmlField struct {
	Name     string `xml:"name,attr"`
	Domain   string `xml:"domain,attr"`
	Type     string `xml:"type,attr"`
	Reserved string `xml:"reserved,attr"`
}

func (x xmlField) field() Field {
	f := Field{Name: x.Name, Domain: x.Domain, Reserved: x.Reserved == "1"}
	if f.Domain == "" {
		f.Domain = x.Type
	}
	return f
}

func (m xmlMethod) method() Method {
	out := Method{Name: m.Name, ID: m.ID, Synchronous: m.Synchronous == "1", Content: m.Content == "1", Deprecated: m.Deprecated == "1"}
	for _, c := range m.Chassis {
		out.To = append(out.To, c.Name)
	}
	for _, r := range m.Responses {
		out.Responses = append(out.Responses, r.Name)
	}
	for _, f := range m.Fields {
		out.Fields = append(out.Fields, f.field())
	}
	return out
}

func readSpec(t *testing.T, path string) *xmlSpec {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		const help = "the specification's XML is not here: install Debian's package amqp-specs to compare the facts with it"
		if os.Getenv("CI") == "true" {
			t.Fatal(help)
		}
		t.Skip(help)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := new(xmlSpec)
	if err := xml.Unmarshal(raw, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// beyondXML are RabbitMQ's extensions that its extended edition of the XML does not have (see spec/README.md).
var beyondXML = []string{
	"connection.blocked", "connection.unblocked", "connection.update-secret", "connection.update-secret-ok",
	"access.request", "access.request-ok",
}

// TestFactsMatchSpecification holds every fact against the specification in both directions.
func TestFactsMatchSpecification(t *testing.T) {
	standard, extended := readSpec(t, standardSpec), readSpec(t, extendedSpec)
	f, err := loadFacts(factsFile)
	if err != nil {
		t.Fatal(err)
	}
	if [4]int{f.Major, f.Minor, f.Revision, f.Port} != [4]int{extended.Major, extended.Minor, extended.Revision, extended.Port} {
		t.Error("version or port differ")
	}
	compareConstants(t, f, extended)
	compareDomains(t, f, extended)
	compareMethods(t, f, standard, extended)
	compareProperties(t, f, extended)
}

func compareConstants(t *testing.T, f *Facts, s *xmlSpec) {
	var want []Constant
	for _, c := range s.Constants {
		want = append(want, Constant{Name: c.Name, Value: c.Value, Class: c.Class})
	}
	have := slices.DeleteFunc(slices.Clone(f.Constants), func(c Constant) bool { return c.Name == "no-route" })
	if !reflect.DeepEqual(have, want) {
		t.Errorf("constants:\nhave %v\nwant %v", have, want)
	}
}

func compareDomains(t *testing.T, f *Facts, s *xmlSpec) {
	var want []Domain
	for _, d := range s.Domains {
		want = append(want, Domain{d.Name, d.Type})
	}
	if !reflect.DeepEqual(f.Domains, want) {
		t.Errorf("domains:\nhave %v\nwant %v", f.Domains, want)
	}
}

func compareMethods(t *testing.T, f *Facts, standard, extended *xmlSpec) {
	plain, want := map[string]bool{}, map[string]Method{}
	for _, c := range standard.Classes {
		for _, m := range c.Methods {
			plain[c.Name+"."+m.Name] = true
		}
	}
	ids := map[string]int{}
	for _, c := range extended.Classes {
		ids[c.Name] = c.ID
		for _, m := range c.Methods {
			want[c.Name+"."+m.Name] = m.method()
		}
	}
	for _, c := range f.Classes {
		if id, ok := ids[c.Name]; ok && id != c.ID {
			t.Errorf("class %s: id %d, want %d", c.Name, c.ID, id)
		}
		for _, m := range c.Methods {
			name := c.Name + "." + m.Name
			if (m.Origin == "rabbitmq") == plain[name] {
				t.Errorf("%s: origin %q, but it is in the standard: %v", name, m.Origin, plain[name])
			}
			w, ok := want[name]
			delete(want, name)
			if !ok {
				if !slices.Contains(beyondXML, name) {
					t.Errorf("%s is not in the specification", name)
				}
				continue
			}
			m.Origin = ""
			if len(m.Fields) == 0 {
				m.Fields = nil
			}
			if !reflect.DeepEqual(m, w) {
				t.Errorf("%s:\nhave %+v\nwant %+v", name, m, w)
			}
		}
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
}

func compareProperties(t *testing.T, f *Facts, s *xmlSpec) {
	for _, c := range s.Classes {
		var want []Field
		for _, x := range c.Fields {
			want = append(want, x.field())
		}
		i := slices.IndexFunc(f.Classes, func(k Class) bool { return k.Name == c.Name })
		if i < 0 {
			t.Errorf("class %s is missing", c.Name)
			continue
		}
		var have []Field
		for _, x := range f.Classes[i].Properties {
			if x.Spec != "" {
				x.Name, x.Spec = x.Spec, ""
			}
			have = append(have, x)
		}
		if !reflect.DeepEqual(have, want) {
			t.Errorf("properties of %s:\nhave %v\nwant %v", c.Name, have, want)
		}
	}
}

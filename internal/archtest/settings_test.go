package archtest

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// options are structs that the configuration goes through on its way to those
// who heed it. Each field must be read by somebody.
var options = []string{
	"server.Config", "internal/config.Config", "internal/logging.Config", "internal/broker.Config",
	"internal/proto/amqp091/session.Config", "internal/mgmt/api.Config", "internal/mgmt/metrics.Options", "internal/stats.Options",
}

// notHeeded are functions that look at fields without doing what they say: they
// fill in defaults and complain of mistakes. The configuration's own package
// makes the fields, and is left out as a whole.
var notHeeded = []string{"server.setDefaults", "server.setLimits", "server.check", "internal/broker.setDefaults"}

// TestSettingsAreHeeded: a key that is accepted does something. So every field
// that the configuration can fill is read by what it is for.
func TestSettingsAreHeeded(t *testing.T) {
	u := load(t)
	for _, name := range options {
		dir, typ, _ := strings.Cut(name, ".")
		p := u.pkgs[module+"/"+dir]
		if p == nil || p.Scope().Lookup(typ) == nil {
			t.Errorf("there is no %s", name)
			continue
		}
		u.add(named(p.Scope().Lookup(typ).Type()))
	}
	for len(u.todo) > 0 {
		n := u.todo[0]
		u.todo = u.todo[1:]
		s := n.Underlying().(*types.Struct)
		for f := range s.Fields() {
			if !f.Exported() {
				continue
			}
			if !u.read(n, f.Name()) {
				t.Errorf("%s.%s is read by nobody", nameOf(n), f.Name())
			}
			u.follow(f.Type())
		}
	}
}

// uses is what the code does with fields, by "package.Type.Field".
type uses struct {
	pkgs  map[string]*types.Package
	reads map[string]bool
	// turned are the struct types that values of a struct type are converted to:
	// who reads the field of the new one reads that of the old one.
	turned map[string][]*types.Named
	seen   map[string]bool
	todo   []*types.Named
}

func nameOf(n *types.Named) string {
	return strings.TrimPrefix(n.Obj().Pkg().Path(), module+"/") + "." + n.Obj().Name()
}

// read reports whether somebody reads the field of a struct, or of one that it
// is turned into.
func (u *uses) read(n *types.Named, field string) bool {
	if u.reads[nameOf(n)+"."+field] {
		return true
	}
	return slices.ContainsFunc(u.turned[nameOf(n)], func(to *types.Named) bool { return u.reads[nameOf(to)+"."+field] })
}

// follow puts a struct of ours on the list, also one in a list or behind a pointer.
func (u *uses) follow(t types.Type) {
	switch x := types.Unalias(t).(type) {
	case *types.Pointer:
		u.follow(x.Elem())
	case *types.Slice:
		u.follow(x.Elem())
	case *types.Map:
		u.follow(x.Elem())
	case *types.Named:
		_, ok := x.Underlying().(*types.Struct)
		pkg := x.Obj().Pkg()
		if !ok || pkg == nil {
			return
		}
		// What options lead to is an object, and not plain data, if it hides fields.
		path, ours := strings.CutPrefix(pkg.Path(), module+"/")
		if ours && plain(x) && slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, path+".") }) {
			u.add(x)
		}
	}
}

func (u *uses) add(n *types.Named) {
	if !u.seen[nameOf(n)] {
		u.seen[nameOf(n)] = true
		u.todo = append(u.todo, n)
	}
}

func plain(n *types.Named) bool {
	for f := range n.Underlying().(*types.Struct).Fields() {
		if !f.Exported() {
			return false
		}
	}
	return true
}

// load checks the types of our packages, tests left out, with what the compiler
// has written down of their imports.
func load(t *testing.T) *uses {
	t.Helper()
	cmd := exec.Command("go", "list", "-pgo=off", "-export", "-deps", "-json=ImportPath,Dir,GoFiles,Export", "./cmd/warren", "./server")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	export := map[string]string{}
	var ours []*pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			pkg
			Export string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		export[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, module+"/") {
			ours = append(ours, &p.pkg)
		}
	}
	fset := token.NewFileSet()
	imp := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(export[path]) })
	u := &uses{pkgs: map[string]*types.Package{}, reads: map[string]bool{}, turned: map[string][]*types.Named{}, seen: map[string]bool{}}
	for _, p := range ours {
		var files []*ast.File
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		info := &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}, Types: map[ast.Expr]types.TypeAndValue{}}
		checked, err := (&types.Config{Importer: imp}).Check(p.ImportPath, fset, files, info)
		if err != nil {
			t.Fatal(err)
		}
		u.pkgs[p.ImportPath] = checked
		if p.path() == "internal/config" {
			continue
		}
		for _, f := range files {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && slices.Contains(notHeeded, p.path()+"."+fn.Name.Name) {
					continue
				}
				u.note(d, info)
			}
		}
	}
	return u
}

// note notes what a declaration reads and converts.
func (u *uses) note(d ast.Decl, info *types.Info) {
	written := map[ast.Expr]bool{}
	ast.Inspect(d, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.AssignStmt:
			if x.Tok == token.ASSIGN {
				for _, l := range x.Lhs {
					written[l] = true
				}
			}
		case *ast.SelectorExpr:
			if s := info.Selections[x]; s != nil && s.Kind() == types.FieldVal && !written[x] {
				u.fields(s)
			}
		case *ast.CallExpr:
			if tv := info.Types[x.Fun]; tv.IsType() && len(x.Args) == 1 {
				from, to := named(info.Types[x.Args[0]].Type), named(tv.Type)
				if from != nil && to != nil {
					u.turned[nameOf(from)] = append(u.turned[nameOf(from)], to)
				}
			}
		}
		return true
	})
}

// fields notes the field that a selector ends at, and those on the way that it
// leaves out.
func (u *uses) fields(s *types.Selection) {
	t := s.Recv()
	for _, i := range s.Index() {
		n := named(t)
		st, ok := types.Unalias(t).Underlying().(*types.Struct)
		if n != nil {
			st, ok = n.Underlying().(*types.Struct)
		}
		if !ok {
			return
		}
		if n != nil {
			u.reads[nameOf(n)+"."+st.Field(i).Name()] = true
		}
		t = st.Field(i).Type()
	}
}

// named is the struct type of ours that t is, or points to.
func named(t types.Type) *types.Named {
	if t == nil {
		return nil
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil {
		return nil
	}
	if _, ok := n.Underlying().(*types.Struct); !ok {
		return nil
	}
	return n
}

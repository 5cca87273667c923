// Package archtest keeps what the documents say of the code true: the table of
// allowed imports in ARCHITECTURE.md, the list of dependencies in
// docs/dependencies.md, and habits that a machine can check. It reads the
// documents; there is no second copy of the rules here.
package archtest

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	module = "github.com/warrenmq/warren"
	root   = "../.."
)

// pkg is what `go list` says of a package.
type pkg struct {
	ImportPath, Dir, Name string
	Imports               []string
	TestImports           []string
	XTestImports          []string
	GoFiles, TestGoFiles  []string
	XTestGoFiles          []string
}

// path is the package's directory in the repository; "." for the root.
func (p *pkg) path() string {
	if p.ImportPath == module {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

func packages(t *testing.T) []*pkg {
	t.Helper()
	// The test cache notices only what the test itself has read.
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if d != nil && d.IsDir() && len(d.Name()) > 2 && d.Name()[0] == '.' {
			return filepath.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "list", "-pgo=off", "-e", "-json=ImportPath,Dir,Name,Imports,TestImports,XTestImports,GoFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var ps []*pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		p := new(pkg)
		if err := dec.Decode(p); err == io.EOF {
			return ps
		} else if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
}

// row is a line of the table of allowed imports.
type row struct {
	ours, outside []string
}

var code = regexp.MustCompile("`([^`]+)`")

// words returns what stands in backquotes.
func words(cell string) (ws []string) {
	for _, m := range code.FindAllStringSubmatch(cell, -1) {
		ws = append(ws, m[1])
	}
	return ws
}

// table reads the rows under a heading: cells of each.
func table(t *testing.T, file, heading string) [][]string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut("\n"+string(raw), "\n"+heading+"\n")
	if !ok {
		t.Fatalf("%s has no heading %q", file, heading)
	}
	if i := strings.Index(rest, "\n## "); i >= 0 {
		rest = rest[:i]
	}
	var rows [][]string
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		if cells := strings.Split(strings.Trim(line, "|"), "|"); strings.HasPrefix(line, "| `") {
			rows = append(rows, cells)
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s: no table under %q", file, heading)
	}
	return rows
}

func allowed(t *testing.T) map[string]row {
	t.Helper()
	rows := map[string]row{}
	for _, cells := range table(t, "ARCHITECTURE.md", "## Allowed imports") {
		if len(cells) != 3 {
			t.Fatalf("row with %d cells, want 3: %q", len(cells), cells)
		}
		name := words(cells[0])[0]
		if _, twice := rows[name]; twice {
			t.Errorf("%s has two rows", name)
		}
		rows[name] = row{words(cells[1]), words(cells[2])}
	}
	return rows
}

// TestImports: what is not in the table is forbidden. Imports of tests are free.
func TestImports(t *testing.T) {
	rows := allowed(t)
	left := maps.Clone(rows)
	for _, p := range packages(t) {
		name := p.path()
		r, exact := rows[name]
		delete(left, name)
		ok := exact
		for dir := name; !ok && dir != "."; {
			dir = filepath.Dir(dir)
			r, ok = rows[dir+"/..."]
		}
		if !ok {
			t.Errorf("%s is not in the table of ARCHITECTURE.md", name)
			continue
		}
		for _, imp := range p.Imports {
			local, ours := strings.CutPrefix(imp, module+"/")
			domain, _, _ := strings.Cut(imp, "/")
			switch {
			case ours:
				if !slices.Contains(r.ours, local) && !slices.Contains(r.ours, "...") {
					t.Errorf("%s must not import %s", name, local)
				}
			case strings.Contains(domain, ".") && !slices.ContainsFunc(r.outside, func(m string) bool { return within(imp, m) }):
				t.Errorf("%s must not import %s, which is not ours", name, imp)
			}
		}
		if !exact {
			continue
		}
		for _, m := range append(slices.Clone(r.ours), r.outside...) {
			used := func(imp string) bool { return imp == module+"/"+m || within(imp, m) }
			if !slices.ContainsFunc(p.Imports, used) {
				t.Errorf("the table says that %s may import %s; it does not: take it out", name, m)
			}
		}
	}
	for name := range left {
		if !strings.HasSuffix(name, "/...") {
			t.Errorf("the table of ARCHITECTURE.md has a row for %s, which does not exist", name)
		}
	}
}

// within reports whether a package belongs to a module.
func within(imp, module string) bool { return imp == module || strings.HasPrefix(imp, module+"/") }

// aboveParent lists the children that stand on their parents, with the reason;
// everywhere else a child knows nothing of its parent.
var aboveParent = map[string]string{
	"internal/store/check": "reads a stopped node's data with the store's own reader; the store does not use it",
}

// TestChildrenDoNotImportParents: a package below another is a part that the
// other uses, not the reverse.
func TestChildrenDoNotImportParents(t *testing.T) {
	for _, p := range packages(t) {
		if aboveParent[p.path()] != "" || p.Name == "main" {
			continue // a program stands on the package that it is the program of
		}
		for _, imp := range p.Imports {
			if strings.HasPrefix(p.ImportPath, imp+"/") {
				t.Errorf("%s imports its parent", p.path())
			}
		}
	}
}

// TestPackageComments: each package tells once what it is.
func TestPackageComments(t *testing.T) {
	for _, p := range packages(t) {
		files := p.GoFiles
		if len(files) == 0 {
			files = append(p.TestGoFiles, p.XTestGoFiles...)
		}
		var with []string
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil {
				with = append(with, name)
			}
		}
		if len(with) == 0 && strings.HasPrefix(p.path(), "test/") {
			continue // a directory of tests: its README may say it
		}
		if len(with) != 1 {
			t.Errorf("%s: %d package comments %v, want one", p.path(), len(with), with)
		}
	}
}

// TestNoMutableGlobals: two brokers fit in one process, so no package keeps
// state in a variable. Noticed are variables that a function assigns to, and
// those of the types that exist to be changed.
func TestNoMutableGlobals(t *testing.T) {
	for _, p := range packages(t) {
		fset := token.NewFileSet()
		vars := map[string]bool{}
		var files []*ast.File
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
			for _, d := range f.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.VAR {
					continue
				}
				for _, s := range g.Specs {
					v := s.(*ast.ValueSpec)
					for _, n := range v.Names {
						vars[n.Name] = n.Name != "_"
						if changing(v) {
							t.Errorf("%v: %s is state in a package variable", fset.Position(n.Pos()), n.Name)
						}
					}
				}
			}
		}
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt:
					if n.Tok != token.DEFINE {
						for _, l := range n.Lhs {
							reportGlobal(t, fset, f, vars, l)
						}
					}
				case *ast.IncDecStmt:
					reportGlobal(t, fset, f, vars, n.X)
				}
				return true
			})
		}
	}
}

// changing reports whether a variable's type says that it is state.
func changing(v *ast.ValueSpec) bool {
	s, ok := v.Type.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && (x.Name == "sync" || x.Name == "atomic")
}

func reportGlobal(t *testing.T, fset *token.FileSet, f *ast.File, vars map[string]bool, e ast.Expr) {
	t.Helper()
	at := e.Pos()
	for {
		switch x := e.(type) {
		case *ast.IndexExpr:
			e = x.X
			continue
		case *ast.SelectorExpr:
			e = x.X
			continue
		case *ast.StarExpr:
			e = x.X
			continue
		case *ast.ParenExpr:
			e = x.X
			continue
		case *ast.Ident:
			// A name that the parser resolved is of this file: the package's
			// variable only if the file's scope has it.
			if vars[x.Name] && (x.Obj == nil || x.Obj == f.Scope.Lookup(x.Name)) {
				t.Errorf("%v: %s is a package variable and is assigned to", fset.Position(at), x.Name)
			}
		}
		return
	}
}

// TestDependencies: docs/dependencies.md lists the modules of go.mod that our
// packages, tests included, import; all of them and nothing else.
func TestDependencies(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var imports []string
	for _, p := range packages(t) {
		imports = slices.Concat(imports, p.Imports, p.TestImports, p.XTestImports)
	}
	want := map[string]bool{}
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(f) >= 2 && strings.HasPrefix(f[1], "v") && slices.ContainsFunc(imports, func(imp string) bool { return within(imp, f[0]) }) {
			want[f[0]] = true
		}
	}
	for _, cells := range table(t, "docs/dependencies.md", "# Dependencies") {
		m := words(cells[0])[0]
		if !want[m] {
			t.Errorf("docs/dependencies.md lists %s, which go.mod does not require or nothing imports", m)
		}
		delete(want, m)
	}
	for m := range want {
		t.Errorf("docs/dependencies.md lacks %s", m)
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// TestLinks: what the documents point to in the repository is there.
func TestLinks(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(raw), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: link to %s: %v", name, m[1], err)
			}
		}
	}
}

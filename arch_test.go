package main_test

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "kartotek"

// anything lets a package import every other one.
const anything = "*"

// mayImport is the architecture: each package, and the packages below it that it may
// import. A path with a star holds for every package without a line of its own.
var mayImport = map[string][]string{
	"fault":    {},
	"access":   {"fault"},
	"customer": {"access", "fault"},

	"store/layout":    {"access", "customer", "fault"},
	"store/transfer":  {"access", "customer", "store/layout"},
	"store/terms":     {"customer"},
	"store/*":         {"access", "customer", "fault", "store/layout", "store/terms", "store/transfer"},
	"store/storetest": {"access", "customer", "fault", "store/terms"},
	"store/pgtest":    {},

	"web":                   {"access", "fault"},
	"web/page":              {"web"},
	"contract":              {"access", "contract/transcript", "customer", "fault", "web"},
	"contract/transcript":   {},
	"contract/*":            {"access", "contract", "customer", "fault", "web", "web/page"},
	"contract/contracttest": {"access", "contract", "contract/transcript", "customer", "fault", "store/pgtest", "store/postgres", "store/sqlite", "store/storetest", "web"},

	"portal/samples": {},
	"portal":         {"contract", "contract/transcript", "fault", "portal/help", "portal/openapi", "portal/samples", "web", "web/page"},
	"portal/help":    {"contract", "contract/transcript", "portal/openapi", "web/page"},
	"portal/openapi": {},

	"cli":  {anything},
	"main": {"cli"},
}

// only lists, for imports that reach outside the process or know a wire format, the
// packages that may use them. It also holds for the packages below an import path.
var only = map[string][]string{
	"net/http":                            {"web", "web/page", "contract", "contract/*", "portal", "portal/*", "cli"},
	"zombiezen.com/go/sqlite":             {"store/sqlite"},
	"modernc.org/sqlite":                  {"store/sqlite"},
	"github.com/jackc/pgx":                {"store/postgres", "store/pgtest"},
	"encoding/json":                       {"store/*", "web", "contract", "contract/*", "portal/samples", "cli"},
	"github.com/go-json-experiment/json":  {"store/*", "web", "contract", "contract/*", "portal", "portal/*", "cli"},
	"go.yaml.in/yaml":                     {"portal/openapi"},
	"github.com/yuin/goldmark":            {"portal"},
	"github.com/prometheus/client_golang": {"web", "cli"},
	"github.com/spf13/cobra":              {"cli"},
	"github.com/getkin/kin-openapi":       {"contract/contracttest"},
	"github.com/nyaruka/phonenumbers":     {"store/terms"},
}

// standardOnly are the packages that import only the standard library.
var standardOnly = []string{"contract/transcript", "fault", "portal/samples"}

func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for name, p := range packages(t) {
		line := rule(name)
		allowed, known := mayImport[line]
		if !known {
			t.Errorf("%s is not in mayImport: add it", name)
			continue
		}
		used[line] = true
		for _, imp := range p.imports {
			dep, ours := strings.CutPrefix(imp, module+"/internal/")
			if ours && !slices.Contains(allowed, dep) && !slices.Contains(allowed, anything) {
				t.Errorf("%s may not import %s", name, dep)
			}
		}
	}
	for line := range mayImport {
		if !used[line] {
			t.Errorf("mayImport has a line for %s, which is not a package", line)
		}
	}
}

func TestOnlyEdgesImportHTTPAndSQL(t *testing.T) {
	t.Parallel()
	for name, p := range packages(t) {
		for _, imp := range p.imports {
			for guarded, users := range only {
				if within(imp, guarded) && !slices.ContainsFunc(users, func(user string) bool { return covers(user, name) }) {
					t.Errorf("%s may not import %s; only %v may", name, imp, users)
				}
			}
			if slices.Contains(standardOnly, name) && !standard(imp) {
				t.Errorf("%s may not import %s: it imports only the standard library", name, imp)
			}
		}
	}
}

func TestEachPackageHasOnePackageComment(t *testing.T) {
	t.Parallel()
	for name, p := range packages(t) {
		if p.docs != 1 {
			t.Errorf("%s has %d package comments, want 1", name, p.docs)
		}
	}
}

// rule returns the line of mayImport for a package: its own, or one with a star.
func rule(name string) string {
	if _, own := mayImport[name]; own {
		return name
	}
	for line := range mayImport {
		if covers(line, name) {
			return line
		}
	}
	return name
}

func covers(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func within(imp, root string) bool { return imp == root || strings.HasPrefix(imp, root+"/") }

// standard reports whether an import is in the standard library: its first element
// has no dot.
func standard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return first != module && !strings.Contains(first, ".")
}

// pkg is a package: its imports, and the number of its package comments.
type pkg struct {
	docs    int
	imports []string
}

// packages returns the packages of the server by their path below internal, without
// their tests. It parses the sources itself: Go's test cache notices only the files that
// the test process opens, not those that "go list" opens.
func packages(t *testing.T) map[string]*pkg {
	t.Helper()
	all := map[string]*pkg{}
	for _, src := range sources(t) {
		dir := path.Dir(src.name)
		if src.test || dir != "." && !within(dir, "internal") {
			continue
		}
		name := cmp.Or(strings.TrimPrefix(strings.TrimPrefix(dir, "internal/"), "."), "main")
		if all[name] == nil {
			all[name] = &pkg{}
		}
		if src.file.Doc != nil {
			all[name].docs++
		}
		for _, spec := range src.file.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatalf("%s: %v", src.name, err)
			}
			all[name].imports = append(all[name].imports, imp)
		}
	}
	return all
}

// source is one Go file of the repository.
type source struct {
	name string
	test bool
	set  *token.FileSet
	file *ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	set := token.NewFileSet()
	for _, name := range files(t) {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, source{name, strings.HasSuffix(name, "_test.go"), set, file})
	}
	return all
}

// files returns the paths of all files in the repository, without .git and
// node_modules.
func files(t *testing.T) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		kept := entry.Name() == ".git" || entry.Name() == "node_modules"
		if kept && entry.IsDir() {
			return fs.SkipDir
		}
		if !kept && entry.Type().IsRegular() { // in a worktree, .git is a file
			all = append(all, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

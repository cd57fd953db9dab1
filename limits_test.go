package main_test

import (
	"bytes"
	"go/ast"
	"go/token"
	"os"
	"strings"
	"testing"
	"unicode"
)

const (
	maxFunction = 60  // lines
	maxFile     = 500 // lines
)

func TestFunctionsAndFilesAreShort(t *testing.T) {
	t.Parallel()
	for _, src := range sources(t) {
		if lines := src.set.File(src.file.FileStart).LineCount(); lines > maxFile {
			t.Errorf("%s has %d lines, want at most %d", src.name, lines, maxFile)
		}
		if src.test {
			continue
		}
		ast.Inspect(src.file, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.FuncDecl, *ast.FuncLit:
				if lines := src.line(n.End()) - src.line(n.Pos()) + 1; lines > maxFunction {
					t.Errorf("%s:%d: the function has %d lines, want at most %d", src.name, src.line(n.Pos()), lines, maxFunction)
				}
			}
			return true
		})
	}
}

func (s source) line(p token.Pos) int { return s.set.Position(p).Line }

func TestNoInitFunctions(t *testing.T) {
	t.Parallel()
	for _, src := range sources(t) {
		for _, decl := range src.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s:%d: remove the init function; call it from main", src.name, src.line(f.Pos()))
			}
		}
	}
}

func TestExportedNamesHaveComments(t *testing.T) {
	t.Parallel()
	for _, src := range sources(t) {
		if src.test {
			continue
		}
		for _, decl := range src.file.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s:%d: %s needs a comment; a comment on a type or function begins with its name",
					src.name, src.line(name.Pos()), name.Name)
			}
		}
	}
}

// undocumented returns the exported names of a declaration that have no comment.
func undocumented(decl ast.Decl) []*ast.Ident {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d.Recv.List[0].Type))) && !begins(d.Doc, d.Name) {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		var bare []*ast.Ident
		for _, spec := range d.Specs {
			bare = append(bare, undocumentedSpec(d, spec)...)
		}
		return bare
	}
	return nil
}

func undocumentedSpec(d *ast.GenDecl, spec ast.Spec) (bare []*ast.Ident) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && !begins(s.Doc, s.Name) && (d.Lparen.IsValid() || !begins(d.Doc, s.Name)) {
			bare = append(bare, s.Name)
		}
	case *ast.ValueSpec: // a comment on the group covers all its names
		for _, name := range s.Names {
			if name.IsExported() && d.Doc.Text() == "" && s.Doc.Text() == "" && s.Comment.Text() == "" {
				bare = append(bare, name)
			}
		}
	}
	return bare
}

// receiver returns the name of a method's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

func begins(doc *ast.CommentGroup, name *ast.Ident) bool {
	word := strings.FieldsFunc(doc.Text(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
	return len(word) > 0 && word[0] == name.Name
}

// Paths of the machine where the project was written do not exist anywhere else.
func TestFilesNameNoLocalPaths(t *testing.T) {
	t.Parallel()
	local := []string{"/wor" + "k/", "../sha" + "red"}
	for _, name := range files(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			continue // not text
		}
		for _, path := range local {
			if bytes.Contains(text, []byte(path)) {
				t.Errorf("%s names %s", name, path)
			}
		}
	}
}

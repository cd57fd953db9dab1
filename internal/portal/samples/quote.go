package samples

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/template"
)

// functions are what the templates write text with. One that is named after a
// language makes a string literal of it, quotes and all; one that is named after
// a language and Raw makes a literal of a JSON document that people can read, and
// Literal makes the language's own notation of one.
var functions = template.FuncMap{
	"c":          c,
	"csharp":     csharp,
	"dart":       dartSyntax.quote,
	"go":         strconv.Quote,
	"java":       javaSyntax.quote,
	"javascript": javascriptSyntax.quote,
	"kotlin":     kotlinSyntax.quote,
	"ocaml":      ocamlSyntax.quote,
	"php":        php,
	"powershell": powershell,
	"python":     pythonSyntax.quote,
	"r":          rSyntax.quote,
	"ruby":       rubySyntax.quote,
	"rust":       rustSyntax.quote,
	"shell":      shell,
	"swift":      swiftSyntax.quote,

	"csharpRaw": csharpRaw,
	"goRaw":     goRaw,
	"httpRaw":   httpRaw,
	"javaRaw":   javaRaw,
	"kotlinRaw": kotlinRaw,
	"ocamlRaw":  ocamlRaw,
	"rRaw":      rRaw,
	"rustRaw":   rustRaw,
	"swiftRaw":  swiftRaw,

	"dartLiteral":       dartLiteral,
	"javascriptLiteral": javascriptLiteral,
	"pythonLiteral":     pythonLiteral,

	"json":  indented,
	"lines": lines,
	"lower": strings.ToLower,
	"title": title,
}

// syntax is how a language writes a string in quotes.
type syntax struct {
	mark    string // the quote
	escaped string // what has a meaning of its own, unless a backslash stands before it
	control string // a control character, as the format of its number
}

var (
	cSyntax          = syntax{`"`, `"\`, `\%03o`}
	csharpSyntax     = syntax{`"`, `"\`, `\u%04x`}
	dartSyntax       = syntax{`'`, `'\$`, `\x%02x`}
	javaSyntax       = syntax{`"`, `"\`, `\%03o`} // \u000c is put in place before Java reads the literal
	javascriptSyntax = syntax{`"`, `"\`, `\x%02x`}
	kotlinSyntax     = syntax{`"`, `"\$`, `\u%04x`}
	ocamlSyntax      = syntax{`"`, `"\`, `\%03d`}
	pythonSyntax     = syntax{`"`, `"\`, `\x%02x`}
	rSyntax          = syntax{`"`, `"\`, `\x%02x`}
	rubySyntax       = syntax{`"`, `"\#`, `\x%02x`}
	rustSyntax       = syntax{`"`, `"\`, `\x%02x`}
	swiftSyntax      = syntax{`"`, `"\`, `\u{%x}`}
)

func (x syntax) quote(s string) string {
	var b strings.Builder
	b.WriteString(x.mark)
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case strings.ContainsRune(x.escaped, r):
			b.WriteString(`\` + string(r))
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, x.control, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteString(x.mark)
	return b.String()
}

// c escapes question marks where two of them would begin a trigraph.
func c(s string) string {
	quoted := cSyntax.quote(s)
	if !strings.Contains(quoted, "??") {
		return quoted
	}
	return strings.ReplaceAll(quoted, "?", `\?`)
}

// csharp escapes what C# takes for the end of a line, too.
func csharp(s string) string {
	return strings.NewReplacer("\u0085", `\u0085`, "\u2028", `\u2028`, "\u2029", `\u2029`).Replace(csharpSyntax.quote(s))
}

func php(s string) string {
	return `'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + `'`
}

// powershell doubles the typographic quotes as well, which end a string like the
// straight one.
func powershell(s string) string {
	return `'` + strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛").Replace(s) + `'`
}

func shell(s string) string {
	return `'` + strings.ReplaceAll(s, `'`, `'\''`) + `'`
}

func csharpRaw(document string) string {
	return `@"` + strings.ReplaceAll(document, `"`, `""`) + `"`
}

// goRaw leaves the only character that a raw string cannot have to JSON's own
// escape: it can only be inside a string of the document.
func goRaw(document string) string {
	return "`" + strings.ReplaceAll(document, "`", `\u0060`) + "`"
}

// httpRaw keeps an editor's HTTP client from looking for a variable.
func httpRaw(document string) string {
	return strings.ReplaceAll(document, "{{", `{\u007b`)
}

// javaRaw is the inside of a text block. There are never three quotes in a row in
// JSON.
func javaRaw(document string) string {
	return strings.ReplaceAll(document, `\`, `\\`)
}

// kotlinRaw is the inside of a raw string, in which only $ means anything.
func kotlinRaw(document string) string {
	return strings.ReplaceAll(document, "$", "${'$'}")
}

func ocamlRaw(document string) string {
	name := fence("json", func(name string) bool { return strings.Contains(document, "|"+name+"}") })
	return "{" + name + "|" + document + "|" + name + "}"
}

func rRaw(document string) string {
	dashes := fence("-", func(dashes string) bool { return strings.Contains(document, ")"+dashes+`"`) })
	return `r"` + dashes + "(" + document + ")" + dashes + `"`
}

func rustRaw(document string) string {
	hashes := "#" + fence("#", func(more string) bool { return strings.Contains(document, `"#`+more) })
	return "r" + hashes + `"` + document + `"` + hashes
}

// swiftRaw is a string of several lines, in which a backslash means something only
// before as many # as stand outside.
func swiftRaw(document string) string {
	hashes := "#" + fence("#", func(more string) bool { return strings.Contains(document, `\#`+more) })
	return hashes + "\"\"\"\n" + document + "\n\"\"\"" + hashes
}

// fence repeats a word until it no longer collides with the text that it is put
// around.
func fence(word string, collides func(string) bool) string {
	all := ""
	for collides(all) {
		all += word
	}
	return all
}

// javascriptLiteral is the document as it stands, which JavaScript reads like
// JSON.parse but for one name.
func javascriptLiteral(document string) string {
	return strings.ReplaceAll(document, `"__proto__":`, `["__proto__"]:`)
}

func dartLiteral(document string) string { return literal(document, dartSyntax, nil) }

func pythonLiteral(document string) string {
	return literal(document, pythonSyntax, map[string]string{"true": "True", "false": "False", "null": "None"})
}

var jsonWord = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|true|false|null`)

// literal is a JSON document in a language that writes maps, lists and numbers
// like JSON.
func literal(document string, own syntax, words map[string]string) string {
	return jsonWord.ReplaceAllStringFunc(document, func(word string) string {
		if word[0] != '"' {
			return cmp.Or(words[word], word)
		}
		var text string
		_ = json.Unmarshal([]byte(word), &text) // a string of a document that is JSON
		return own.quote(text)
	})
}

// indented lays a JSON document out in lines: the first where the template is,
// the others behind margin spaces, what is inside behind step more.
func indented(margin, step int, document string) (string, error) {
	var b bytes.Buffer
	err := json.Indent(&b, []byte(strings.TrimSpace(document)), strings.Repeat(" ", margin), strings.Repeat(" ", step))
	return b.String(), err
}

// lines are those of a text, each with the end that it has.
func lines(text string) []string { return strings.SplitAfter(text, "\n") }

// title is a method as it stands in the names of many libraries: "Patch".
func title(method string) string { return method[:1] + strings.ToLower(method[1:]) }

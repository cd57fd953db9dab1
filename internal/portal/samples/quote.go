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

// functions are the template functions. A language's name returns a quoted string
// literal, with the suffix Raw a readable literal of a JSON document, and with the suffix
// Literal the document in the language's own notation.
var functions = template.FuncMap{
	"c":          c,
	"csharp":     csharp,
	"dart":       dartSyntax.quote,
	"go":         strconv.Quote,
	"java":       javaSyntax.quote,
	"javascript": javascriptSyntax.quote,
	"kotlin":     kotlinSyntax.quote,
	"ocaml":      ocamlSyntax.quote,
	"php":        between(`'`, `'`, `\`, `\\`, `'`, `\'`),
	"powershell": between(`'`, `'`, "'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛"), // all of them end a string
	"python":     pythonSyntax.quote,
	"r":          rSyntax.quote,
	"ruby":       rubySyntax.quote,
	"rust":       rustSyntax.quote,
	"shell":      between(`'`, `'`, `'`, `'\''`),
	"swift":      swiftSyntax.quote,

	"csharpRaw": between(`@"`, `"`, `"`, `""`),
	"goRaw":     between("`", "`", "`", `\u0060`), // in JSON, a backquote occurs only inside a string
	"httpRaw":   between("", "", "{{", `{\u007b`), // "{{" begins a variable of an editor's HTTP client
	"javaRaw":   between("", "", `\`, `\\`),       // a text block; JSON never has three quotes in a row
	"kotlinRaw": between("", "", "$", "${'$'}"),   // a raw string, in which only $ is special
	"ocamlRaw":  ocamlRaw,
	"rRaw":      rRaw,
	"rustRaw":   rustRaw,
	"swiftRaw":  swiftRaw,

	"dartLiteral":       literal(dartSyntax, nil),
	"javascriptLiteral": between("", "", `"__proto__":`, `["__proto__"]:`), // else as in JSON
	"pythonLiteral":     literal(pythonSyntax, map[string]string{"true": "True", "false": "False", "null": "None"}),

	"json":  indented,
	"lines": lines,
	"lower": strings.ToLower,
	"title": title,
}

// syntax is how a language writes a string in quotes.
type syntax struct {
	mark    string // the quote
	escaped string // characters that need a backslash
	control string // format of a control character
}

var (
	cSyntax          = syntax{`"`, `"\`, `\%03o`}
	csharpSyntax     = syntax{`"`, `"\`, `\u%04x`}
	dartSyntax       = syntax{`'`, `'\$`, `\x%02x`}
	javaSyntax       = syntax{`"`, `"\`, `\%03o`} // Java resolves \u000c before it parses the literal
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

// csharp also escapes the characters that end a line in C#.
func csharp(s string) string {
	return strings.NewReplacer("\u0085", `\u0085`, "\u2028", `\u2028`, "\u2029", `\u2029`).Replace(csharpSyntax.quote(s))
}

// between returns a function that replaces parts of a text and encloses it.
func between(begin, end string, oldnew ...string) func(string) string {
	replacer := strings.NewReplacer(oldnew...)
	return func(text string) string { return begin + replacer.Replace(text) + end }
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

// swiftRaw returns a multi-line string with # delimiters, in which a backslash is special
// only before the same number of #.
func swiftRaw(document string) string {
	hashes := "#" + fence("#", func(more string) bool { return strings.Contains(document, `\#`+more) })
	return hashes + "\"\"\"\n" + document + "\n\"\"\"" + hashes
}

// fence repeats a word until it does not occur in the text.
func fence(word string, collides func(string) bool) string {
	all := ""
	for collides(all) {
		all += word
	}
	return all
}

var jsonWord = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|true|false|null`)

// literal returns a function that writes a JSON document in a language whose maps, lists
// and numbers look like JSON.
func literal(own syntax, words map[string]string) func(string) string {
	return func(document string) string {
		return jsonWord.ReplaceAllStringFunc(document, func(word string) string {
			if word[0] != '"' {
				return cmp.Or(words[word], word)
			}
			var text string
			_ = json.Unmarshal([]byte(word), &text) // cannot fail: word is a JSON string
			return own.quote(text)
		})
	}
}

// indented indents a JSON document: all lines but the first by margin spaces, and each
// level by step more.
func indented(margin, step int, document string) (string, error) {
	var b bytes.Buffer
	err := json.Indent(&b, []byte(strings.TrimSpace(document)), strings.Repeat(" ", margin), strings.Repeat(" ", step))
	return b.String(), err
}

// lines splits a text into lines with their line endings.
func lines(text string) []string { return strings.SplitAfter(text, "\n") }

// title returns a method in title case, as many libraries write it: "Patch".
func title(method string) string { return method[:1] + strings.ToLower(method[1:]) }

package samples_test

import (
	"strings"
	"testing"

	"kartotek/internal/portal/samples"
)

// Each language has its own special characters. These literals were checked by hand, and
// the samples that run send the same text.
func TestStringsAreEscaped(t *testing.T) {
	t.Parallel()
	const hard = "O'Brien å 🎈 \"q\" \\ $name ${x} #{x} %s `ls` ’???/" + "\n\r\t\x07\u2028"
	c := `O'Brien å 🎈 \"q\" \\ $name ${x} #{x} %s ` + "`ls`" + ` ’???/\n\r\t\007` + "\u2028"
	hex := strings.ReplaceAll(c, `\007`, `\x07`)
	for label, want := range map[string]string{
		"C# · HttpClient":    `"` + strings.NewReplacer(`\007`, `\u0007`, "\u2028", `\u2028`).Replace(c) + `"`,
		"C# · RestSharp":     `"` + strings.NewReplacer(`\007`, `\u0007`, "\u2028", `\u2028`).Replace(c) + `"`,
		"Dart · http":        `'O\'Brien å 🎈 "q" \\ \$name \${x} #{x} %s ` + "`ls`" + ` ’???/\n\r\t\x07` + "\u2028'",
		"Go":                 `"` + strings.NewReplacer(`\007`, `\a`, "\u2028", `\u2028`).Replace(c) + `"`,
		"Java":               `"` + c + `"`,
		"JavaScript · fetch": `"` + hex + `"`,
		"Kotlin":             `"` + strings.NewReplacer(`\007`, `\u0007`, `$`, `\$`).Replace(c) + `"`,
		"C · libcurl":        strings.ReplaceAll(c, "?", `\?`) + `"`,
		"Node.js":            `"` + hex + `"`,
		"Objective-C":        `@"` + strings.ReplaceAll(c, "?", `\?`) + `"`,
		"OCaml · Cohttp":     `"` + c + `"`,
		"PHP · cURL":         `O\'Brien å 🎈 "q" \\ $name ${x} #{x} %s ` + "`ls` ’???/\n\r\t\x07\u2028'",
		"PowerShell":         `'O''Brien å 🎈 "q" \ $name ${x} #{x} %s ` + "`ls` ’’???/\n\r\t\x07\u2028'",
		"Python · requests":  `"` + hex + `"`,
		"R · httr2":          `"` + hex + `"`,
		"Ruby":               `"` + strings.ReplaceAll(hex, `#`, `\#`) + `"`,
		"Rust · reqwest":     `"` + hex + `"`,
		"Swift":              `"` + strings.ReplaceAll(c, `\007`, `\u{7}`) + `"`,
		"curl":               `O'\''Brien å 🎈 "q" \ $name ${x} #{x} %s ` + "`ls` ’???/\n\r\t\x07\u2028'",
		"Shell · wget":       `O'\''Brien å 🎈 "q" \ $name ${x} #{x} %s ` + "`ls` ’???/\n\r\t\x07\u2028'",
		"HTTP":               hard, // has no escapes
	} {
		source := sources(samples.Request{Method: "GET", URL: "http://127.0.0.1/", Headers: []samples.Header{{Name: "X-Note", Value: hard}}})[label]
		if !strings.Contains(source, want) {
			t.Errorf("%s: want %s in\n%s", label, want, source)
		}
	}
}

func TestDocumentsStayReadable(t *testing.T) {
	t.Parallel()
	const body = `{"name":"O'Brien \"q\" \\ å $name #{x} %s ` + "`ls`" + ` |} )\" {{y}}","tags":["\u00e5\/",true,null],"none":{}}`
	plain := func(margin, step string) string {
		return "{\n" + margin + step + `"name": "O'Brien \"q\" \\ å $name #{x} %s ` + "`ls`" + ` |} )\" {{y}}",` + "\n" +
			margin + step + `"tags": [` + "\n" +
			margin + step + step + `"\u00e5\/",` + "\n" +
			margin + step + step + "true,\n" +
			margin + step + step + "null\n" +
			margin + step + "],\n" +
			margin + step + `"none": {}` + "\n" +
			margin + "}"
	}
	replaced := func(document string, oldnew ...string) string {
		return strings.NewReplacer(oldnew...).Replace(document)
	}
	margin := func(spaces int) string { return strings.Repeat(" ", spaces) }
	for label, want := range map[string]string{
		"C# · HttpClient":    `@"` + replaced(plain(margin(8), margin(4)), `"`, `""`) + `"`,
		"curl":               `'` + replaced(plain("  ", "  "), `'`, `'\''`) + `'`,
		"Dart · http":        `jsonEncode({` + "\n" + `    'name': 'O\'Brien "q" \\ å \$name #{x} %s ` + "`ls`" + ` |} )" {{y}}',` + "\n    'tags': [\n      'å/',",
		"Go":                 "`" + replaced(plain("", "  "), "`", `\u0060`) + "`",
		"HTTP":               "\n\n" + replaced(plain("", "  "), "{{", `{\u007b`) + "\n",
		"Java":               `"""` + "\n" + margin(12) + replaced(plain(margin(12), "  "), `\`, `\\`) + "\n" + margin(12) + `"""`,
		"JavaScript · fetch": "JSON.stringify(" + plain("  ", "  ") + ")",
		"Kotlin":             `"""` + "\n" + margin(8) + replaced(plain(margin(8), "  "), "$", "${'$'}") + "\n" + margin(4) + `""".trimIndent()`,
		"C · libcurl":        `        "  \"name\": \"O'Brien \\\"q\\\" \\\\ å $name #{x} %s ` + "`ls`" + ` |} )\\\" {{y}}\",\n"` + "\n",
		"Objective-C":        `            @"    \"\\u00e5\\/\",\n"` + "\n",
		"OCaml · Cohttp":     "{json|" + plain(margin(4), "  ") + "|json}",
		"PHP · cURL":         "<<<'JSON'\n" + margin(8) + plain(margin(8), margin(4)) + "\n" + margin(8) + "JSON,",
		"PowerShell":         "@'\n" + plain("", "  ") + "\n'@",
		"Python · requests":  "json={\n" + `        "name": "O'Brien \"q\" \\ å $name #{x} %s ` + "`ls`" + ` |} )\" {{y}}",` + "\n" + `        "tags": [` + "\n" + `            "å/",` + "\n            True,\n            None\n",
		"R · httr2":          `r"(` + plain("  ", "  ") + `)"`,
		"Ruby":               "<<~'JSON'\n  " + plain("  ", "  ") + "\nJSON\n",
		"Rust · reqwest":     `r#"` + plain(margin(8), "  ") + `"#`,
		"Swift":              "#\"\"\"\n" + plain("", "  ") + "\n\"\"\"#",
	} {
		source := sources(samples.Request{Method: "PATCH", URL: "http://127.0.0.1/", Body: body})[label]
		if !strings.Contains(source, want) {
			t.Errorf("%s: want\n%s\nin\n%s", label, want, source)
		}
	}
}

func TestDelimitersDoNotOccurInDocument(t *testing.T) {
	t.Parallel()
	for label, tt := range map[string]struct{ body, want string }{
		"OCaml · Cohttp":     {`"|} |json}"`, `{jsonjson|"|} |json}"|jsonjson}`},
		"R · httr2":          {`["(a)","(b)-"]`, "r\"--([\n    \"(a)\",\n    \"(b)-\"\n  ])--\""},
		"Rust · reqwest":     {`"#1\"##"`, `r###""#1\"##""###`},
		"Swift":              {`"\\#(x)"`, "##\"\"\"\n\"\\\\#(x)\"\n\"\"\"##"},
		"JavaScript · fetch": {`{"__proto__":"\"__proto__\":"}`, `["__proto__"]: "\"__proto__\":"`},
	} {
		source := sources(samples.Request{Method: "PATCH", URL: "http://127.0.0.1/", Body: tt.body})[label]
		if !strings.Contains(source, tt.want) {
			t.Errorf("%s: want\n%s\nin\n%s", label, tt.want, source)
		}
	}
}

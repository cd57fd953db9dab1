package web_test

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/web"
)

func TestNewOutcomeSortsByChange(t *testing.T) {
	t.Parallel()
	got := web.NewOutcome([]string{"a", "b", "c", "d"}, map[string]bool{"b": true, "d": true, "c": false, "x": true}, []string{"e"})
	want := web.Outcome{Applied: []string{"b", "d"}, Unchanged: []string{"a", "c"}, Ignored: []string{"e"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("NewOutcome (-want +got):\n%s", diff)
	}
}

func numbered(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint("n", i))
	}
	return names
}

func TestOutcomeHeader(t *testing.T) {
	t.Parallel()
	x := func(n int) string { return strings.Repeat("x", n) }
	tests := map[string]struct {
		outcome web.Outcome
		want    string
	}{
		"an empty outcome sets no header": {web.Outcome{}, ""},
		"empty lists set no header":       {web.Outcome{Applied: []string{}, Ignored: []string{}}, ""},
		"a list has all names":            {web.Outcome{Applied: []string{"a", "b c"}}, `applied=("a" "b c")`},
		"empty lists are omitted":         {web.Outcome{Ignored: []string{"a"}}, `ignored=("a")`},
		"lists have a fixed order": {
			web.Outcome{Ignored: []string{"i"}, Stale: []string{"s"}, Unchanged: []string{"u"}, Applied: []string{"a"}},
			`applied=("a"), unchanged=("u"), stale=("s"), ignored=("i")`,
		},
		"quotes and backslashes are escaped":  {web.Outcome{Ignored: []string{`a"b\c`}}, `ignored=("a\"b\\c")`},
		"a percent sign is plain":             {web.Outcome{Ignored: []string{"100%"}}, `ignored=("100%")`},
		"an empty name is a name":             {web.Outcome{Ignored: []string{""}}, `ignored=("")`},
		"letters beyond ASCII are displayed":  {web.Outcome{Ignored: []string{"å"}}, `ignored=(%"%c3%a5")`},
		"displayed percents are escaped":      {web.Outcome{Ignored: []string{`å%"\ `}}, `ignored=(%"%c3%a5%25%22\ ")`},
		"line ends are displayed":             {web.Outcome{Ignored: []string{"a\r\nB: c"}}, `ignored=(%"a%0d%0aB: c")`},
		"NUL, tab and DEL are displayed":      {web.Outcome{Ignored: []string{"\x00\t\x7f"}}, `ignored=(%"%00%09%7f")`},
		"64 bytes are listed":                 {web.Outcome{Ignored: []string{x(64)}}, `ignored=("` + x(64) + `")`},
		"a longer name counts as more":        {web.Outcome{Ignored: []string{"a", x(65), "b"}}, `ignored=("a" "b");more=1`},
		"a list may have only longer names":   {web.Outcome{Ignored: []string{x(65), x(9999)}}, `ignored=();more=2`},
		"the length is in bytes, not letters": {web.Outcome{Ignored: []string{strings.Repeat("å", 33)}}, `ignored=();more=1`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			tt.outcome.SetHeader(h)
			if got := h.Get("Field-Outcome"); got != tt.want || len(h) != min(1, len(tt.want)) {
				t.Errorf("header of %+v: got %v, want %s", tt.outcome, h, tt.want)
			}
		})
	}
}

func TestOutcomeHeaderHasAtMostFortyNames(t *testing.T) {
	t.Parallel()
	for n, more := range map[int]int{39: 0, 40: 0, 41: 1, 10_000: 9960} {
		h := http.Header{}
		web.Outcome{Applied: numbered(n), Ignored: numbered(2)}.SetHeader(h)
		want := []member9651{
			{key: "applied", names: numbered(n)[:n-more], more: more},
			{key: "ignored", names: numbered(2)},
		}
		got, err := parse9651(h.Get("Field-Outcome"))
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(member9651{})); err != nil || diff != "" {
			t.Errorf("%d names: %v (-want +got):\n%s", n, err, diff)
		}
	}
}

func TestOutcomeHeaderRoundTripsAnyName(t *testing.T) {
	t.Parallel()
	pieces := []string{"", "a", " ", `"`, `\`, "%", "%c3", "(", ")", ";", ",", "=", "\r\n", "\n", "\x00", "\x7f", "\u0080", "å", "\u2028", "\ufeff", "😀", "\ufffd"}
	for _, a := range pieces {
		for _, b := range pieces {
			for _, c := range pieces {
				names := []string{a + b + c, c, b + a}
				h := http.Header{}
				web.Outcome{Unchanged: names}.SetHeader(h)
				header := h.Get("Field-Outcome")
				if strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r > '~' }) {
					t.Fatalf("header of %q: got %q, want printable ASCII", names, header)
				}
				got, err := parse9651(header)
				if err != nil || len(got) != 1 || got[0].key != "unchanged" || !slices.Equal(got[0].names, names) {
					t.Fatalf("header of %q: got %s, which reads as %+v, %v", names, header, got, err)
				}
			}
		}
	}
}

// member9651 is a member of the dictionary: an inner list and its parameter.
type member9651 struct {
	key   string
	names []string
	more  int
}

// parse9651 parses a dictionary of inner lists of Strings and Display Strings, as strictly as RFC
// 9651, section 4.2.
func parse9651(s string) ([]member9651, error) {
	var all []member9651
	p := &parser{s}
	for {
		one := member9651{key: p.takeWhile("abcdefghijklmnopqrstuvwxyz")}
		if !p.take("=(") {
			return nil, p.errorf("expected an inner list")
		}
		for p.takeWhile(" "); !p.take(")"); {
			name, err := p.name()
			if err != nil {
				return nil, err
			}
			one.names = append(one.names, name)
			if p.takeWhile(" ") == "" && !strings.HasPrefix(p.rest, ")") {
				return nil, p.errorf("expected a space or the end of the list")
			}
		}
		if p.take(";more=") {
			more, err := strconv.Atoi(p.takeWhile("0123456789"))
			if err != nil {
				return nil, err
			}
			one.more = more
		}
		all = append(all, one)
		if p.rest == "" {
			return all, nil
		}
		p.takeWhile(" \t")
		if !p.take(",") {
			return nil, p.errorf("expected a comma")
		}
		p.takeWhile(" \t")
	}
}

type parser struct{ rest string }

func (p *parser) take(prefix string) (ok bool) {
	p.rest, ok = strings.CutPrefix(p.rest, prefix)
	return ok
}

func (p *parser) takeWhile(set string) string {
	rest := strings.TrimLeft(p.rest, set)
	taken := p.rest[:len(p.rest)-len(rest)]
	p.rest = rest
	return taken
}

func (p *parser) errorf(text string) error { return fmt.Errorf("%s at %q", text, p.rest) }

func (p *parser) name() (string, error) {
	display := p.take("%")
	if !p.take(`"`) {
		return "", p.errorf("expected a string")
	}
	var out strings.Builder
	for !p.take(`"`) {
		if p.rest == "" || p.rest[0] < ' ' || p.rest[0] > '~' {
			return "", p.errorf("expected a printable character")
		}
		escaped := !display && p.take(`\`)
		if escaped && !strings.HasPrefix(p.rest, `"`) && !strings.HasPrefix(p.rest, `\`) {
			return "", p.errorf("expected a quote or a backslash")
		}
		if display && p.take("%") {
			code := p.rest[:min(2, len(p.rest))]
			b, err := hex.DecodeString(code)
			if err != nil || len(b) != 1 || code != strings.ToLower(code) {
				return "", p.errorf("expected two lower-case hex digits")
			}
			out.WriteByte(b[0])
			p.rest = p.rest[2:]
			continue
		}
		out.WriteByte(p.rest[0])
		p.rest = p.rest[1:]
	}
	if !utf8.ValidString(out.String()) {
		return "", p.errorf("expected UTF-8")
	}
	return out.String(), nil
}

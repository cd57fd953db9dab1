package native

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kartotek/internal/fault"
)

// query reads the parameters of a request, and notes what is wrong with them.
type query struct {
	values url.Values
	broken []fault.Field
}

// readQuery takes the parameters with these names. Others are refused, so that a
// misspelt one is not silently without effect, and so is one that stands there
// twice.
func readQuery(r *http.Request, names ...string) *query {
	if r.URL.RawQuery == "" {
		return &query{}
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.need(false, unreadable(r.URL.RawQuery), fault.Format, "must be name=value pairs, percent-encoded")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(names, name) {
			q.need(false, name, fault.Unknown, "is no parameter of this operation, which takes "+cmp.Or(strings.Join(names, ", "), "none"))
			continue
		}
		q.need(len(values[name]) == 1, name, fault.Duplicate, "must not be repeated")
		q.need(values.Get(name) != "", name, fault.Required, "must not be empty: leave the parameter out instead")
	}
	return q
}

// unreadable is the name of the first parameter that cannot be read, or empty when
// its name cannot either.
func unreadable(rawQuery string) string {
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if _, err := url.ParseQuery(pair); err != nil {
			name, _, _ := strings.Cut(pair, "=")
			name, _ = url.QueryUnescape(name) // empty when it fails
			return name
		}
	}
	return ""
}

// parameter marks the path of a fault as the name of a parameter.
const parameter = "?"

func (q *query) need(ok bool, name, rule, text string) {
	if !ok {
		q.broken = append(q.broken, fault.Field{Path: parameter + name, Rule: rule, Text: text})
	}
}

// err tells all that is wrong with the parameters.
func (q *query) err() error {
	if len(q.broken) > 0 {
		return malformed(q.broken...)
	}
	return nil
}

// whole is an integer between the limits, or fallback without the parameter.
func (q *query) whole(name string, low, high, fallback int64) int64 {
	text := q.values.Get(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		q.need(false, name, fault.Type, fmt.Sprintf("must be an integer from %d to %d", low, high))
		return fallback
	}
	q.need(err == nil && low <= n && n <= high, name, fault.Range, fmt.Sprintf("must be from %d to %d", low, high))
	return n
}

// limit is how many items a page may have.
func (q *query) limit(most, fallback int64) int {
	return int(q.whole("limit", 1, most, fallback))
}

// flag is whether a parameter is true.
func (q *query) flag(name string) bool {
	text := q.values.Get(name)
	q.need(text == "" || text == "true" || text == "false", name, fault.Format, "must be true or false")
	return text == "true"
}

// instant is a time, or the zero time without the parameter.
func (q *query) instant(name string) time.Time {
	text := q.values.Get(name)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	q.need(err == nil, name, fault.Format, "must be a time of RFC 3339, such as 2026-01-02T12:00:00Z; a + in it is sent as %2B")
	return at
}

// text is at most max characters.
func (q *query) text(name string, max int) string {
	text := q.values.Get(name)
	q.need(utf8.ValidString(text), name, fault.Format, "must be UTF-8")
	q.need(utf8.RuneCountInString(text) <= max, name, fault.Length, fmt.Sprintf("must have at most %d characters", max))
	return text
}

// words is a text to search for. Without a letter or a digit, a search would find all customers or
// none.
func (q *query) words(name string, max int) string {
	text := q.text(name, max)
	holds := strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
	q.need(holds || text == "" || !utf8.ValidString(text), name, fault.Format, "must contain a letter or a digit")
	return text
}

// phone is a phone to search for.
func (q *query) phone(name string, max int) string {
	text := q.text(name, max)
	q.need(text == "" || !utf8.ValidString(text) || strings.ContainsAny(text, "0123456789"), name, fault.Format, "must contain a digit")
	return text
}

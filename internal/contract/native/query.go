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

// query parses the parameters of a request and collects their errors.
type query struct {
	values url.Values
	errs   fault.Validator
}

// parseQuery accepts only parameters with these names: a misspelt one must not be ignored.
func parseQuery(r *http.Request, names ...string) *query {
	if r.URL.RawQuery == "" {
		return &query{}
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.require(false, firstBadParam(r.URL.RawQuery), fault.Format, "must be name=value pairs, percent-encoded")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(names, name) {
			q.require(false, name, fault.Unknown, "unknown parameter; allowed: "+cmp.Or(strings.Join(names, ", "), "none"))
			continue
		}
		q.require(len(values[name]) == 1, name, fault.Duplicate, "must not be repeated")
		q.require(values.Get(name) != "", name, fault.Required, "must not be empty; leave the parameter out instead")
	}
	return q
}

// firstBadParam returns the name of the first malformed parameter; it is empty when the name is
// malformed too.
func firstBadParam(rawQuery string) string {
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if _, err := url.ParseQuery(pair); err != nil {
			name, _, _ := strings.Cut(pair, "=")
			name, _ = url.QueryUnescape(name) // empty when it fails
			return name
		}
	}
	return ""
}

// parameter is the prefix of the path of a fault that names a parameter.
const parameter = "?"

func (q *query) require(ok bool, name, rule, text string) {
	q.errs.Require(ok, parameter+name, rule, text)
}

func (q *query) err() error { return badRequest(q.errs) }

// int returns an integer between low and high, or fallback without the parameter.
func (q *query) int(name string, low, high, fallback int64) int64 {
	text := q.values.Get(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		q.require(false, name, fault.Type, fmt.Sprintf("must be an integer from %d to %d", low, high))
		return fallback
	}
	q.require(err == nil && low <= n && n <= high, name, fault.Range, fmt.Sprintf("must be from %d to %d", low, high))
	return n
}

// limit returns the maximum number of items in the page.
func (q *query) limit(high, fallback int64) int { return int(q.int("limit", 1, high, fallback)) }

func (q *query) flag(name string) bool {
	text := q.values.Get(name)
	q.require(text == "" || text == "true" || text == "false", name, fault.Format, "must be true or false")
	return text == "true"
}

// time returns the zero time without the parameter.
func (q *query) time(name string) (at time.Time) {
	if text := q.values.Get(name); text != "" {
		var err error
		at, err = parseTime(text)
		q.require(err == nil, name, fault.Format, "must be an RFC 3339 time, such as 2026-01-02T12:00:00Z; encode + as %2B")
	}
	return at
}

// maxText is the maximum length of a text to search for, in characters.
const maxText = 200

func isLetterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// text returns a text to search for. It must contain a significant character, because a search for
// the others would find all customers or none.
func (q *query) text(name string, significant func(rune) bool, example string) string {
	text := q.values.Get(name)
	if text == "" {
		return ""
	}
	valid := utf8.ValidString(text)
	q.require(valid, name, fault.Format, "must be UTF-8")
	q.require(utf8.RuneCountInString(text) <= maxText, name, fault.Length, fmt.Sprintf("must have at most %d characters", maxText))
	q.require(!valid || strings.ContainsFunc(text, significant), name, fault.Format, "must contain "+example)
	return text
}

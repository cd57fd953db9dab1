package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kartotek/internal/fault"
)

// ETag is the entity tag of a record at this version.
func ETag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// IfMatch reads the condition of a change (RFC 9110, section 13.1.1): the versions
// of which the record must be at one. It is conditional when the header names
// versions; "*" only demands that there is a record. Tags that are not of ours,
// or weak, match nothing, and nor does a list without tags. A header that is no
// list of tags is a BadRequest fault.
func IfMatch(r *http.Request) (versions []int64, conditional bool, err error) {
	headers := r.Header.Values("If-Match")
	list := strings.Join(headers, ",")
	if len(headers) == 0 || strings.TrimSpace(list) == "*" {
		return nil, false, nil
	}
	for {
		list = strings.TrimLeft(list, " \t,") // a list may have empty elements
		if list == "" {
			return versions, true, nil
		}
		tag, weak, rest, ok := parseTag(list)
		list = strings.TrimLeft(rest, " \t")
		if !ok || list != "" && list[0] != ',' {
			return nil, false, errBadIfMatch()
		}
		version, err := strconv.ParseInt(tag, 10, 64)
		if err == nil && !weak && ETag(version) == `"`+tag+`"` { // "+1" and "01" are not of ours
			versions = append(versions, version)
		}
	}
}

// NotModified reports whether If-None-Match (RFC 9110, section 13.1.2) names this tag, so
// that the response is 304. Tags are compared weakly; a malformed header is ignored.
func NotModified(r *http.Request, tag string) bool {
	list := strings.Join(r.Header.Values("If-None-Match"), ",")
	if strings.TrimSpace(list) == "*" {
		return true
	}
	for {
		list = strings.TrimLeft(list, " \t,")
		opaque, _, rest, ok := parseTag(list)
		if !ok {
			return false
		}
		if `"`+opaque+`"` == tag {
			return true
		}
		list = rest
	}
}

// nextTag takes one entity tag from the front of a list.
func parseTag(s string) (tag string, weak bool, rest string, ok bool) {
	s, weak = strings.CutPrefix(s, "W/")
	if !strings.HasPrefix(s, `"`) {
		return "", false, "", false
	}
	tag, rest, ok = strings.Cut(s[1:], `"`)
	return tag, weak, rest, ok
}

func errBadIfMatch() error {
	return &fault.Fault{
		Kind:   fault.BadRequest,
		Text:   "the request is malformed",
		Fields: []fault.Field{{Path: "If-Match", Rule: fault.Format, Text: `must be * or entity tags such as "3"`}},
	}
}

// Seconds is a duration as headers tell one: whole seconds, rounded up.
func Seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// Prefers reports whether the client asks for this preference (RFC 7240), in any
// case. Its first mention counts.
func Prefers(r *http.Request, name, value string) bool {
	for _, header := range r.Header.Values("Prefer") {
		for item := range strings.SplitSeq(header, ",") {
			preference, _, _ := strings.Cut(item, ";")
			n, v, _ := strings.Cut(preference, "=")
			if strings.EqualFold(strings.TrimSpace(n), name) {
				return strings.EqualFold(strings.Trim(strings.TrimSpace(v), `"`), value)
			}
		}
	}
	return false
}

// Outcome says what became of each property that a PATCH carried, in wire names.
type Outcome struct {
	Applied   []string // its value is now the record's
	Unchanged []string // the record had that value, or the contract takes it as "leave it"
	Stale     []string // an old value that another caller has changed since, and so no change
	Ignored   []string // the contract does not let this operation change it, or does not know it
}

// NewOutcome sorts the properties that a PATCH carried by whether their values
// have moved; ignored are those that it could not move.
func NewOutcome(sent []string, moved map[string]bool, ignored []string) Outcome {
	out := Outcome{Ignored: ignored}
	for _, name := range sent {
		if moved[name] {
			out.Applied = append(out.Applied, name)
		} else {
			out.Unchanged = append(out.Unchanged, name)
		}
	}
	return out
}

// SetHeader tells the outcome in the header Field-Outcome, a dictionary of inner
// lists (RFC 9651). Lists without names are left out.
func (o Outcome) SetHeader(h http.Header) {
	var out []string
	for _, list := range []struct {
		key   string
		names []string
	}{{"applied", o.Applied}, {"unchanged", o.Unchanged}, {"stale", o.Stale}, {"ignored", o.Ignored}} {
		if len(list.names) > 0 {
			out = append(out, list.key+"="+innerList(list.names))
		}
	}
	if len(out) > 0 {
		h.Set("Field-Outcome", strings.Join(out, ", "))
	}
}

// A body may name thousands of unknown properties, each as long as itself; what a
// header tells is bounded.
const (
	maxOutcomeNames   = 40 // in a list; a parameter "more" counts the rest
	maxOutcomeNameLen = 64 // bytes of a name; a longer one counts as one of the rest
)

func innerList(names []string) string {
	var items []string
	for _, name := range names {
		if len(items) < maxOutcomeNames && len(name) <= maxOutcomeNameLen {
			items = append(items, structuredString(name))
		}
	}
	list := "(" + strings.Join(items, " ") + ")"
	if more := len(names) - len(items); more > 0 {
		list += fmt.Sprintf(";more=%d", more)
	}
	return list
}

// sfString is a String of RFC 9651, or a Display String when s is not all
// printable ASCII.
func structuredString(s string) string {
	var plain, display strings.Builder
	ascii := true
	for _, b := range []byte(s) {
		printable := b >= ' ' && b <= '~'
		ascii = ascii && printable
		if b == '"' || b == '\\' {
			plain.WriteByte('\\')
		}
		plain.WriteByte(b)
		if !printable || b == '%' || b == '"' {
			fmt.Fprintf(&display, "%%%02x", b)
		} else {
			display.WriteByte(b)
		}
	}
	if ascii {
		return `"` + plain.String() + `"`
	}
	return `%"` + display.String() + `"`
}

// AllowReadOnly reports whether the method of a request is GET or HEAD. If not, it sets the
// Allow header of the response.
func AllowReadOnly(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	return false
}

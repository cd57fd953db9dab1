package web

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"kartotek/internal/fault"
)

// ETag is the entity tag of a version of a record.
func ETag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// IfMatch parses If-Match (RFC 9110, section 13.1.1): the record must be at one of the versions
// when conditional is true. "*" is not conditional: it requires only that the record exists. Tags
// that ETag did not make, and an empty list, match no version. A malformed header is a BadRequest
// fault.
func IfMatch(r *http.Request) (versions []int64, conditional bool, err error) {
	headers := r.Header.Values("If-Match")
	list := strings.Join(headers, ",")
	if len(headers) == 0 || strings.TrimSpace(list) == "*" {
		return nil, false, nil
	}
	tags, ok := parseTags(list)
	if !ok {
		return nil, false, fault.NewField(fault.BadRequest, "the request is malformed", "If-Match", fault.Format, `must be * or entity tags such as "3"`)
	}
	return versionsOf(tags), true, nil
}

// IfNoneMatch parses If-None-Match of a change (RFC 9110, section 13.1.2): the record must be at
// none of the versions, and must not exist when the header is "*". A malformed header is ignored.
func IfNoneMatch(r *http.Request) (versions []int64, never bool) {
	list := strings.Join(r.Header.Values("If-None-Match"), ",")
	tags, _ := parseTags(list)
	return versionsOf(tags), strings.TrimSpace(list) == "*"
}

// IfUnmodifiedSince parses If-Unmodified-Since (RFC 9110, section 13.1.4). It is zero when the header
// is absent, not a date, or overruled by If-Match.
func IfUnmodifiedSince(r *http.Request) time.Time {
	if r.Header.Values("If-Match") != nil {
		return time.Time{}
	}
	since, err := http.ParseTime(r.Header.Get("If-Unmodified-Since"))
	if err != nil {
		return time.Time{}
	}
	return since
}

// versionsOf returns the versions whose ETags are in the list.
func versionsOf(tags []string) (versions []int64) {
	for _, tag := range tags {
		tag = originalTag(tag)
		version, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
		if err == nil && ETag(version) == tag { // ETag writes no "+1" and no "01"
			versions = append(versions, version)
		}
	}
	return versions
}

// codingSuffix is what Apache and Jetty append to the tag of a response that they compress.
var codingSuffix = regexp.MustCompile(`(?:--?|;)(?:gzip|br|deflate|df|zstd)"$`)

// originalTag returns the tag that the server sent, before a proxy compressed the response: nginx
// makes it weak, others append the name of the coding. The version is the same, so a client may send
// such a tag back.
func originalTag(tag string) string {
	return codingSuffix.ReplaceAllString(strings.TrimPrefix(tag, "W/"), `"`)
}

// NotModified reports whether If-None-Match (RFC 9110, section 13.1.2) matches the tag, so that the
// response should be 304. Tags are compared weakly; a malformed header is ignored.
func NotModified(r *http.Request, tag string) bool {
	list := strings.Join(r.Header.Values("If-None-Match"), ",")
	tags, _ := parseTags(list)
	return strings.TrimSpace(list) == "*" || slices.ContainsFunc(tags, func(sent string) bool { return originalTag(sent) == tag })
}

var entityTag = regexp.MustCompile(`^(?:W/)?"[^"]*"`)

// parseTags parses a list of entity tags; ok is false when it is malformed after these.
func parseTags(list string) (tags []string, ok bool) {
	for {
		list = strings.TrimLeft(list, " \t,") // a list may have empty elements
		tag := entityTag.FindString(list)
		if tag == "" {
			return tags, list == ""
		}
		tags = append(tags, tag)
		list = strings.TrimLeft(list[len(tag):], " \t")
		if list != "" && list[0] != ',' {
			return tags, false
		}
	}
}

// Seconds formats a duration for a header: whole seconds, rounded up.
func Seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// Prefers reports whether the request has this preference (RFC 7240), in any case. The first
// occurrence counts.
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

// Outcome is the effect of a PATCH on each property in its body, in wire names.
type Outcome struct {
	Applied   []string // written
	Unchanged []string // same value as before, or a value that means "leave unchanged"
	Stale     []string // not written: another client has updated the property since
	Ignored   []string // read-only or unknown
}

// NewOutcome returns the outcome for the updatable properties that were sent, given which of them
// changed, and the ignored ones.
func NewOutcome(sent []string, changed map[string]bool, ignored []string) Outcome {
	out := Outcome{Ignored: ignored}
	for _, name := range sent {
		if changed[name] {
			out.Applied = append(out.Applied, name)
		} else {
			out.Unchanged = append(out.Unchanged, name)
		}
	}
	return out
}

// SetHeader sets Field-Outcome, a dictionary of inner lists (RFC 9651). Empty lists are omitted.
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

// A body may have thousands of unknown properties with long names; these limits bound the header.
const (
	maxOutcomeNames   = 40 // in a list; the parameter "more" counts the rest
	maxOutcomeNameLen = 64 // bytes; longer names are only counted in "more"
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

// structuredString formats s as an RFC 9651 String, or as a Display String when s has characters
// other than printable ASCII.
func structuredString(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return strconv.Quote(s) // escapes only the quote and the backslash
	}
	var display strings.Builder
	for _, b := range []byte(s) {
		if b < ' ' || b > '~' || b == '%' || b == '"' {
			fmt.Fprintf(&display, "%%%02x", b)
		} else {
			display.WriteByte(b)
		}
	}
	return `%"` + display.String() + `"`
}

// AllowReadOnly reports whether the method is GET or HEAD. Otherwise it sets Allow for a 405.
func AllowReadOnly(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	return false
}

// Protect keeps personal data out of caches and turns off content sniffing.
func Protect(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}

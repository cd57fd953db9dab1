package elw

import (
	"cmp"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/web"
)

// mediaTypes are what the contract reads and writes, all of them JSON, in the
// order in which it prefers them.
var mediaTypes = []string{"application/json", "text/json", "text/html"}

// write answers in the media type that the caller asks for.
func write(w http.ResponseWriter, r *http.Request, status int, body any) error {
	media := responseType(r)
	html := media == "text/html"
	b, err := json.Marshal(body, jsontext.EscapeForHTML(html), json.Deterministic(true),
		jsontext.AllowInvalidUTF8(true)) // a message may quote a header of the request
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", media+"; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "-1")
	if html { // a browser must not find scripts in what customers wrote
		h.Set("X-Content-Type-Options", "nosniff")
	}
	return web.Write(w, status, b)
}

// responseType is the one of our media types that Accept ranks highest. When it
// covers none of them, it is the request's own if that is ours, or else JSON:
// never 406.
func responseType(r *http.Request) string {
	accepted := acceptRanges(r)
	for _, a := range accepted {
		for _, media := range mediaTypes {
			if a.q > 0 && a.covers(media) && !isExcluded(accepted, media) {
				return media
			}
		}
	}
	if own, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && slices.Contains(mediaTypes, own) {
		return own
	}
	return mediaTypes[0]
}

// acceptRange is one value of Accept: "text/html", "text/*" or "*/*".
type acceptRange struct {
	media string
	q     float64
}

// acceptRanges is the Accept header, the highest q first and the more specific
// first among equals. What cannot be read is left out.
func acceptRanges(r *http.Request) []acceptRange {
	var ranges []acceptRange
	for item := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		media, params, err := mime.ParseMediaType(item)
		if err != nil {
			continue
		}
		q, err := strconv.ParseFloat(cmp.Or(params["q"], "1"), 64)
		if err != nil || q < 0 || q > 1 {
			continue
		}
		ranges = append(ranges, acceptRange{media, q})
	}
	slices.SortStableFunc(ranges, func(a, b acceptRange) int {
		return cmp.Or(cmp.Compare(b.q, a.q), cmp.Compare(a.wildcards(), b.wildcards()))
	})
	return ranges
}

func (a acceptRange) wildcards() int { return strings.Count(a.media, "*") }

func (a acceptRange) covers(media string) bool {
	group, all := strings.CutSuffix(a.media, "/*")
	return a.media == media || all && (group == "*" || strings.HasPrefix(media, group+"/"))
}

// refused reports whether the caller ruled this media type out by name (q=0).
func isExcluded(ranges []acceptRange, media string) bool {
	return slices.Contains(ranges, acceptRange{media, 0})
}

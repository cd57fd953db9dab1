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

// mediaTypes are the media types of requests and responses, in the order of preference. The content
// is always JSON.
var mediaTypes = []string{"application/json", "text/json", "text/html"}

// write sends a response in the media type that responseType selects.
func write(w http.ResponseWriter, r *http.Request, status int, body any) error {
	media := responseType(r)
	html := media == "text/html"
	b, err := json.Marshal(body, jsontext.EscapeForHTML(html), json.Deterministic(true),
		jsontext.AllowInvalidUTF8(true)) // a message may contain a request header
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", media+"; charset=utf-8")
	h.Set("Cache-Control", "no-cache, no-store")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "-1")
	if html { // a browser must not run scripts in customer data
		h.Set("X-Content-Type-Options", "nosniff")
	}
	return web.Write(w, status, b)
}

// responseType returns the media type that Accept prefers. If Accept matches none of mediaTypes, it
// is the type of the request if supported, or else JSON: the contract has no 406.
func responseType(r *http.Request) string {
	accepted := acceptRanges(r)
	for _, a := range accepted {
		for _, media := range mediaTypes {
			if a.q > 0 && a.covers(media) && !isExcluded(accepted, media) {
				return media
			}
		}
	}
	if requestType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && slices.Contains(mediaTypes, requestType) {
		return requestType
	}
	return mediaTypes[0]
}

// acceptRange is one element of Accept: "text/html", "text/*" or "*/*".
type acceptRange struct {
	media string
	q     float64
}

// acceptRanges parses Accept and sorts it by q, then by specificity. Malformed elements are
// ignored.
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

// isExcluded reports whether Accept excludes this media type by name (q=0).
func isExcluded(ranges []acceptRange, media string) bool {
	return slices.Contains(ranges, acceptRange{media, 0})
}

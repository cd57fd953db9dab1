package portal

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
)

// base is the server in guides, code samples and collections: the one that "make run" starts.
// Responses have the server's own address in its place.
const base = "http://127.0.0.1:8080"

// hostPattern is what a Host header may have to be part of a response. Readers copy commands from
// the responses, so it excludes characters that a shell interprets.
var hostPattern = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$`)

// IsServerURL reports whether a text is a URL of only a scheme and a host.
func IsServerURL(text string) bool {
	scheme, host, ok := strings.Cut(text, "://")
	return ok && (scheme == "http" || scheme == "https") && hostPattern.MatchString(host)
}

// address returns the URL at which clients reach the server.
func (s Settings) address(r *http.Request) string {
	switch {
	case s.URL != "":
		return s.URL
	case !hostPattern.MatchString(r.Host):
		return base
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// withAddress returns the content with the server's address in place of base.
func withAddress(content []byte, address string) []byte {
	return bytes.ReplaceAll(content, []byte(base), []byte(address))
}

package contract

import (
	"net/http"

	"kartotek/internal/customer"
	"kartotek/internal/web"
)

// Precondition parses the conditional headers of a change. named reports whether If-Match names
// versions, which "*" does not. A malformed If-Match is a BadRequest fault.
func Precondition(r *http.Request) (p customer.Precondition, named bool, err error) {
	versions, named, err := web.IfMatch(r)
	if err != nil {
		return customer.Precondition{}, false, err
	}
	if named {
		p.Versions = append([]int64{}, versions...) // not nil: no version matches an empty list
	}
	p.NotVersions, p.Never = web.IfNoneMatch(r)
	p.UnmodifiedSince = web.IfUnmodifiedSince(r)
	return p, named, nil
}

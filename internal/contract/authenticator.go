package contract

import (
	"net/http"
	"net/netip"
	"strconv"

	"kartotek/internal/access"
	"kartotek/internal/web"
)

// Authenticator lets callers in, as often as they may ask. Contracts take the credential
// out of the request, each in its own way.
type Authenticator struct {
	Directory *access.Directory
	Limits    *access.RateLimits // nil: every caller may ask as often as it likes
	Proxies   []netip.Prefix     // whose X-Forwarded-For is believed
}

// ByKey admits the caller with this API key to a contract.
func (g Authenticator) ByKey(w http.ResponseWriter, r *http.Request, contract, key string) (access.Actor, error) {
	by, err := g.Directory.ByKey(r.Context(), key)
	if err != nil {
		return access.Actor{}, err
	}
	return g.rateLimit(w, r, contract, by)
}

// ByPassword admits the caller with this login and password to a contract.
func (g Authenticator) ByPassword(w http.ResponseWriter, r *http.Request, contract, login, password string) (access.Actor, error) {
	by, err := g.Directory.ByPassword(r.Context(), g.clientIP(r), login, password)
	if err != nil {
		return access.Actor{}, err
	}
	return g.rateLimit(w, r, contract, by)
}

// admit counts the request, and tells its sender how many more there may be.
func (g Authenticator) rateLimit(w http.ResponseWriter, r *http.Request, contract string, by access.Actor) (access.Actor, error) {
	by.Contract, by.RequestID = contract, web.RequestID(r)
	if g.Limits == nil {
		return by, nil
	}
	budget, err := g.Limits.Allow(by)
	w.Header().Set("RateLimit-Limit", strconv.Itoa(budget.Limit))
	w.Header().Set("RateLimit-Remaining", strconv.Itoa(budget.Remaining))
	w.Header().Set("RateLimit-Reset", web.Seconds(budget.Reset))
	if err != nil {
		return access.Actor{}, err
	}
	return by, nil
}

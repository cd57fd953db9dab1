package contract

import (
	"net/http"
	"net/netip"
	"strconv"

	"kartotek/internal/access"
	"kartotek/internal/web"
)

// Authenticator authenticates callers and applies their rate limits. Each contract extracts the
// credential from the request itself.
type Authenticator struct {
	Directory *access.Directory
	Limits    *access.RateLimits // nil: no limits
	Proxies   []netip.Prefix     // trusted to set X-Forwarded-For
}

// ByKey authenticates the caller of a contract by its API key.
func (a Authenticator) ByKey(w http.ResponseWriter, r *http.Request, contract, key string) (access.Actor, error) {
	actor, err := a.Directory.ByKey(r.Context(), key)
	if err != nil {
		return access.Actor{}, err
	}
	return a.rateLimit(w, r, contract, actor)
}

// ByPassword authenticates the caller of a contract by its login and password.
func (a Authenticator) ByPassword(w http.ResponseWriter, r *http.Request, contract, login, password string) (access.Actor, error) {
	actor, err := a.Directory.ByPassword(r.Context(), a.clientIP(r), login, password)
	if err != nil {
		return access.Actor{}, err
	}
	return a.rateLimit(w, r, contract, actor)
}

// rateLimit counts the request and sets the RateLimit headers. It returns the actor with the
// contract and the id of the request.
func (a Authenticator) rateLimit(w http.ResponseWriter, r *http.Request, contract string, actor access.Actor) (access.Actor, error) {
	actor.Contract, actor.RequestID = contract, web.RequestID(r)
	if a.Limits == nil {
		return actor, nil
	}
	quota, err := a.Limits.Allow(actor)
	w.Header().Set("RateLimit-Limit", strconv.Itoa(quota.Limit))
	w.Header().Set("RateLimit-Remaining", strconv.Itoa(quota.Remaining))
	w.Header().Set("RateLimit-Reset", web.Seconds(quota.Reset))
	if err != nil {
		return access.Actor{}, err
	}
	return actor, nil
}

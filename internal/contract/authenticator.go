package contract

import (
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"kartotek/internal/access"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// Authenticator authenticates callers and applies their rate limits. Each contract extracts the
// credential from the request itself.
type Authenticator struct {
	Directory *access.Directory
	Limits    *access.RateLimits // nil: no limits
	Proxies   []netip.Prefix     // trusted to set X-Forwarded-For
	Log       *slog.Logger       // of failed logins; may be nil
}

// ByKey authenticates the caller of a contract by its API key.
func (a Authenticator) ByKey(w http.ResponseWriter, r *http.Request, contract, key string) (access.Actor, error) {
	web.SetCaller(r, a.clientIP(r), "", "")
	actor, err := a.Directory.ByKey(r.Context(), key)
	if err != nil {
		return access.Actor{}, err
	}
	return a.rateLimit(w, r, contract, actor)
}

// ByPassword authenticates the caller of a contract by its login and password.
func (a Authenticator) ByPassword(w http.ResponseWriter, r *http.Request, contract, login, password string) (access.Actor, error) {
	web.SetCaller(r, a.clientIP(r), "", "")
	actor, err := a.Directory.ByPassword(r.Context(), a.clientIP(r), login, password)
	if err != nil {
		a.logFailure(r, contract, login, err)
		return access.Actor{}, err
	}
	return a.rateLimit(w, r, contract, actor)
}

// logFailure logs a failed login, without the login, which may be personal data or a mistyped password.
func (a Authenticator) logFailure(r *http.Request, contract, login string, err error) {
	if a.Log == nil || !fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.RateLimited) {
		return
	}
	a.Log.InfoContext(r.Context(), "failed login", "id", web.RequestID(r), "contract", contract, "address", a.clientIP(r),
		"login_hash", a.Directory.LoginHash(login), "fault", fault.From(err).Kind)
}

// rateLimit counts the request and sets the RateLimit headers. It returns the actor with the
// contract and the id of the request.
func (a Authenticator) rateLimit(w http.ResponseWriter, r *http.Request, contract string, actor access.Actor) (access.Actor, error) {
	actor.Contract, actor.RequestID = contract, web.RequestID(r)
	web.SetCaller(r, a.clientIP(r), actor.Tenant, actor.ID)
	if a.Limits == nil {
		return actor, nil
	}
	quota, err := a.Limits.Allow(actor)
	w.Header().Set("RateLimit-Limit", strconv.Itoa(quota.Limit))
	w.Header().Set("RateLimit-Remaining", strconv.Itoa(quota.Remaining))
	w.Header().Set("RateLimit-Reset", web.Seconds(quota.Reset))
	if err != nil {
		select {
		case <-time.After(a.Limits.Pause(actor)):
		case <-r.Context().Done():
		}
		return access.Actor{}, err
	}
	return actor, nil
}

// clientIP is the address of the client. Each proxy appends the address of its own client to
// X-Forwarded-For, and a client can send any value, so the list is read from right to left while
// the addresses are trusted proxies.
func (a Authenticator) clientIP(r *http.Request) netip.Addr {
	ip, _ := parseIP(r.RemoteAddr) // zero for connections without an address, such as Unix sockets
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !a.isTrustedProxy(ip) {
			return ip
		}
		previous, ok := parseIP(strings.TrimSpace(hop))
		if !ok {
			return ip
		}
		ip = previous
	}
	return ip
}

func (a Authenticator) isTrustedProxy(ip netip.Addr) bool {
	return slices.ContainsFunc(a.Proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// parseIP parses an address with or without a port.
func parseIP(s string) (ip netip.Addr, ok bool) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap().WithZone(""), true
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return ip.Unmap().WithZone(""), err == nil
}

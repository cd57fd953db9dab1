package contract

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// address is where the request comes from. A proxy adds the address that it was
// called from to the right of X-Forwarded-For; what stands further left is as
// true as that caller wants. So it goes from the connection to the left, for as
// long as it meets trusted proxies.
func (g Authenticator) clientIP(r *http.Request) netip.Addr {
	from, _ := parseAddress(r.RemoteAddr) // zero when the connection has none, as a Unix socket
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !g.isTrustedProxy(from) {
			return from
		}
		before, ok := parseAddress(strings.TrimSpace(hop))
		if !ok {
			return from
		}
		from = before
	}
	return from
}

func (g Authenticator) isTrustedProxy(a netip.Addr) bool {
	return slices.ContainsFunc(g.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// parseAddress reads an address with or without a port.
func parseAddress(s string) (a netip.Addr, ok bool) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return a.Unmap().WithZone(""), err == nil
}

package contract

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

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

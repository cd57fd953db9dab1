package web

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"kartotek/internal/fault"
)

// requestInfo is what the log and the metrics report about one request, and its limit. It holds no
// personal data: no path, no query, no name. Ids and numbers of customers are in the log only.
type requestInfo struct {
	id, contract, operation string
	tenant, actor, customer string // empty when unknown
	address                 netip.Addr
	fault                   fault.Kind
	err                     error // logged in full: an operator can fix it, the client cannot
	maxBody                 int64 // bytes; 0 for no limit
	disconnected            <-chan struct{}
}

type requestInfoKey struct{}

// withRequestInfo gives the request a deadline and an id: the client's X-Request-Id if it is valid,
// or a new one. The request continues when its client disconnects, because a client that closes only
// its own side of the connection looks the same.
func withRequestInfo(r *http.Request, timeout time.Duration, maxBody int64) (*http.Request, *requestInfo, context.CancelFunc) {
	info := &requestInfo{id: r.Header.Get("X-Request-Id"), contract: "none", operation: "none", maxBody: maxBody, disconnected: r.Context().Done()}
	if !IsVisibleASCII(info.id, 128) {
		info.id = uuid.Must(uuid.NewV7()).String()
	}
	if deadline, ok := r.Context().Deadline(); ok {
		timeout = min(timeout, time.Until(deadline))
	}
	ctx, cancel := context.WithTimeout(context.WithValue(context.WithoutCancel(r.Context()), requestInfoKey{}, info), timeout)
	return r.WithContext(ctx), info, cancel
}

// requestInfoFrom returns an empty requestInfo when the handler runs without a Server.
func requestInfoFrom(r *http.Request) *requestInfo {
	if info, ok := r.Context().Value(requestInfoKey{}).(*requestInfo); ok {
		return info
	}
	return &requestInfo{}
}

// Disconnected is closed when the client has disconnected or has closed its side of the connection. A
// handler that waits for something else than the store should then respond.
func Disconnected(r *http.Request) <-chan struct{} { return requestInfoFrom(r).disconnected }

// IsVisibleASCII reports whether s has 1 to maxLen visible ASCII characters, and so is safe in logs,
// headers and the history.
func IsVisibleASCII(s string, maxLen int) bool {
	invisible := strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
	return len(s) >= 1 && len(s) <= maxLen && !invisible
}

// RequestID is the id of the request in the log, the history and the response.
func RequestID(r *http.Request) string { return requestInfoFrom(r).id }

// SetOperation sets the contract and the operation of the request in the log and the metrics.
func SetOperation(r *http.Request, contract, operation string) {
	info := requestInfoFrom(r)
	info.contract, info.operation = contract, operation
}

// SetCaller sets the address of the client, the tenant and the id of the account or key in the log.
func SetCaller(r *http.Request, address netip.Addr, tenant, actor string) {
	info := requestInfoFrom(r)
	info.address, info.tenant, info.actor = address, tenant, actor
}

// SetCustomer sets the id or the number of the customer in the log.
func SetCustomer(r *http.Request, ref string) { requestInfoFrom(r).customer = ref }

// SetFault sets the fault in the log, for a handler that writes the error response itself.
func SetFault(r *http.Request, kind fault.Kind) { requestInfoFrom(r).fault = kind }

package web

import (
	"net/http"

	"kartotek/internal/fault"
)

// statuses is the standard HTTP status of each kind of fault.
var statuses = map[fault.Kind]int{
	fault.BadRequest:            http.StatusBadRequest,
	fault.Invalid:               http.StatusUnprocessableEntity,
	fault.Unauthenticated:       http.StatusUnauthorized,
	fault.Forbidden:             http.StatusForbidden,
	fault.NotFound:              http.StatusNotFound,
	fault.RouteNotFound:         http.StatusNotFound,
	fault.MethodNotAllowed:      http.StatusMethodNotAllowed,
	fault.Conflict:              http.StatusConflict,
	fault.PreconditionFailed:    http.StatusPreconditionFailed,
	fault.PreconditionRequired:  http.StatusPreconditionRequired,
	fault.IdempotencyInProgress: http.StatusConflict,
	fault.IdempotencyKeyReused:  http.StatusUnprocessableEntity,
	fault.RateLimited:           http.StatusTooManyRequests,
	fault.TooLarge:              http.StatusRequestEntityTooLarge,
	fault.UnsupportedMediaType:  http.StatusUnsupportedMediaType,
	fault.RequestTimeout:        http.StatusRequestTimeout,
	fault.Unavailable:           http.StatusServiceUnavailable,
	fault.StorageFull:           http.StatusInsufficientStorage,
	fault.Internal:              http.StatusInternalServerError,
}

// Status is the HTTP status of a kind of fault. A contract lists only the kinds where it differs.
func Status(kind fault.Kind) int {
	if status, ok := statuses[kind]; ok {
		return status
	}
	return http.StatusInternalServerError
}

package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/rs/cors"
)

// allowOrigins lets the pages of these origins send requests from a browser (CORS).
func allowOrigins(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders: []string{"*"},
		ExposedHeaders: []string{
			"ETag", "Field-Outcome", "Location", "Preference-Applied", "Dry-Run", "Idempotency-Replayed", "X-Request-Id",
			"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", "Accept-Patch", "Accept-Post", "Allow",
		},
		MaxAge: 600,
	}).Handler(next)
}

// CheckOrigin returns an error unless the text is an origin, such as https://app.example.com, or "*".
func CheckOrigin(text string) error {
	u, err := url.Parse(text)
	if text == "*" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && text == u.Scheme+"://"+u.Host {
		return nil
	}
	return errors.New("must be * or an origin such as https://app.example.com")
}

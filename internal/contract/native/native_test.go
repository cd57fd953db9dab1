package native_test

import (
	"net/http"
	"testing"
	"time"

	"kartotek/internal/contract"
	"kartotek/internal/contract/contracttest"
	"kartotek/internal/contract/native"
)

func start(w contracttest.Fixture) contract.Contract { return native.New(settings(w)) }

func settings(w contracttest.Fixture) native.Settings {
	return native.Settings{
		Customers:     w.Customers,
		Authenticator: w.Authenticator,
		Idempotency:   w.Idempotency,
		Registry:      w.Registry,
		CursorSecret:  w.CursorSecret,
		Now:           w.Now,
		ConfirmAfter:  8760 * time.Hour,
	}
}

func TestTranscripts(t *testing.T) {
	t.Parallel()
	always := http.Header{"Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"}}
	contracttest.Replay(t, always, start)
}

func TestEveryFaultHasAResponse(t *testing.T) {
	t.Parallel()
	contracttest.CheckErrors(t, start(contracttest.Fixture{CursorSecret: make([]byte, 32)}), "Problem")
}

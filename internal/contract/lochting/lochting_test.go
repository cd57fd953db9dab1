package lochting_test

import (
	"net/http"
	"testing"

	"kartotek/internal/contract"
	"kartotek/internal/contract/contracttest"
	"kartotek/internal/contract/lochting"
)

func start(w contracttest.Fixture) contract.Contract {
	return lochting.New(lochting.Settings{Customers: w.Customers, Authenticator: w.Authenticator, Idempotency: w.Idempotency})
}

func TestTranscripts(t *testing.T) {
	t.Parallel()
	always := http.Header{"Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"}}
	contracttest.Replay(t, always, start)
}

func TestEveryFaultHasAnErrorResponse(t *testing.T) {
	t.Parallel()
	contracttest.CheckErrors(t, start(contracttest.Fixture{}), "Error")
}

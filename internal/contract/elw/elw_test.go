package elw_test

import (
	"net/http"
	"testing"
	"time"

	"kartotek/internal/contract"
	"kartotek/internal/contract/contracttest"
	"kartotek/internal/contract/elw"
)

func start(w contracttest.Fixture) contract.Contract {
	return elw.New(elw.Settings{
		Customers:     w.Customers,
		Authenticator: w.Authenticator,
		Idempotency:   w.Idempotency,
		Now:           w.Now,
		ConfirmAfter:  8760 * time.Hour,
	})
}

func TestTranscripts(t *testing.T) {
	t.Parallel()
	always := http.Header{"Cache-Control": {"no-cache"}, "Pragma": {"no-cache"}, "Expires": {"-1"}}
	contracttest.Replay(t, always, start)
}

func TestEveryFaultHasAnAnswer(t *testing.T) {
	t.Parallel()
	contracttest.CheckErrors(t, start(contracttest.Fixture{}), "HttpError")
}

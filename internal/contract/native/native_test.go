package native_test

import (
	"net/http"
	"testing"
	"time"

	"kartotek/internal/contract"
	"kartotek/internal/contract/contracttest"
	"kartotek/internal/contract/native"
)

func start(w contracttest.World) contract.Contract { return native.New(settings(w)) }

func settings(w contracttest.World) native.Settings {
	return native.Settings{
		Customers:    w.Customers,
		Gate:         w.Gate,
		Repeats:      w.Repeats,
		Registry:     w.Registry,
		CursorSecret: w.CursorSecret,
		Now:          w.Now,
		ConfirmAfter: 8760 * time.Hour,
	}
}

func TestTranscripts(t *testing.T) {
	t.Parallel()
	always := http.Header{"Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"}}
	contracttest.Replay(t, always, start)
}

func TestEveryFaultHasAnAnswer(t *testing.T) {
	t.Parallel()
	contracttest.WalkFaults(t, start(contracttest.World{CursorSecret: make([]byte, 32)}), "Problem")
}

package lochting_test

import (
	"testing"

	"kartotek/internal/contract"
	"kartotek/internal/contract/contracttest"
	"kartotek/internal/contract/lochting"
)

func start(w contracttest.World) contract.Contract {
	return lochting.New(lochting.Settings{Customers: w.Customers, Gate: w.Gate, Repeats: w.Repeats})
}

func TestTranscripts(t *testing.T) {
	t.Parallel()
	contracttest.Replay(t, nil, start)
}

func TestEveryFaultHasAnAnswer(t *testing.T) {
	t.Parallel()
	contracttest.WalkFaults(t, start(contracttest.World{}), "Error")
}

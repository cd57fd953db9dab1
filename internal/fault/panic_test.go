package fault_test

import (
	"errors"
	"strings"
	"testing"

	"kartotek/internal/fault"
)

func TestFromPanicOmitsPersonalData(t *testing.T) {
	t.Parallel()
	const marker = "Nordmann"
	tests := map[string]struct {
		run  func()
		want string // prefix of the error
	}{
		"a text":          {func() { panic(marker) }, "panic: string\n"},
		"an error":        {func() { panic(errors.New(marker)) }, "panic: *errors.errorString\n"},
		"a runtime error": {func() { var m map[string]int; write(m, marker) }, "panic: assignment to entry in nil map\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := caught(tt.run)
			if !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), marker) {
				t.Errorf("got %q, want prefix %q and no %q", err, tt.want, marker)
			}
			if !strings.Contains(err.Error(), "panic_test.go:") {
				t.Errorf("got %q, want the stack", err)
			}
			if got := fault.From(err).Kind; got != fault.Internal {
				t.Errorf("kind: got %s, want internal", got)
			}
		})
	}
}

func write(m map[string]int, key string) { m[key]++ }

func caught(run func()) (err error) {
	defer func() { err = fault.FromPanic(recover()) }()
	run()
	return nil
}

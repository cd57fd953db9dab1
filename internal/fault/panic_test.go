package fault_test

import (
	"errors"
	"strings"
	"testing"

	"kartotek/internal/fault"
)

func TestAPanicTellsNothingPersonal(t *testing.T) {
	t.Parallel()
	const marker = "Nordmann"
	tests := map[string]struct {
		run  func()
		want string // how the error begins
	}{
		"a text":              {func() { panic(marker) }, "panic: string\n"},
		"an error":            {func() { panic(errors.New(marker)) }, "panic: *errors.errorString\n"},
		"the runtime's words": {func() { var m map[string]int; write(m, marker) }, "panic: assignment to entry in nil map\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := caught(tt.run)
			if !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), marker) {
				t.Errorf("got %q, want it to begin with %q, without %q", err, tt.want, marker)
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

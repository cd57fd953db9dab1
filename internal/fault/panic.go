package fault

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// FromPanic is the error of a panic that was recovered: a defect, with its stack
// for the log. Only the runtime's own words are sure to hold no personal data, so
// of anything else that was thrown it tells the type alone.
func FromPanic(thrown any) error {
	text := fmt.Sprintf("%T", thrown)
	if err, ok := thrown.(runtime.Error); ok {
		text = err.Error()
	}
	return fmt.Errorf("panic: %s\n%s", text, debug.Stack())
}

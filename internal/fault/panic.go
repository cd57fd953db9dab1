package fault

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// FromPanic returns an error for a recovered panic, with the stack. Only messages of the
// runtime are known to contain no personal data; for any other value it reports the type.
func FromPanic(v any) error {
	text := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok {
		text = err.Error()
	}
	return fmt.Errorf("panic: %s\n%s", text, debug.Stack())
}

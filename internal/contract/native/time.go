package native

import (
	"errors"
	"regexp"
	"strings"
	"time"
)

// parseTime parses a time of RFC 3339: also with t and z in lower case, and in a leap second, which is
// the start of the next minute.
func parseTime(text string) (time.Time, error) {
	text = strings.ToUpper(text)
	if !rfc3339.MatchString(text) {
		return time.Time{}, errors.New("not a time of RFC 3339")
	}
	const seconds = len("2006-01-02T15:04:")
	if text[seconds:seconds+2] != "60" {
		return time.Parse(time.RFC3339Nano, text)
	}
	at, err := time.Parse(time.RFC3339Nano, text[:seconds]+"59"+text[seconds+2:])
	return at.Truncate(time.Second).Add(time.Second), err
}

// rfc3339 limits the offset, which time.Parse does not.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

package native

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-02T12:00:00Z":           noon,
		"2026-01-02t12:00:00z":           noon,
		"2026-01-02T12:00:00.000001Z":    noon.Add(time.Microsecond),
		"2026-01-02T13:30:00+01:30":      noon,
		"2026-01-01T12:01:00-23:59":      noon,
		"2026-01-02T11:59:60Z":           noon,
		"2026-01-02T11:59:60.5Z":         noon,
		"2016-12-31T23:59:60z":           time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC),
		"2026-01-02T12:00:00.123456789Z": noon.Add(123456789),
	} {
		if got, err := parseTime(text); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %v (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "2026-01-02", "2026-01-02T12:00:00", "2026-01-02 12:00:00Z", "2026-01-02T12:00:00-24:00", "2026-01-02T12:00:00+10:60",
		"2026-01-02T24:00:00Z", "2026-01-02T12:60:00Z", "2026-01-02T12:00:61Z", "2026-02-30T12:00:00Z", "2026-01-02T12:00:00,5Z", "2026-01-02T12:00Z", "2026-1-2T12:00:00Z", "2026-01-02T12:00:00+0100",
	} {
		if got, err := parseTime(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

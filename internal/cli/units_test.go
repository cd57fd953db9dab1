package cli

import (
	"testing"
	"time"
)

func TestDurationFlag(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"365d": 8760 * time.Hour, "1d": 24 * time.Hour, "0d": 0, "8760h": 8760 * time.Hour, "90m": 90 * time.Minute,
		"1h30m": 90 * time.Minute, "0": 0, "-1s": -time.Second,
	} {
		var got time.Duration
		if err := newDurationFlag(&got, time.Hour).Set(text); err != nil || got != want {
			t.Errorf("%s: got %v (%v), want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "1", "-1d", "1.5d", "1w", "365 d", "106752d", "99999999999999999999d"} {
		got := time.Hour
		if err := newDurationFlag(&got, got).Set(text); err == nil || got != time.Hour {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
	for d, want := range map[time.Duration]string{8760 * time.Hour: "365d", 90 * time.Minute: "1h30m0s", 0: "0s"} {
		if got := (durationFlag{&d}).String(); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}

func TestSizeFlag(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"65536": 65536, "64k": 65536, "64K": 65536, "64kb": 65536, "64KiB": 65536, "1M": 1 << 20, "2g": 2 << 30, "0": 0, "-1": -1,
	} {
		var got int64
		if err := newSizeFlag(&got, 1).Set(text); err != nil || got != want {
			t.Errorf("%s: got %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "k", "x", "1.5k", "64 k", "1t", "99999999999", "1kk"} {
		got := int64(1)
		if err := newSizeFlag(&got, got).Set(text); err == nil || got != 1 {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

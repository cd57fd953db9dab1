package cli

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// durationFlag is a flag with a duration: as Go writes it, or in days, such as 365d.
type durationFlag struct{ value *time.Duration }

func newDurationFlag(value *time.Duration, initial time.Duration) durationFlag {
	*value = initial
	return durationFlag{value}
}

// Set implements pflag.Value.
func (f durationFlag) Set(text string) error {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= int(math.MaxInt64/(24*time.Hour)) {
			*f.value = time.Duration(n) * 24 * time.Hour
			return nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("must be a duration such as 365d, 12h, 90m or 5s")
	}
	*f.value = d
	return nil
}

func (f durationFlag) String() string {
	if f.value == nil {
		return ""
	}
	if day := 24 * time.Hour; *f.value >= day && *f.value%day == 0 {
		return fmt.Sprintf("%dd", *f.value/day)
	}
	return f.value.String()
}

// Type implements pflag.Value.
func (durationFlag) Type() string { return "duration" }

// sizeFlag is a flag with a number of bytes, also with a unit: 64k, 1M.
type sizeFlag struct{ value *int64 }

func newSizeFlag(value *int64, initial int64) sizeFlag {
	*value = initial
	return sizeFlag{value}
}

// Set implements pflag.Value.
func (f sizeFlag) Set(text string) error {
	number, shift := strings.ToLower(text), 0
	for unit, bits := range map[string]int{"k": 10, "m": 20, "g": 30} {
		for _, suffix := range []string{unit, unit + "b", unit + "ib"} {
			if cut, ok := strings.CutSuffix(number, suffix); ok {
				number, shift = cut, bits
			}
		}
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil {
		return errors.New("must be a number of bytes such as 65536, 64k or 1M")
	}
	*f.value = n << shift
	return nil
}

func (f sizeFlag) String() string {
	if f.value == nil {
		return ""
	}
	return strconv.FormatInt(*f.value, 10)
}

// Type implements pflag.Value.
func (sizeFlag) Type() string { return "bytes" }

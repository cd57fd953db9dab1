package main

import (
	"fmt"
	"slices"
)

// row is a line of the table of goals: a measured value and its goals.
type row struct {
	name    string
	meaning string // for the report
	must    float64
	aim     float64
	atMost  bool // must and aim are upper bounds, not lower bounds
	unit    unit

	runs    []run                     // that the value needs
	value   func(sample) float64      // of one repetition
	combine func(v []float64) float64 // combines the repetitions; nil: their median
}

// sample has the figures of one repetition.
type sample map[run]figures

// unit is the unit of a value.
type unit string

const (
	times   unit = "×"
	percent unit = "%"
	mb      unit = "MB"
	millis  unit = "ms"
)

func (u unit) format(v float64) string {
	switch {
	case u == percent:
		return fmt.Sprintf("%.0f %%", v*100)
	case u == mb || u == millis:
		return fmt.Sprintf("%.0f %s", v, u)
	case v < 1:
		return fmt.Sprintf("%.3f×", v)
	default:
		return fmt.Sprintf("%.1f×", v)
	}
}

// formatLimit formats a bound for the table.
func (r row) formatLimit(v float64) string {
	if r.atMost {
		return "≤ " + r.unit.format(v)
	}
	return "≥ " + r.unit.format(v)
}

// meets reports whether a value is within a bound.
func (r row) meets(v, bound float64) bool {
	if r.atMost {
		return v <= bound
	}
	return v >= bound
}

// smokeLimit returns the bound for a smoke test on a busy machine.
func (r row) smokeLimit() float64 {
	if r.atMost {
		return r.must * 2
	}
	return r.must / 2
}

// values returns the value of each repetition.
func (r row) values(samples []sample) []float64 {
	var all []float64
	for _, s := range samples {
		all = append(all, r.value(s))
	}
	return all
}

// result returns the value over all repetitions.
func (r row) result(samples []sample) float64 {
	if r.combine != nil {
		return r.combine(r.values(samples))
	}
	return median(r.values(samples))
}

// rateRatio returns a row that compares the requests per second of two runs.
func rateRatio(of, over run, must, aim float64) row {
	return row{
		must: must, aim: aim, unit: times,
		runs:  []run{of, over},
		value: func(s sample) float64 { return s[of].Rate / s[over].Rate },
	}
}

// p99Row returns a row of the 99th percentile of a run, in milliseconds.
func p99Row(of run, must, aim float64) row {
	return row{
		must: must, aim: aim, unit: millis, atMost: true,
		runs:  []run{of},
		value: func(s sample) float64 { return float64(s[of].P99.Microseconds()) / 1000 },
	}
}

// p99Ratio returns a row that compares the 99th percentiles of two runs.
func p99Ratio(of, over run, must, aim float64) row {
	return row{
		must: must, aim: aim, unit: times, atMost: true,
		runs:  []run{of, over},
		value: func(s sample) float64 { return float64(s[of].P99) / float64(s[over].P99) },
	}
}

// memoryRow returns a row of the largest resident memory of a target after its runs.
func memoryRow(t run, must, aim float64) row {
	return row{
		must: must, aim: aim, unit: mb, atMost: true,
		runs: []run{t},
		value: func(s sample) float64 {
			var most int64
			for other, f := range s {
				if other.target == t.target && other.customers == t.customers {
					most = max(most, f.Resident)
				}
			}
			return float64(most) / (1 << 20)
		},
		combine: slices.Max[[]float64],
	}
}

func (r row) named(name, meaning string) row {
	r.name, r.meaning = name, meaning
	return r
}

func (r row) in(u unit) row {
	r.unit = u
	return r
}

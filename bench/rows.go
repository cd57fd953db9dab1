package main

import (
	"cmp"
	"fmt"
	"slices"
)

// row is a line of the table of targets: what is measured, and what has to come
// of it.
type row struct {
	name    string
	meaning string // in a sentence, for an operator
	must    float64
	aim     float64
	reached float64 // what results.md has, where that falls far short of must; otherwise 0
	atMost  bool    // the value has to be at most must, instead of at least
	unit    unit

	trials []trial                   // that it needs
	value  func(sample) float64      // of one repetition
	sum    func(v []float64) float64 // of all repetitions; nil: their median
}

// sample is what the trials of one repetition came to.
type sample map[trial]figures

// unit is how a value is written.
type unit string

const (
	times   unit = "×"
	percent unit = "%"
	mb      unit = "MB"
)

func (u unit) format(v float64) string {
	switch {
	case u == percent:
		return fmt.Sprintf("%.0f %%", v*100)
	case u == mb:
		return fmt.Sprintf("%.0f MB", v)
	case v < 1:
		return fmt.Sprintf("%.3f×", v)
	default:
		return fmt.Sprintf("%.1f×", v)
	}
}

// limit is a bound as the table has it.
func (r row) limit(v float64) string {
	if r.atMost {
		return "≤ " + r.unit.format(v)
	}
	return "≥ " + r.unit.format(v)
}

// meets reports whether a value keeps within a bound of the row.
func (r row) meets(v, bound float64) bool {
	if r.atMost {
		return v <= bound
	}
	return v >= bound
}

// slack is the bound for a short run on a machine that has other things to do:
// what falls behind it is broken, and not unlucky.
func (r row) slack() float64 {
	usual := cmp.Or(r.reached, r.must)
	if r.atMost {
		return usual * 2
	}
	return usual / 2
}

// reaching is the row with what it has reached.
func (r row) reaching(v float64) row {
	r.reached = v
	return r
}

// values are the row's, one of each repetition.
func (r row) values(samples []sample) []float64 {
	var all []float64
	for _, s := range samples {
		all = append(all, r.value(s))
	}
	return all
}

// result is the row's value.
func (r row) result(samples []sample) float64 {
	if r.sum != nil {
		return r.sum(r.values(samples))
	}
	return median(r.values(samples))
}

// rates is a row that compares the requests a second of two trials.
func rates(of, over trial, must, aim float64) row {
	return row{
		must: must, aim: aim, unit: times,
		trials: []trial{of, over},
		value:  func(s sample) float64 { return s[of].Rate / s[over].Rate },
	}
}

// tails is a row that compares the 99th percentiles of two trials.
func tails(of, over trial, must, aim float64) row {
	return row{
		must: must, aim: aim, unit: times, atMost: true,
		trials: []trial{of, over},
		value:  func(s sample) float64 { return float64(s[of].P99) / float64(s[over].P99) },
	}
}

// resident is a row of the memory of a subject: the most that it had after any of
// its trials.
func resident(t trial, must, aim float64) row {
	return row{
		must: must, aim: aim, unit: mb, atMost: true,
		trials: []trial{t},
		value: func(s sample) float64 {
			var most int64
			for other, f := range s {
				if other.subject == t.subject && other.customers == t.customers {
					most = max(most, f.Resident)
				}
			}
			return float64(most) / (1 << 20)
		},
		sum: slices.Max[[]float64],
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

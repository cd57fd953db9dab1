package main

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		values []float64
		want   float64
	}{
		"one":               {[]float64{3}, 3},
		"odd, in any order": {[]float64{9, 1, 5}, 5},
		"even":              {[]float64{4, 1, 2, 100}, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := slices.Clone(tt.values)
			if got := median(tt.values); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if !slices.Equal(tt.values, before) {
				t.Errorf("median changed its input to %v", tt.values)
			}
		})
	}
}

// The runs of the rows below.
var (
	ours   = run{target: kartotekName, customers: 9, kind: patch, connections: defaultConnections}
	theirs = run{target: pbFull, customers: 9, kind: patch, connections: defaultConnections}
	reads  = run{target: kartotekName, customers: 9, kind: get, connections: defaultConnections}
)

func threeSamples() []sample {
	const megabyte = 1 << 20
	return []sample{
		{
			ours:   {Rate: 1000, P99: 10 * time.Millisecond, Resident: 40 * megabyte},
			theirs: {Rate: 100, P99: 100 * time.Millisecond, Resident: 900 * megabyte},
			reads:  {Resident: 50 * megabyte},
		},
		{ // a busy moment, for both
			ours:   {Rate: 100, P99: 100 * time.Millisecond, Resident: 41 * megabyte},
			theirs: {Rate: 20, P99: 500 * time.Millisecond, Resident: 900 * megabyte},
			reads:  {Resident: 70 * megabyte},
		},
		{
			ours:   {Rate: 1200, P99: 10 * time.Millisecond, Resident: 42 * megabyte},
			theirs: {Rate: 100, P99: 200 * time.Millisecond, Resident: 900 * megabyte},
			reads:  {Resident: 60 * megabyte},
		},
	}
}

func TestRowsCombineRepetitions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		row  row
		want string
	}{
		"rates":  {rateRatio(ours, theirs, 1, 1), "10.0×"}, // median of 10, 5 and 12
		"tails":  {p99Ratio(ours, theirs, 1, 1), "0.100×"}, // median of 0.1, 0.2 and 0.05
		"share":  {rateRatio(theirs, ours, 1, 1).in(percent), "10 %"},
		"memory": {memoryRow(ours, 1, 1), "70 MB"}, // maximum after any load
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.row.unit.format(tt.row.result(threeSamples())); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	more, less := row{must: 10, aim: 15}, row{must: 10, aim: 6, atMost: true}
	tests := []struct {
		row   row
		value float64
		want  string
	}{
		{more, 15, "meets the aim"},
		{more, 10, "meets the goal"},
		{more, 9.9, "**misses the goal**"},
		{less, 6, "meets the aim"},
		{less, 10, "meets the goal"},
		{less, 10.1, "**misses the goal**"},
	}
	for _, tt := range tests {
		if got := tt.row.verdict(tt.value); got != tt.want {
			t.Errorf("%v of a row with must %v, aim %v: got %s, want %s", tt.value, tt.row.must, tt.row.aim, got, tt.want)
		}
	}
}

func TestSmokeAcceptsHalfOfGoal(t *testing.T) {
	t.Parallel()
	check := func(r row) error {
		o := result{phase: phase{rows: []row{r.named("the row", "")}}, samples: threeSamples()}
		return report{results: []result{o}}.checkSmoke()
	}
	for name, tt := range map[string]struct {
		row  row
		want string
	}{
		"at least, half of must":         {rateRatio(ours, theirs, 20, 30), ""},
		"at least, less than half of it": {rateRatio(ours, theirs, 20.1, 30), "the row: 10.0×, want ≥ 10.1× even in a smoke test"},
		"at most, twice must":            {p99Ratio(ours, theirs, 0.05, 0.03), ""},
		"at most, more than twice of it": {p99Ratio(ours, theirs, 0.049, 0.03), "the row: 0.100×, want ≤ 0.098× even in a smoke test"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := check(tt.row); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEachRepetitionExecutesEveryRunOnce(t *testing.T) {
	t.Parallel()
	ph := competitors(9)
	runs := ph.runs()
	for n, r := range runs {
		if slices.Contains(runs[:n], r) {
			t.Errorf("%v is listed twice", r)
		}
	}
	ran := map[run]int{}
	var prepared []preparedTarget
	for _, of := range runs {
		prepared = append(prepared, preparedTarget{target: target{name: of.target, customers: 9, generate: func(context.Context, run, settings) (figures, error) {
			return figures{Rate: 1}, nil
		}}})
	}
	samples, err := repeatRuns(t.Context(), runs, prepared, settings{repetitions: 2})
	if err != nil || len(samples) != 2 {
		t.Fatalf("got %d samples, %v", len(samples), err)
	}
	for _, s := range samples {
		for of := range s {
			ran[of]++
		}
	}
	for _, of := range runs {
		if ran[of] != 2 {
			t.Errorf("%v ran %d times, want 2", of, ran[of])
		}
	}
}

func TestMatchingKeepsOnlyRunsOfMatchingRows(t *testing.T) {
	t.Parallel()
	kept := matching([]phase{competitors(9), ordinaryDisk(9), growth(9, 10)}, regexp.MustCompile("^GET vs bare"))
	if len(kept) != 1 || len(kept[0].rows) != 1 {
		t.Fatalf("got %d stages", len(kept))
	}
	want := []run{{target: kartotekName, customers: 9, kind: get, connections: defaultConnections}, {target: bareHTTP, customers: 9, kind: get, connections: defaultConnections}}
	if got := kept[0].runs(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEveryRowIsComplete(t *testing.T) {
	t.Parallel()
	for _, ph := range []phase{competitors(100_000), ordinaryDisk(100_000), growth(100_000, 10_000_000), postgreSQL(100_000)} {
		for _, r := range ph.rows {
			if r.name == "" || r.meaning == "" || len(r.runs) == 0 || r.must <= 0 || r.aim <= 0 {
				t.Errorf("%s: incomplete: %+v", ph.title, r)
			}
			if better := r.aim < r.must; better != r.atMost {
				t.Errorf("%s: aim %v is easier than must %v", r.name, r.aim, r.must)
			}
		}
	}
}

func TestReportHasEveryRowAndFigure(t *testing.T) {
	t.Parallel()
	ph := competitors(9)
	o := result{phase: ph, fsyncs: map[run]float64{ours: 0.035}, targets: []preparedTarget{{target: target{name: kartotekName, about: "ours"}}}}
	s, paced := sample{}, sample{}
	for _, of := range ph.runs() {
		s[of] = figures{Rate: 12345, P50: time.Millisecond, P99: 3 * time.Millisecond, Max: 4 * time.Millisecond, Resident: 1 << 20}
	}
	paced[ours] = figures{Rate: 777, Max: 4321 * time.Microsecond}
	o.samples, o.paced = []sample{s}, []sample{paced}
	text := report{command: "the command", results: []result{o}, skipped: []string{"the disk"}}.String()
	for _, r := range ph.rows {
		if !strings.Contains(text, "| "+r.name+" | **") || !strings.Contains(text, r.meaning) {
			t.Errorf("the report lacks the row %q", r.name)
		}
	}
	for _, want := range []string{"the command", "Not measured: the disk.", "12,345", "0.035", "777", "4.32 ms", "**Kartotek**: ours.", "1 MB"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}

func TestPhaseWithoutRequirementIsSkipped(t *testing.T) {
	t.Parallel()
	ph := postgreSQL(9)
	ph.requires = func(context.Context) error { return errors.New("no such program") }
	var r report
	if err := r.measure(t.Context(), t.TempDir(), []phase{ph}); err != nil {
		t.Fatal(err)
	}
	const want = "Not measured: PostgreSQL (not installed)."
	if text := r.String(); !strings.Contains(text, want) || len(r.results) > 0 {
		t.Errorf("want %q in %s", want, text)
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for large, want := range map[int][]int{
		10_000_000: {100_000, 1_000_000, 10_000_000},
		1_000_000:  {100_000, 1_000_000},
		200_000:    {100_000, 200_000},
		100_000:    {100_000},
	} {
		if got := growthSizes(100_000, large); !slices.Equal(got, want) {
			t.Errorf("up to %d: got %v, want %v", large, got, want)
		}
	}
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1_002_003: "1,002,003"} {
		if got := thousands(n); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

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
				t.Errorf("the values are %v now", tt.values)
			}
		})
	}
}

// The trials of the rows below, and what they came to in three repetitions.
var (
	ours   = trial{subject: theKartotek, customers: 9, kind: patch, connections: many}
	theirs = trial{subject: pbFull, customers: 9, kind: patch, connections: many}
	reads  = trial{subject: theKartotek, customers: 9, kind: get, connections: many}
)

func threeSamples() []sample {
	const megabyte = 1 << 20
	return []sample{
		{
			ours:   {Rate: 1000, P99: 10 * time.Millisecond, Resident: 40 * megabyte},
			theirs: {Rate: 100, P99: 100 * time.Millisecond, Resident: 900 * megabyte},
			reads:  {Resident: 50 * megabyte},
		},
		{ // a bad moment of both
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

func TestRowsAreOfPairs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		row  row
		want string
	}{
		"rates":  {rates(ours, theirs, 1, 1), "10.0×"},  // of 10, 5 and 12
		"tails":  {tails(ours, theirs, 1, 1), "0.100×"}, // of 0.1, 0.2 and 0.05
		"share":  {rates(theirs, ours, 1, 1).in(percent), "10 %"},
		"memory": {resident(ours, 1, 1), "70 MB"}, // the most, after whatever load
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
		{more, 15, "reaches the aim"},
		{more, 10, "holds"},
		{more, 9.9, "**falls short**"},
		{less, 6, "reaches the aim"},
		{less, 10, "holds"},
		{less, 10.1, "**falls short**"},
	}
	for _, tt := range tests {
		if got := tt.row.verdict(tt.value); got != tt.want {
			t.Errorf("%v of a row with must %v, aim %v: got %s, want %s", tt.value, tt.row.must, tt.row.aim, got, tt.want)
		}
	}
}

func TestAShortRunForgivesHalf(t *testing.T) {
	t.Parallel()
	judge := func(r row) error {
		o := outcome{stage: stage{rows: []row{r.named("the row", "")}}, samples: threeSamples()}
		return report{outcomes: []outcome{o}}.farOff()
	}
	for name, tt := range map[string]struct {
		row  row
		want string
	}{
		"at least, half of must":         {rates(ours, theirs, 20, 30), ""},
		"at least, less than half of it": {rates(ours, theirs, 20.1, 30), "the row: 10.0×, want ≥ 10.1× even in a short run"},
		"at most, twice must":            {tails(ours, theirs, 0.05, 0.03), ""},
		"at most, more than twice of it": {tails(ours, theirs, 0.049, 0.03), "the row: 0.100×, want ≤ 0.098× even in a short run"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := judge(tt.row); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAStageRunsEachTrialOnceInEachRepetition(t *testing.T) {
	t.Parallel()
	st := peers(9)
	trials := st.trials()
	for n, trial := range trials {
		if slices.Contains(trials[:n], trial) {
			t.Errorf("%v is there twice", trial)
		}
	}
	ran := map[trial]int{}
	var there []participant
	for _, of := range trials {
		there = append(there, participant{subject: subject{name: of.subject, customers: 9, drive: func(context.Context, trial, settings) (figures, error) {
			return figures{Rate: 1}, nil
		}}})
	}
	samples, err := repeat(t.Context(), trials, there, settings{repetitions: 2})
	if err != nil || len(samples) != 2 {
		t.Fatalf("got %d samples, %v", len(samples), err)
	}
	for _, s := range samples {
		for of := range s {
			ran[of]++
		}
	}
	for _, of := range trials {
		if ran[of] != 2 {
			t.Errorf("%v ran %d times, want 2", of, ran[of])
		}
	}
}

func TestMatchingRowsBringTheirTrialsOnly(t *testing.T) {
	t.Parallel()
	kept := matching([]stage{peers(9), ordinaryDisk(9), growth(9, 10)}, regexp.MustCompile("^GET vs bare"))
	if len(kept) != 1 || len(kept[0].rows) != 1 {
		t.Fatalf("got %d stages", len(kept))
	}
	want := []trial{{subject: theKartotek, customers: 9, kind: get, connections: many}, {subject: bareHTTP, customers: 9, kind: get, connections: many}}
	if got := kept[0].trials(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEveryRowIsExplainedAndMeasured(t *testing.T) {
	t.Parallel()
	for _, st := range []stage{peers(100_000), ordinaryDisk(100_000), growth(100_000, 10_000_000), postgreSQL(100_000)} {
		for _, r := range st.rows {
			if r.name == "" || r.meaning == "" || len(r.trials) == 0 || r.must <= 0 || r.aim <= 0 {
				t.Errorf("%s: incomplete: %+v", st.title, r)
			}
			if better := r.aim < r.must; better != r.atMost {
				t.Errorf("%s: the aim, %v, is easier than must, %v", r.name, r.aim, r.must)
			}
		}
	}
}

func TestTheReportHasEveryRowAndFigure(t *testing.T) {
	t.Parallel()
	st := peers(9)
	o := outcome{stage: st, fsyncs: map[trial]float64{ours: 0.035}, servers: []participant{{subject: subject{name: theKartotek, about: "ours"}}}}
	s, paced := sample{}, sample{}
	for _, of := range st.trials() {
		s[of] = figures{Rate: 12345, P50: time.Millisecond, P99: 3 * time.Millisecond, Max: 4 * time.Millisecond, Resident: 1 << 20}
	}
	paced[ours] = figures{Rate: 777, Max: 4321 * time.Microsecond}
	o.samples, o.paced = []sample{s}, []sample{paced}
	text := report{command: "the command", outcomes: []outcome{o}, leftOut: []string{"the disk"}}.String()
	for _, r := range st.rows {
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

func TestWhatIsNotThereIsLeftOut(t *testing.T) {
	t.Parallel()
	st := postgreSQL(9)
	st.needs = func(context.Context) error { return errors.New("no such program") }
	var r report
	if err := r.measure(t.Context(), t.TempDir(), []stage{st}); err != nil {
		t.Fatal(err)
	}
	const want = "Not measured: PostgreSQL, since it is not installed."
	if text := r.String(); !strings.Contains(text, want) || len(r.outcomes) > 0 {
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
		if got := sizes(100_000, large); !slices.Equal(got, want) {
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

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// report is the result of the whole benchmark.
type report struct {
	command  string
	began    time.Time
	duration time.Duration
	set      settings
	machine  machine
	versions []string
	results  []result
	stores   map[int]*kartotek
	skipped  []string
}

// String returns the report in Markdown.
func (r report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Results\n\nWritten by `%s` in %v. [README.md](README.md) explains the method.\n\n",
		r.command, r.duration.Round(time.Minute))
	b.WriteString("## Goals\n\n" + r.goals() + "\n")
	b.WriteString("PATCH changes the phone and the address line of a random customer; GET reads a random customer. There are " +
		fmt.Sprint(defaultConnections) + " connections unless the row says otherwise. A ratio compares two runs of the same repetition. " +
		"The table shows the median of all repetitions with minimum and maximum; for memory, the maximum.\n\n")
	for _, what := range r.skipped {
		b.WriteString("Not measured: " + what + ".\n")
	}
	b.WriteString("\n" + r.circumstances() + "\n" + r.targets())
	for _, o := range r.results {
		b.WriteString("\n" + o.figures())
	}
	if len(r.stores) > 1 {
		b.WriteString("\n" + r.growth())
	}
	return b.String()
}

// table is a table in Markdown.
type table struct{ strings.Builder }

func newTable(columns ...string) *table {
	t := &table{}
	t.row(columns...)
	t.row(slices.Repeat([]string{"---"}, len(columns))...)
	return t
}

func (t *table) row(cells ...string) { t.WriteString("| " + strings.Join(cells, " | ") + " |\n") }

// goals returns the table of goals.
func (r report) goals() string {
	t := newTable("row", "measured", "must", "aim", "verdict", "meaning")
	for _, o := range r.results {
		for _, row := range o.phase.rows {
			v, all := row.result(o.samples), row.values(o.samples)
			t.row(row.name,
				fmt.Sprintf("**%s** (%s to %s)", row.unit.format(v), row.unit.format(slices.Min(all)), row.unit.format(slices.Max(all))),
				row.formatLimit(row.must), row.formatLimit(row.aim), row.verdict(v), row.meaning)
		}
	}
	return t.String()
}

func (r row) verdict(v float64) string {
	switch {
	case r.meets(v, r.aim):
		return "meets the aim"
	case r.meets(v, r.must):
		return "meets the goal"
	default:
		return "**misses the goal**"
	}
}

func (r report) circumstances() string {
	m := r.machine
	return "## Circumstances\n\n" + strings.Join([]string{
		"- " + r.began.UTC().Format("2 January 2006, 15:04 UTC") + ", commit " + m.commit,
		fmt.Sprintf("- %s, %d cores, %d GB of memory, Linux %s", m.cpu, m.cores, m.memory>>30, m.kernel),
		fmt.Sprintf("- disk: %d µs for an fsync of 4 kB, median of 200", m.fsync.Microseconds()),
		"- " + strings.Join(r.versions, ", "),
		fmt.Sprintf("- %d repetitions of %v, each after a warm-up of %v; load and servers share the cores and use loopback",
			r.set.repetitions, r.set.length, r.set.warmUp),
	}, "\n") + "\n"
}

// targets describes each target.
func (r report) targets() string {
	about := map[string]string{}
	for _, o := range r.results {
		for _, p := range o.targets {
			about[p.name] = p.about
		}
	}
	lines := "## Measured programs\n\n"
	for _, name := range slices.Sorted(maps.Keys(about)) {
		lines += "- **" + name + "**: " + about[name] + ".\n"
	}
	return lines
}

// figures returns the medians of a phase's runs.
func (o result) figures() string {
	var b strings.Builder
	b.WriteString("## " + o.phase.title + "\n\n")
	if len(o.fsyncs) > 0 {
		b.WriteString("Fsyncs per request are counted in separate runs.\n\n")
	}
	b.WriteString(o.table(o.samples, "fsyncs per request", func(r run, _ figures) string {
		n, counted := o.fsyncs[r]
		if !counted {
			return ""
		}
		return fmt.Sprintf("%.3f", n)
	}))
	if len(o.paced) > 0 {
		b.WriteString("\nAt half of the maximum rate, with latencies from the due time of each request, " +
			"so that a stall counts for every request that is due in it:\n\n")
		b.WriteString(o.table(o.paced, "max", func(_ run, f figures) string { return ms(f.Max) }))
	}
	if o.phase.tracer == nil {
		b.WriteString("\n" + o.startTable())
	}
	return b.String()
}

// table returns the medians of the runs, with a custom last column.
func (o result) table(samples []sample, lastColumn string, last func(run, figures) string) string {
	t := newTable("program", "customers", "load", "connections", "requests/s", "p50", "p99", "p99.9", "CPU per request", "memory", lastColumn)
	for _, of := range sortedRuns(samples[0]) {
		f := medians(samples, of)
		connections := ""
		if of.connections > 0 {
			connections = fmt.Sprint(of.connections)
		}
		cells := []string{of.target, thousands(of.customers), of.kind, connections, thousands(int(f.Rate)), "", "", "", micros(f.CPU), "", ""}
		if f.Max > 0 { // otherwise the run has no latencies
			copy(cells[5:], []string{ms(f.P50), ms(f.P99), ms(f.P999), micros(f.CPU), megabytes(f.Resident), last(of, f)})
		}
		t.row(cells...)
	}
	return t.String()
}

func micros(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }

func megabytes(n int64) string { return fmt.Sprintf("%d MB", n>>20) }

// sortedRuns returns the runs of a sample in display order.
func sortedRuns(s sample) []run {
	order := func(t run) string {
		return fmt.Sprintf("%s %4d %s %9d", t.kind, t.connections, t.target, t.customers)
	}
	return slices.SortedFunc(maps.Keys(s), func(a, b run) int { return strings.Compare(order(a), order(b)) })
}

// startTable returns the start times and file sizes of the servers.
func (o result) startTable() string {
	t := newTable("program", "customers", "start to first response", "files before the load")
	for _, p := range o.targets {
		if p.server == nil {
			continue
		}
		t.row(p.name, thousands(p.customers), fmt.Sprintf("%.0f ms", p.server.startUp.Seconds()*1000), megabytes(p.bytes))
	}
	return t.String()
}

// growth returns the durations of the imports.
func (r report) growth() string {
	t := newTable("customers", "import", "customers/s", "file")
	for _, n := range slices.Sorted(maps.Keys(r.stores)) {
		k := r.stores[n]
		t.row(thousands(n), fmt.Sprintf("%.0f s", k.Seconds), thousands(int(float64(n)/k.Seconds)), megabytes(k.Bytes))
	}
	return "## Import\n\n" + t.String()
}

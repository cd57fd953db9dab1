package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// report is a whole run, and becomes results.md.
type report struct {
	command  string
	began    time.Time
	took     time.Duration
	set      settings
	machine  machine
	versions []string
	outcomes []outcome
	stores   map[int]*kartotek
	leftOut  []string
}

// String is the report in Markdown.
func (r report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Results\n\nWritten by `%s`, which took %v. [README.md](README.md) tells how it measures.\n\n",
		r.command, r.took.Round(time.Minute))
	b.WriteString("## Targets\n\n" + r.targets() + "\n")
	b.WriteString("PATCH changes a phone and an address line, GET reads a record, each of a random customer; over " +
		fmt.Sprint(many) + " connections unless said. A value is the median of the ratios of pairs that were run in the same repetition, " +
		"with the least and the greatest; memory is the greatest.\n\n")
	for _, what := range r.leftOut {
		b.WriteString("Not measured: " + what + ".\n")
	}
	b.WriteString("\n" + r.circumstances() + "\n" + r.subjects())
	for _, o := range r.outcomes {
		b.WriteString("\n" + o.figures())
	}
	if len(r.stores) > 1 {
		b.WriteString("\n" + r.growth())
	}
	return b.String()
}

// table is rows of Markdown.
type table struct{ strings.Builder }

func newTable(columns ...string) *table {
	t := &table{}
	t.row(columns...)
	t.row(slices.Repeat([]string{"---"}, len(columns))...)
	return t
}

func (t *table) row(cells ...string) { t.WriteString("| " + strings.Join(cells, " | ") + " |\n") }

// targets is the table that it is all about.
func (r report) targets() string {
	t := newTable("row", "measured", "must", "aim", "verdict", "what it says")
	for _, o := range r.outcomes {
		for _, row := range o.stage.rows {
			v, all := row.result(o.samples), row.values(o.samples)
			t.row(row.name,
				fmt.Sprintf("**%s** (%s to %s)", row.unit.format(v), row.unit.format(slices.Min(all)), row.unit.format(slices.Max(all))),
				row.limit(row.must), row.limit(row.aim), row.verdict(v), row.meaning)
		}
	}
	return t.String()
}

func (r row) verdict(v float64) string {
	switch {
	case r.meets(v, r.aim):
		return "reaches the aim"
	case r.meets(v, r.must):
		return "holds"
	default:
		return "**falls short**"
	}
}

func (r report) circumstances() string {
	m := r.machine
	return "## Circumstances\n\n" + strings.Join([]string{
		"- " + r.began.UTC().Format("2 January 2006, 15:04 UTC") + ", commit " + m.commit,
		fmt.Sprintf("- %s, %d cores, %d GB of memory, Linux %s", m.cpu, m.cores, m.memory>>30, m.kernel),
		fmt.Sprintf("- the disk: %d µs for an fsync of 4 kB, the median of 200", m.fsync.Microseconds()),
		"- " + strings.Join(r.versions, ", "),
		fmt.Sprintf("- %d repetitions of %v, each after a warm-up of %v; load and servers share the cores, over loopback",
			r.set.repetitions, r.set.length, r.set.warmUp),
	}, "\n") + "\n"
}

// subjects tells of each subject what it is.
func (r report) subjects() string {
	about := map[string]string{}
	for _, o := range r.outcomes {
		for _, p := range o.servers {
			about[p.name] = p.about
		}
	}
	lines := "## What is measured\n\n"
	for _, name := range slices.Sorted(maps.Keys(about)) {
		lines += "- **" + name + "**: " + about[name] + ".\n"
	}
	return lines
}

// figures are the medians of a stage's trials.
func (o outcome) figures() string {
	var b strings.Builder
	b.WriteString("## " + o.stage.title + "\n\n")
	if len(o.fsyncs) > 0 {
		b.WriteString("Fsyncs a request are counted in runs of their own.\n\n")
	}
	b.WriteString(o.table(o.samples, "fsyncs a request", func(t trial, _ figures) string {
		n, counted := o.fsyncs[t]
		if !counted {
			return ""
		}
		return fmt.Sprintf("%.3f", n)
	}))
	if len(o.paced) > 0 {
		b.WriteString("\nAt half of the greatest rate, with latencies from the moment when each request was due, " +
			"so that a stall counts for all who would have come meanwhile:\n\n")
		b.WriteString(o.table(o.paced, "max", func(_ trial, f figures) string { return ms(f.Max) }))
	}
	if o.stage.tracer == nil {
		b.WriteString("\n" + o.facts())
	}
	return b.String()
}

// table is the medians of trials, with a last column of the caller's.
func (o outcome) table(samples []sample, lastColumn string, last func(trial, figures) string) string {
	t := newTable("subject", "customers", "load", "connections", "requests/s", "p50", "p99", "p99.9", "CPU a request", "memory", lastColumn)
	for _, of := range inOrder(samples[0]) {
		f := medians(samples, of)
		connections := ""
		if of.connections > 0 {
			connections = fmt.Sprint(of.connections)
		}
		cells := []string{of.subject, thousands(of.customers), of.kind, connections, thousands(int(f.Rate)), "", "", "", micros(f.CPU), "", ""}
		if f.Max > 0 { // otherwise nobody waited for an answer
			copy(cells[5:], []string{ms(f.P50), ms(f.P99), ms(f.P999), micros(f.CPU), megabytes(f.Resident), last(of, f)})
		}
		t.row(cells...)
	}
	return t.String()
}

func micros(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }

func megabytes(n int64) string { return fmt.Sprintf("%d MB", n>>20) }

// inOrder is the trials of a sample, sorted for a reader.
func inOrder(s sample) []trial {
	order := func(t trial) string {
		return fmt.Sprintf("%s %4d %s %9d", t.kind, t.connections, t.subject, t.customers)
	}
	return slices.SortedFunc(maps.Keys(s), func(a, b trial) int { return strings.Compare(order(a), order(b)) })
}

// facts are of the servers, whatever the load.
func (o outcome) facts() string {
	t := newTable("subject", "customers", "start until the first answer", "files before the load")
	for _, p := range o.servers {
		if p.server == nil {
			continue
		}
		t.row(p.name, thousands(p.customers), fmt.Sprintf("%.0f ms", p.server.startUp.Seconds()*1000), megabytes(p.bytes))
	}
	return t.String()
}

// growth is how the stores came to be.
func (r report) growth() string {
	t := newTable("customers", "import", "customers/s", "file")
	for _, n := range slices.Sorted(maps.Keys(r.stores)) {
		k := r.stores[n]
		t.row(thousands(n), fmt.Sprintf("%.0f s", k.Seconds), thousands(int(float64(n)/k.Seconds)), megabytes(k.Bytes))
	}
	return "## Import\n\n" + t.String()
}

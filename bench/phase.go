package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// phase is a group of rows that are measured with the same servers, interleaved.
type phase struct {
	title  string
	tracer func() []string // prefix of each server's command; nil: none
	rows   []row

	requires   func(context.Context) error // returns an error when the phase cannot be executed; nil: no requirement
	skipReason string                      // reason in the report

	extra     []run // for the tables of figures only
	fsyncRuns []run // count the fsyncs of these
	paced     []run // repeat these at half of their rate
}

// runs returns every run of the phase, once.
func (ph phase) runs() []run {
	all := slices.Clone(ph.extra)
	for _, r := range ph.rows {
		all = append(all, r.runs...)
	}
	var unique []run
	for _, r := range all {
		if !slices.Contains(unique, r) {
			unique = append(unique, r)
		}
	}
	return unique
}

// preparedTarget is a target with its running server, if it has one.
type preparedTarget struct {
	target
	server *server
	bytes  int64 // size of its files at the start
}

// result is the result of a phase.
type result struct {
	phase   phase
	samples []sample
	paced   []sample // of the runs at half of their rate
	fsyncs  map[run]float64
	targets []preparedTarget // with stopped servers
}

// medians returns the median of each figure of a run.
func medians(samples []sample, r run) figures {
	var all []figures
	for _, s := range samples {
		all = append(all, s[r])
	}
	return medianOf(all)
}

// execute starts the servers of the phase, executes its runs, and stops the servers.
func (ph phase) execute(ctx context.Context, l *lab, set settings) (o result, err error) {
	o.phase = ph
	logf("%s", ph.title)
	if o.fsyncs, err = ph.countFsyncs(ctx, l, set); err != nil {
		return result{}, err
	}
	prepared, err := ph.start(ctx, l)
	defer func() {
		for _, p := range prepared {
			if p.server != nil {
				p.server.stop()
			}
		}
	}()
	if err != nil {
		return result{}, err
	}
	o.targets = prepared
	if o.samples, err = repeatRuns(ctx, ph.runs(), prepared, set); err != nil {
		return result{}, err
	}
	var paced []run
	for _, r := range ph.paced {
		r.rate = medians(o.samples, r).Rate / 2
		paced = append(paced, r)
	}
	if len(paced) > 0 {
		o.paced, err = repeatRuns(ctx, paced, prepared, set)
	}
	return o, err
}

// start prepares every target and then starts every server. With an error, it returns the
// targets started so far.
func (ph phase) start(ctx context.Context, l *lab) (prepared []preparedTarget, err error) {
	runs := ph.runs()
	for _, r := range runs {
		if _, known := findTarget(prepared, r); known {
			continue
		}
		s, err := l.target(ctx, r.target, r.customers)
		if err != nil {
			return prepared, err
		}
		prepared = append(prepared, preparedTarget{target: s})
	}
	for n := range prepared {
		p := &prepared[n]
		p.bytes = p.size()
		if p.target.start == nil {
			continue
		}
		var tracer []string
		if ph.tracer != nil {
			tracer = ph.tracer()
		}
		if p.server, err = p.target.start(ctx, tracer); err != nil {
			return prepared, err
		}
		logf("  %s with %d customers: first response after %.2f s", p.name, p.customers, p.server.startUp.Seconds())
	}
	for _, r := range runs {
		if _, search := searchTexts[r.kind]; search {
			p, _ := findTarget(prepared, r)
			if err := r.checkSearches(ctx, p.server); err != nil {
				return prepared, err
			}
		}
	}
	return prepared, nil
}

func findTarget(prepared []preparedTarget, r run) (preparedTarget, bool) {
	for _, p := range prepared {
		if p.name == r.target && p.customers == r.customers {
			return p, true
		}
	}
	return preparedTarget{}, false
}

// repeatRuns executes all runs in each repetition, in random order.
func repeatRuns(ctx context.Context, runs []run, prepared []preparedTarget, set settings) ([]sample, error) {
	var samples []sample
	for n := range set.repetitions {
		order := slices.Clone(runs)
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		s := sample{}
		for _, r := range order {
			p, _ := findTarget(prepared, r)
			sleep(ctx, set.pause)
			f, err := r.execute(ctx, p, set, rand.Uint64()>>16)
			if err != nil {
				return nil, fmt.Errorf("%v: %w", r, err)
			}
			logf("  %d/%d  %-58v %v", n+1, set.repetitions, r, f)
			s[r] = f
		}
		samples = append(samples, s)
	}
	return samples, nil
}

// countFsyncs measures the fsyncs per request in short separate runs.
func (ph phase) countFsyncs(ctx context.Context, l *lab, set settings) (map[run]float64, error) {
	counts := map[run]float64{}
	if len(ph.fsyncRuns) == 0 {
		return counts, nil
	}
	if err := checkStrace(ctx); err != nil {
		logf("  fsyncs are not counted: strace does not work: %v", err)
		return counts, nil
	}
	set.length = min(set.length, 2*time.Second)
	for _, r := range ph.fsyncRuns {
		s, err := l.target(ctx, r.target, r.customers)
		if err != nil {
			return nil, err
		}
		if counts[r], err = fsyncsPerRequest(ctx, s, r.load(set, 1), l.dir); err != nil {
			return nil, fmt.Errorf("count fsyncs of %v: %w", r, err)
		}
		logf("  %v: %.3f fsyncs per request", r, counts[r])
	}
	return counts, nil
}

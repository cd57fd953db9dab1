package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// stage is rows that are measured together, by the same servers, in turns.
type stage struct {
	title  string
	tracer func() []string // before the command of each server; nil: none
	rows   []row

	needs   func(context.Context) error // fails where the stage cannot be run; nil: it always can
	missing string                      // why it is left out there

	also    []trial // that only the figures need
	counted []trial // whose fsyncs are counted
	paced   []trial // that are run again at half the rate that they reached
}

// trials are all that the stage runs, each once, in an order of their own.
func (st stage) trials() []trial {
	all := slices.Clone(st.also)
	for _, r := range st.rows {
		all = append(all, r.trials...)
	}
	var once []trial
	for _, t := range all {
		if !slices.Contains(once, t) {
			once = append(once, t)
		}
	}
	return once
}

// participant is a subject that is there, with its server when it has one.
type participant struct {
	subject
	server *server
	bytes  int64 // of its files when it started
}

// outcome is what a stage came to.
type outcome struct {
	stage   stage
	samples []sample
	paced   []sample // of the trials at half their rate
	fsyncs  map[trial]float64
	servers []participant // which have ended
}

// medians are a trial's figures, each the median of the samples.
func medians(samples []sample, t trial) figures {
	var all []figures
	for _, s := range samples {
		all = append(all, s[t])
	}
	return medianOf(all)
}

// run starts the servers of the stage, runs its trials, and ends them.
func (st stage) run(ctx context.Context, l *lab, set settings) (o outcome, err error) {
	o.stage = st
	say("%s", st.title)
	if o.fsyncs, err = st.countFsyncs(ctx, l, set); err != nil {
		return outcome{}, err
	}
	there, err := st.start(ctx, l)
	defer func() {
		for _, p := range there {
			if p.server != nil {
				p.server.stop()
			}
		}
	}()
	if err != nil {
		return outcome{}, err
	}
	o.servers = there
	if o.samples, err = repeat(ctx, st.trials(), there, set); err != nil {
		return outcome{}, err
	}
	var paced []trial
	for _, t := range st.paced {
		t.rate = medians(o.samples, t).Rate / 2
		paced = append(paced, t)
	}
	if len(paced) > 0 {
		o.paced, err = repeat(ctx, paced, there, set)
	}
	return o, err
}

// start prepares every subject, and then starts every server. Those that it has
// started it returns with an error, too.
func (st stage) start(ctx context.Context, l *lab) (there []participant, err error) {
	trials := st.trials()
	for _, t := range trials {
		if _, known := find(there, t); known {
			continue
		}
		s, err := l.subject(ctx, t.subject, t.customers)
		if err != nil {
			return there, err
		}
		there = append(there, participant{subject: s})
	}
	for n := range there {
		p := &there[n]
		p.bytes = p.size()
		if p.subject.start == nil {
			continue
		}
		var tracer []string
		if st.tracer != nil {
			tracer = st.tracer()
		}
		if p.server, err = p.subject.start(ctx, tracer); err != nil {
			return there, err
		}
		say("  %s with %d customers answered after %.2f s", p.name, p.customers, p.server.startUp.Seconds())
	}
	for _, t := range trials {
		if _, search := searchWords[t.kind]; search {
			p, _ := find(there, t)
			if err := t.findsSomebody(ctx, p.server); err != nil {
				return there, err
			}
		}
	}
	return there, nil
}

func find(there []participant, t trial) (participant, bool) {
	for _, p := range there {
		if p.name == t.subject && p.customers == t.customers {
			return p, true
		}
	}
	return participant{}, false
}

// repeat runs the trials so many times, each time all of them in another order.
func repeat(ctx context.Context, trials []trial, there []participant, set settings) ([]sample, error) {
	var samples []sample
	for n := range set.repetitions {
		order := slices.Clone(trials)
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		s := sample{}
		for _, t := range order {
			p, _ := find(there, t)
			sleep(ctx, set.rest)
			f, err := t.run(ctx, p, set, rand.Uint64()>>16)
			if err != nil {
				return nil, fmt.Errorf("%v: %w", t, err)
			}
			say("  %d/%d  %-58v %v", n+1, set.repetitions, t, f)
			s[t] = f
		}
		samples = append(samples, s)
	}
	return samples, nil
}

// countFsyncs runs the trials whose fsyncs are counted, for a short time and
// without looking at their rates.
func (st stage) countFsyncs(ctx context.Context, l *lab, set settings) (map[trial]float64, error) {
	counts := map[trial]float64{}
	if len(st.counted) == 0 {
		return counts, nil
	}
	if err := checkStrace(ctx); err != nil {
		say("  fsyncs are not counted, for want of strace: %v", err)
		return counts, nil
	}
	set.length = min(set.length, 2*time.Second)
	for _, t := range st.counted {
		s, err := l.subject(ctx, t.subject, t.customers)
		if err != nil {
			return nil, err
		}
		if counts[t], err = fsyncsPerRequest(ctx, s, t.load(set, 1), l.dir); err != nil {
			return nil, fmt.Errorf("count fsyncs of %v: %w", t, err)
		}
		say("  %v: %.3f fsyncs a request", t, counts[t])
	}
	return counts, nil
}

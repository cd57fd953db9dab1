package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// trial is what is run once in each repetition: one subject under one load.
type trial struct {
	subject     string
	customers   int
	kind        string
	connections int
	rate        float64 // requests a second, each counted from when it was due; 0: as many as are answered
}

// String names the trial for people who watch.
func (t trial) String() string {
	if t.connections == 0 { // nobody asks
		return fmt.Sprintf("%s, %d customers, %s", t.subject, t.customers, t.kind)
	}
	text := fmt.Sprintf("%s, %d customers, %s over %d", t.subject, t.customers, t.kind, t.connections)
	if t.rate > 0 {
		text += fmt.Sprintf(" at %.0f/s", t.rate)
	}
	return text
}

// The kinds of load.
const (
	get           = http.MethodGet
	patch         = http.MethodPatch
	searchByName  = "search by name"
	searchByEmail = "search by e-mail"
	searchByPhone = "search by phone"
)

// searchWords makes, of a customer, what somebody would type to find her.
var searchWords = map[string]func(customer) string{
	searchByName:  func(c customer) string { return begin(c.LastName, 4) },
	searchByEmail: func(c customer) string { return begin(c.Email, 8) },
	searchByPhone: func(c customer) string { return c.Mobile[len(c.Mobile)-6:] }, // no PATCH changes it
}

func begin(text string, letters int) string {
	runes := []rune(text)
	return string(runes[:min(letters, len(runes))])
}

// searches is how many different searches there are in a load.
const searches = 5000

// kindOf is what a trial asks for.
func (t trial) kindOf() kind {
	words, search := searchWords[t.kind]
	if !search {
		return kind{method: t.kind}
	}
	dice := rand.New(rand.NewPCG(7, uint64(t.customers)))
	k := kind{method: http.MethodGet}
	for range searches {
		word := words(customerOf(1 + dice.IntN(t.customers)))
		k.targets = append(k.targets, "/v1/customers?limit=20&q="+url.QueryEscape(word))
	}
	return k
}

// findsSomebody fails when most of a trial's searches find nobody: nothing is found
// fast. A first page may be empty, and say how to go on, where a list is long.
func (t trial) findsSomebody(ctx context.Context, s *server) error {
	const tries = 20
	found := 0
	for _, target := range t.kindOf().targets[:tries] {
		page, err := s.get(ctx, target)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(page, []byte(`{"items":[{`)) {
			found++
		}
	}
	if found <= tries/2 {
		return fmt.Errorf("of %d %s, %d find somebody", tries, t.kind, found)
	}
	return nil
}

// settings are how long everything takes.
type settings struct {
	repetitions int
	length      time.Duration // of one trial
	warmUp      time.Duration // before it
	rest        time.Duration // of the servers, before that
}

// run runs the trial once.
func (t trial) run(ctx context.Context, p participant, set settings, seed uint64) (figures, error) {
	if p.drive != nil {
		return p.drive(ctx, t, set)
	}
	return t.load(set, seed).measure(ctx, p.server)
}

func (t trial) load(set settings, seed uint64) load {
	return load{
		kind: t.kindOf(), connections: t.connections, rate: t.rate,
		warmUp: set.warmUp, length: set.length, seed: seed,
	}
}

// median is the middle of the values, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// medianOf is the median of each figure by itself.
func medianOf(all []figures) figures {
	of := func(figure func(figures) float64) float64 {
		var values []float64
		for _, f := range all {
			values = append(values, figure(f))
		}
		return median(values)
	}
	return figures{
		Rate:     of(func(f figures) float64 { return f.Rate }),
		P50:      time.Duration(of(func(f figures) float64 { return float64(f.P50) })),
		P99:      time.Duration(of(func(f figures) float64 { return float64(f.P99) })),
		P999:     time.Duration(of(func(f figures) float64 { return float64(f.P999) })),
		Max:      time.Duration(of(func(f figures) float64 { return float64(f.Max) })),
		CPU:      time.Duration(of(func(f figures) float64 { return float64(f.CPU) })),
		Resident: int64(of(func(f figures) float64 { return float64(f.Resident) })),
	}
}

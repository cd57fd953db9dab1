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

// run is one target under one load. Each repetition executes every run once.
type run struct {
	target      string
	customers   int
	kind        string
	connections int
	rate        float64 // requests per second, with latencies from the due time; 0: no fixed rate
}

// String names the run on the terminal.
func (r run) String() string {
	if r.connections == 0 { // the target generates its own load
		return fmt.Sprintf("%s, %d customers, %s", r.target, r.customers, r.kind)
	}
	text := fmt.Sprintf("%s, %d customers, %s over %d", r.target, r.customers, r.kind, r.connections)
	if r.rate > 0 {
		text += fmt.Sprintf(" at %.0f/s", r.rate)
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

// searchTexts returns the text that a user would type to find a customer.
var searchTexts = map[string]func(customer) string{
	searchByName:  func(c customer) string { return prefix(c.LastName, 4) },
	searchByEmail: func(c customer) string { return prefix(c.Email, 8) },
	searchByPhone: func(c customer) string { return c.Mobile[len(c.Mobile)-6:] }, // PATCH does not change it
}

func prefix(text string, letters int) string {
	runes := []rune(text)
	return string(runes[:min(letters, len(runes))])
}

// searches is the number of different searches in a load.
const searches = 5000

// requestKind returns the kind of the run's requests.
func (r run) requestKind() requestKind {
	words, search := searchTexts[r.kind]
	if !search {
		return requestKind{method: r.kind}
	}
	random := rand.New(rand.NewPCG(7, uint64(r.customers)))
	k := requestKind{method: http.MethodGet}
	for range searches {
		word := words(customerOf(1 + random.IntN(r.customers)))
		k.paths = append(k.paths, "/v1/customers?limit=20&q="+url.QueryEscape(word))
	}
	return k
}

// checkSearches returns an error when most searches of the run have an empty first page, which
// would be fast.
func (r run) checkSearches(ctx context.Context, s *server) error {
	const tries = 20
	found := 0
	for _, target := range r.requestKind().paths[:tries] {
		page, err := s.get(ctx, target)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(page, []byte(`{"items":[{`)) {
			found++
		}
	}
	if found <= tries/2 {
		return fmt.Errorf("of %d requests of %s, only %d found a customer", tries, r.kind, found)
	}
	return nil
}

// settings are the durations of the benchmark.
type settings struct {
	repetitions int
	length      time.Duration // of one run
	warmUp      time.Duration // before each run
	pause       time.Duration // before the warm-up
}

// execute executes the run once.
func (r run) execute(ctx context.Context, p preparedTarget, set settings, seed uint64) (figures, error) {
	if p.generate != nil {
		return p.generate(ctx, r, set)
	}
	return r.load(set, seed).measure(ctx, p.server)
}

func (r run) load(set settings, seed uint64) load {
	return load{
		kind: r.requestKind(), connections: r.connections, rate: r.rate,
		warmUp: set.warmUp, length: set.length, seed: seed,
	}
}

// median returns the middle value, or the mean of the two middle values.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// medianOf returns the median of each figure.
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

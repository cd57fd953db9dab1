package main

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

func TestCustomersAreTheSameEachTime(t *testing.T) {
	t.Parallel()
	var first, again bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &again} {
		if err := writeCustomers(out, 300, func(int) {}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), again.Bytes()) {
		t.Error("the second time they are others")
	}
	names := map[string]bool{}
	number := 0
	for line := range bytes.Lines(first.Bytes()) {
		number++
		var c customer
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		if c.Number != number || c != customerOf(number) {
			t.Errorf("line %d is %+v", number, c)
		}
		names[c.LastName] = true
	}
	if number != 300 || len(names) < 100 {
		t.Errorf("%d customers have %d names", number, len(names))
	}
}

// A search that finds nobody, or always the same page, says nothing.
func TestSearchesAreForSomebody(t *testing.T) {
	t.Parallel()
	for kind, words := range searchWords {
		of := trial{customers: 1000, kind: kind}
		targets := of.kindOf().targets
		if len(targets) != searches {
			t.Fatalf("%s: got %d searches", kind, len(targets))
		}
		there, asked := map[string]bool{}, map[string]bool{}
		for n := range of.customers {
			there[words(customerOf(n+1))] = true
		}
		for _, target := range targets {
			u, err := url.Parse(target)
			if err != nil {
				t.Fatal(err)
			}
			word := u.Query().Get("q")
			if !there[word] || strings.TrimSpace(word) == "" {
				t.Errorf("%s: nobody is found by %q", kind, word)
			}
			asked[word] = true
		}
		if len(asked) < 100 {
			t.Errorf("%s: only %d different searches", kind, len(asked))
		}
	}
}

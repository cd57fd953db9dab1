package main

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

func TestCustomersAreDeterministic(t *testing.T) {
	t.Parallel()
	var first, again bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &again} {
		if err := writeCustomers(out, 300, func(int) {}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), again.Bytes()) {
		t.Error("the second output differs")
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
			t.Errorf("line %d: got %+v", number, c)
		}
		names[c.LastName] = true
	}
	if number != 300 || len(names) < 100 {
		t.Errorf("got %d customers with %d names, want 300 with at least 100", number, len(names))
	}
}

func TestSearchesMatchCustomers(t *testing.T) {
	t.Parallel()
	for kind, textOf := range searchTexts {
		of := run{customers: 1000, kind: kind}
		targets := of.requestKind().paths
		if len(targets) != searches {
			t.Fatalf("%s: got %d searches", kind, len(targets))
		}
		expected, used := map[string]bool{}, map[string]bool{}
		for n := range of.customers {
			expected[textOf(customerOf(n+1))] = true
		}
		for _, target := range targets {
			u, err := url.Parse(target)
			if err != nil {
				t.Fatal(err)
			}
			word := u.Query().Get("q")
			if !expected[word] || strings.TrimSpace(word) == "" {
				t.Errorf("%s: no customer has %q", kind, word)
			}
			used[word] = true
		}
		if len(used) < 100 {
			t.Errorf("%s: only %d different searches", kind, len(used))
		}
	}
}

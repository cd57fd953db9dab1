package sqlite

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"

	"kartotek/internal/customer"
)

const benchCustomers = 10_000

// BenchmarkUpdate changes a field that is not searched, a phone, and a name.
func BenchmarkUpdate(b *testing.B) {
	edits := map[string]func(*customer.Customer, string){
		"nationalId": func(c *customer.Customer, text string) { c.NationalID = text },
		"phone":      func(c *customer.Customer, text string) { c.Phone = "+32 2 " + text },
		"lastName":   func(c *customer.Customer, text string) { c.LastName = text },
	}
	for name, edit := range edits {
		for _, callers := range []int{1, 64} {
			b.Run(name+"/"+strconv.Itoa(callers)+"callers", func(b *testing.B) {
				s, _ := start(b, Options{})
				fill(b, s, benchCustomers)
				parallel(b, callers, func() error {
					text := strconv.Itoa(1_000_000 + rand.IntN(9_000_000))
					return update(b, s, 1+rand.Int32N(benchCustomers), func(c *customer.Customer) error {
						edit(c, text)
						return nil
					})
				})
			})
		}
	}
}

func BenchmarkFind(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(strconv.Itoa(callers)+"callers", func(b *testing.B) {
			s, _ := start(b, Options{})
			fill(b, s, benchCustomers)
			parallel(b, callers, func() error {
				_, err := s.Find(b.Context(), customer.ByID("north", id(1+rand.IntN(benchCustomers))))
				return err
			})
		})
	}
}

// parallel runs op from about so many goroutines at once.
func parallel(b *testing.B, callers int, op func() error) {
	b.ReportAllocs()
	if callers == 1 {
		for b.Loop() {
			if err := op(); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := op(); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

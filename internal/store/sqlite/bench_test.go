package sqlite

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"

	"kartotek/internal/customer"
)

const benchCustomers = 10_000

func BenchmarkRevise(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(strconv.Itoa(callers)+"callers", func(b *testing.B) {
			s, _ := start(b, Options{})
			fill(b, s, benchCustomers)
			parallel(b, callers, func() error { return revise(b, s, 1+rand.Int32N(benchCustomers), addOne) })
		})
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

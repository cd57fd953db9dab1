// Rawsqlite is an upper bound for PATCH on SQLite. It updates customers in a file from "kartotek
// customer import", a number of them per transaction, without a server and without validation.
//
// It uses Kartotek's driver, pragmas and durability: the write-ahead log is on disk before a
// commit returns (synchronous FULL). It writes the same rows as Kartotek, with the history and
// the search index.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"
)

func main() {
	file := flag.String("file", "kartotek.db", "`file` from kartotek customer import")
	customers := flag.Int("customers", 100_000, "`number` of customers in the file, numbered from 1")
	seconds := flag.Float64("seconds", 10, "`seconds` to run")
	batch := flag.Int("batch", 32, "`number` of changes per transaction")
	flag.Parse()
	got, err := run(*file, *customers, *batch, time.Duration(*seconds*float64(time.Second)))
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(got)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "rawsqlite:", err)
		os.Exit(1)
	}
}

// result is the output. The percentiles are durations of transactions, from BEGIN to the end of
// COMMIT.
type result struct {
	Changes int     `json:"changes"`
	Seconds float64 `json:"seconds"`
	P50     int64   `json:"p50_us"`
	P99     int64   `json:"p99_us"`
}

// run updates random customers for this time.
func run(file string, customers, batch int, length time.Duration) (result, error) {
	w, err := open(file)
	if err != nil {
		return result{}, err
	}
	var took []time.Duration
	edits := make([]edit, batch)
	start := time.Now()
	for time.Since(start) < length {
		for i := range edits {
			edits[i] = randomEdit(customers)
		}
		begin := time.Now()
		if err := w.commit(edits, manyMoves); err != nil {
			return result{}, errors.Join(err, w.close())
		}
		took = append(took, time.Since(begin))
	}
	elapsed := time.Since(start)
	if err := w.close(); err != nil {
		return result{}, err
	}
	slices.Sort(took)
	return result{
		Changes: batch * len(took),
		Seconds: elapsed.Seconds(),
		P50:     percentile(took, 50).Microseconds(),
		P99:     percentile(took, 99).Microseconds(),
	}, nil
}

// percentile returns the smallest value that at least p % of the values do not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*p+99)/100-1]
}

// edit is one update.
type edit struct {
	number      int32
	phone, line string
}

// randomEdit returns an edit like the PATCHes of the load, with as many different phones and
// address lines, because the cost of the search index depends on them.
func randomEdit(customers int) edit {
	phone := rand.IntN(1_000_000)
	return edit{
		number: 1 + rand.Int32N(int32(customers)),
		phone:  fmt.Sprintf("+47 22%02d %04d", phone/10_000, phone%10_000),
		line:   fmt.Sprintf("Storgata %04d", rand.IntN(10_000)),
	}
}

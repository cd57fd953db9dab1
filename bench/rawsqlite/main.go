// Rawsqlite is the most that SQLite can do with Kartotek's rows: it changes
// customers in a file that "kartotek customer import" made, one after the other
// and so many in a transaction, with no server, no rules and no caller who waits.
//
// It has Kartotek's driver, pragmas and durability: a commit is in the write-ahead
// log, and that on the disk, before the next begins (synchronous FULL). It leaves
// the file as Kartotek would: a changed customer is found by the new phone, and
// has the change in the history.
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
	file := flag.String("file", "kartotek.db", "a `file` that kartotek customer import made")
	customers := flag.Int("customers", 100_000, "how many `customers` it has, with the numbers from 1 on")
	seconds := flag.Float64("seconds", 10, "for how many `seconds` to change them")
	batch := flag.Int("batch", 32, "`changes` in a transaction")
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

// result is what a run came to. The percentiles are those of transactions, from
// BEGIN to the end of COMMIT: every change of one takes as long.
type result struct {
	Changes int     `json:"changes"`
	Seconds float64 `json:"seconds"`
	P50     int64   `json:"p50_us"`
	P99     int64   `json:"p99_us"`
}

// run changes random customers for that long.
func run(file string, customers, batch int, long time.Duration) (result, error) {
	w, err := open(file)
	if err != nil {
		return result{}, err
	}
	var took []time.Duration
	edits := make([]edit, batch)
	start := time.Now()
	for time.Since(start) < long {
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

// percentile is the lowest of the sorted that at least p % of them do not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*p+99)/100-1]
}

// edit is what a caller would ask for.
type edit struct {
	number      int32
	phone, line string
}

// randomEdit is like the PATCHes that servers are measured with: as many phones,
// all of one city, and as many address lines. What FTS5 does depends on these.
func randomEdit(customers int) edit {
	phone := rand.IntN(1_000_000)
	return edit{
		number: 1 + rand.Int32N(int32(customers)),
		phone:  fmt.Sprintf("+47 22%02d %04d", phone/10_000, phone%10_000),
		line:   fmt.Sprintf("Storgata %04d", rand.IntN(10_000)),
	}
}

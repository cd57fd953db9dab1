package main

import (
	"fmt"
	"slices"
)

// The stages are the targets, with the trials that the tables of figures need
// beside them.

// many is how many connections there are unless a row says otherwise.
const many = 64

// peers compares Kartotek with its peers and its limits.
func peers(customers int) stage {
	at := func(subject, kind string, connections int) trial {
		return trial{subject: subject, customers: customers, kind: kind, connections: connections}
	}
	patches, gets := at(theKartotek, patch, many), at(theKartotek, get, many)
	full := at(pbFull, patch, many)
	spread := row{
		must: 5, aim: 3, unit: times, atMost: true,
		trials: []trial{patches},
		value:  func(s sample) float64 { return float64(s[patches].P99) / float64(s[patches].P50) },
	}
	st := stage{
		title: fmt.Sprintf("Peers and limits, %s customers", thousands(customers)),
		rows: []row{
			rates(patches, full, 10, 15).reaching(7).named("PATCH vs PocketBase FULL",
				"changes a second, where both have each change, its history and its event on the disk before they answer"),
			rates(patches, at(pbShipped, patch, many), 7, 10).reaching(4).named("PATCH vs PocketBase as shipped",
				"changes a second, where PocketBase keeps no history, and may lose with the power what it has answered"),
			rates(at(theKartotek, patch, 1), at(pbFull, patch, 1), 4, 5).reaching(2).named("PATCH at 1 connection vs PocketBase FULL",
				"the same for a single caller: no two changes can share an fsync"),
			rates(patches, at(rawSQLite, patch, 0), 0.85, 0.95).in(percent).reaching(0.5).named("PATCH vs raw SQLite",
				"how much of what SQLite can write of the same rows is left when a server stands before it"),
			tails(patches, full, 0.1, 0.06).reaching(0.13).named("PATCH p99 ÷ PocketBase FULL p99",
				"how long the slowest hundredth waits, beside the other's"),
			spread.named("PATCH p99 ÷ p50", "how much longer the slowest hundredth waits than the middle: what checkpoints and queues cost"),
			rates(gets, at(bareHTTP, get, many), 0.6, 0.8).in(percent).named("GET vs bare net/http",
				"how much of what Go's HTTP server can answer is left when authentication, routing and a record stand behind it"),
			rates(gets, at(pbFull, get, many), 6, 9).named("GET vs PocketBase", "reads a second"),
			resident(gets, 80, 60).named(fmt.Sprintf("Memory, %s customers", thousands(customers)),
				"resident memory of Kartotek, the most after any load"),
		},
	}
	for _, connections := range []int{1, 16, many} {
		for _, subject := range []string{theKartotek, pbFull, pbShipped} {
			st.also = append(st.also, at(subject, patch, connections))
			st.counted = append(st.counted, at(subject, patch, connections))
		}
		for _, subject := range []string{theKartotek, pbFull, bareHTTP} {
			st.also = append(st.also, at(subject, get, connections))
		}
	}
	st.paced = []trial{patches, gets, full, at(pbFull, get, many)}
	return st
}

// ordinaryDisk compares Kartotek with PocketBase on a disk that is slower than
// those of benchmarks.
func ordinaryDisk(customers int) stage {
	at := func(subject string) trial {
		return trial{subject: subject, customers: customers, kind: patch, connections: many}
	}
	return stage{
		title:   fmt.Sprintf("An ordinary disk: %v more for each fsync", diskDelay),
		tracer:  slowDisk,
		needs:   checkStrace,
		missing: "there is no strace that works",
		rows: []row{
			rates(at(theKartotek), at(pbFull), 18, 25).named(fmt.Sprintf("PATCH vs PocketBase FULL, fsync + %v", diskDelay),
				"the same durability where an fsync takes what it takes on ordinary disks: then sharing it decides"),
		},
	}
}

// postgreSQL compares Kartotek on PostgreSQL with PostgreSQL.
func postgreSQL(customers int) stage {
	st := stage{title: "PostgreSQL", needs: checkPostgres, missing: "it is not installed"}
	for _, connections := range []int{16, many} {
		at := func(subject string) trial {
			return trial{subject: subject, customers: customers, kind: patch, connections: connections}
		}
		st.rows = append(st.rows, rates(at(onPostgres), at(pgBench), 0.75, 0.9).in(percent).reaching(0.4).named(
			fmt.Sprintf("PostgreSQL: PATCH vs pgbench, %d connections", connections),
			"how much of what PostgreSQL does of the same statement is left when a server stands before it"))
	}
	return st
}

// growth compares Kartotek with itself, from few customers to large.
func growth(few, large int) stage {
	at := func(customers int, kind string) trial {
		return trial{subject: theKartotek, customers: customers, kind: kind, connections: many}
	}
	size := thousands(large)
	ratio := size + " ÷ " + thousands(few) + " customers"
	st := stage{
		title: "Growth",
		rows: []row{
			rates(at(large, patch), at(few, patch), 0.8, 0.9).named("PATCH, "+ratio, "what so many more customers cost a change"),
			rates(at(large, get), at(few, get), 0.75, 0.85).named("GET, "+ratio, "what they cost a read"),
			resident(at(large, get), 150, 100).named(fmt.Sprintf("Memory, %s customers", size), "resident memory of Kartotek, the most after any load"),
		},
	}
	for _, kind := range []string{searchByName, searchByEmail, searchByPhone} {
		st.rows = append(st.rows, tails(at(large, kind), at(large, get), 5, 3).named(
			fmt.Sprintf("%s p99 ÷ GET p99, %s customers", kind, size), "the first page of 20 who are found, beside one who is asked for by number"))
	}
	for _, customers := range sizes(few, large) {
		st.also = append(st.also, at(customers, patch), at(customers, get))
	}
	for _, kind := range []string{get, searchByName, searchByEmail, searchByPhone} {
		alone := at(large, kind)
		alone.connections = 1
		st.also = append(st.also, alone)
	}
	return st
}

// sizes are the numbers of customers between which growth is looked at.
func sizes(few, large int) []int {
	all := []int{few, 1_000_000, large}
	all = slices.DeleteFunc(all, func(n int) bool { return n > max(few, large) })
	slices.Sort(all)
	return slices.Compact(all)
}

// thousands is a number as people read it.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

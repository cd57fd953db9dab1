package main

import (
	"fmt"
	"slices"
)

// defaultConnections is the number of connections unless a row says otherwise.
const defaultConnections = 64

// competitors compares Kartotek with PocketBase and with upper bounds.
func competitors(customers int) phase {
	at := func(target, kind string, connections int) run {
		return run{target: target, customers: customers, kind: kind, connections: connections}
	}
	patches, gets := at(kartotekName, patch, defaultConnections), at(kartotekName, get, defaultConnections)
	full := at(pbFull, patch, defaultConnections)
	spread := row{
		must: 5, aim: 3, unit: times, atMost: true,
		runs:  []run{patches},
		value: func(s sample) float64 { return float64(s[patches].P99) / float64(s[patches].P50) },
	}
	ph := phase{
		title: fmt.Sprintf("Competitors and upper bounds, %s customers", thousands(customers)),
		rows: []row{
			rateRatio(patches, full, 5, 15).named("PATCH vs PocketBase FULL",
				"changes per second; both have the change, its history and its event on disk before the response"),
			rateRatio(patches, at(pbShipped, patch, defaultConnections), 3, 10).named("PATCH vs PocketBase as shipped",
				"changes per second; PocketBase keeps no history, and a power failure may lose acknowledged changes"),
			rateRatio(at(kartotekName, patch, 1), at(pbFull, patch, 1), 2.2, 5).named("PATCH at 1 connection vs PocketBase FULL",
				"a single client: no two changes share an fsync"),
			rateRatio(patches, at(rawSQLite, patch, 0), 0.45, 0.8).in(percent).named("PATCH vs raw SQLite",
				"share of SQLite's own rate of the same writes: the cost of the server"),
			p99Ratio(patches, full, 0.15, 0.06).named("PATCH p99 ÷ PocketBase FULL p99",
				"latency of the slowest 1 %"),
			spread.named("PATCH p99 ÷ p50", "latency of the slowest 1 % relative to the median: the cost of checkpoints and queues"),
			rateRatio(gets, at(bareHTTP, get, defaultConnections), 0.4, 0.8).in(percent).named("GET vs bare net/http",
				"share of the rate of Go's HTTP server alone: the cost of authentication, routing and the record"),
			rateRatio(gets, at(pbFull, get, defaultConnections), 5, 9).named("GET vs PocketBase", "reads per second"),
			memoryRow(gets, 128, 80).named(fmt.Sprintf("Memory, %s customers", thousands(customers)),
				"largest resident memory of Kartotek after a load"),
		},
	}
	for _, connections := range []int{1, 16, defaultConnections} {
		for _, target := range []string{kartotekName, pbFull, pbShipped} {
			ph.extra = append(ph.extra, at(target, patch, connections))
			ph.fsyncRuns = append(ph.fsyncRuns, at(target, patch, connections))
		}
		for _, target := range []string{kartotekName, pbFull, bareHTTP} {
			ph.extra = append(ph.extra, at(target, get, connections))
		}
	}
	ph.paced = []run{patches, gets, full, at(pbFull, get, defaultConnections)}
	return ph
}

// ordinaryDisk compares Kartotek with PocketBase on a slower disk.
func ordinaryDisk(customers int) phase {
	at := func(target string) run {
		return run{target: target, customers: customers, kind: patch, connections: defaultConnections}
	}
	return phase{
		title:      fmt.Sprintf("An ordinary disk: fsync + %v", diskDelay),
		tracer:     slowDisk,
		requires:   checkStrace,
		skipReason: "strace is not available",
		rows: []row{
			rateRatio(at(kartotekName), at(pbFull), 10, 25).named(fmt.Sprintf("PATCH vs PocketBase FULL, fsync + %v", diskDelay),
				"changes per second with the same durability; sharing an fsync decides"),
		},
	}
}

// postgreSQL compares Kartotek on PostgreSQL with PostgreSQL alone.
func postgreSQL(customers int) phase {
	ph := phase{title: "PostgreSQL", requires: checkPostgres, skipReason: "not installed"}
	for _, connections := range []int{16, defaultConnections} {
		at := func(target string) run {
			return run{target: target, customers: customers, kind: patch, connections: connections}
		}
		ph.rows = append(ph.rows, rateRatio(at(onPostgres), at(pgBench), 0.4, 0.75).in(percent).named(
			fmt.Sprintf("PostgreSQL: PATCH vs pgbench, %d connections", connections),
			"share of PostgreSQL's own rate of the same statement: the cost of the server"))
	}
	return ph
}

// growth compares Kartotek's stores with few and with large numbers of customers.
func growth(few, large int) phase {
	at := func(customers int, kind string) run {
		return run{target: kartotekName, customers: customers, kind: kind, connections: defaultConnections}
	}
	size := thousands(large)
	ratio := size + " ÷ " + thousands(few) + " customers"
	ph := phase{
		title: "Growth",
		rows: []row{
			rateRatio(at(large, patch), at(few, patch), 0.6, 0.9).named("PATCH, "+ratio, "changes per second in the large store relative to the small one"),
			rateRatio(at(large, get), at(few, get), 0.4, 0.85).named("GET, "+ratio, "reads per second in the large store relative to the small one"),
			memoryRow(at(large, get), 256, 150).named(fmt.Sprintf("Memory, %s customers", size), "largest resident memory of Kartotek after a load"),
		},
	}
	for _, kind := range []string{searchByName, searchByEmail, searchByPhone} {
		ph.rows = append(ph.rows, p99Row(at(large, kind), 50, 20).named(
			fmt.Sprintf("%s p99, %s customers", kind, size), "latency of the slowest 1 % of first pages of 20 customers"))
	}
	for _, customers := range growthSizes(few, large) {
		ph.extra = append(ph.extra, at(customers, patch), at(customers, get))
	}
	for _, kind := range []string{get, searchByName, searchByEmail, searchByPhone} {
		single := at(large, kind)
		single.connections = 1
		ph.extra = append(ph.extra, single)
	}
	return ph
}

// growthSizes returns the numbers of customers to measure.
func growthSizes(few, large int) []int {
	all := []int{few, 1_000_000, large}
	all = slices.DeleteFunc(all, func(n int) bool { return n > max(few, large) })
	slices.Sort(all)
	return slices.Compact(all)
}

// thousands formats a number with separators.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

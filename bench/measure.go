package main

import (
	"context"
	"fmt"
	"time"
)

// figures are the measurements of one run.
type figures struct {
	Rate                float64 // requests per second
	P50, P99, P999, Max time.Duration
	CPU                 time.Duration // of the server, per request
	Resident            int64         // memory of the server after the load, in bytes
}

// measure puts the server under the load.
func (l load) measure(ctx context.Context, s *server) (figures, error) {
	all, cpu, err := l.run(ctx, s)
	if err != nil && s.hasExited() {
		err = fmt.Errorf("%w; the server has exited%s", err, s.logTail())
	}
	if err != nil {
		return figures{}, err
	}
	resident, err := residentBytes(s.pid)
	if err != nil {
		return figures{}, err
	}
	n := all.TotalCount()
	return figures{
		Rate: float64(n) / l.length.Seconds(),
		P50:  all.at(50), P99: all.at(99), P999: all.at(99.9), Max: all.max(),
		CPU:      cpu / time.Duration(n),
		Resident: resident,
	}, s.trimLog()
}

// String returns one line for the terminal.
func (f figures) String() string {
	if f.Max == 0 { // a run without latencies
		return fmt.Sprintf("%8.0f/s  %4d µs CPU", f.Rate, f.CPU.Microseconds())
	}
	return fmt.Sprintf("%8.0f/s  p50 %s  p99 %s  p99.9 %s  max %s  %4d µs CPU  %4d MB",
		f.Rate, ms(f.P50), ms(f.P99), ms(f.P999), ms(f.Max), f.CPU.Microseconds(), f.Resident>>20)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Nanoseconds())/1e6) }

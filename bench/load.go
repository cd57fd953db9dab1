package main

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// requestKind is a kind of request.
type requestKind struct {
	method string   // GET or PATCH of random customers
	paths  []string // if not empty, GETs of random ones of these instead
}

// load sends requests of one kind over a number of connections.
type load struct {
	kind        requestKind
	connections int
	rate        float64 // requests per second; 0: each connection sends the next request after a response
	warmUp      time.Duration
	length      time.Duration // of the measurement, after the warm-up
	seed        uint64
}

// latencies is a histogram of the latencies of a load.
type latencies struct {
	*hdrhistogram.Histogram
}

// Latencies have a resolution of 100 ns and three digits. A latency above the maximum counts as
// the maximum.
const (
	latencyStep = 100 * time.Nanosecond
	maxLatency  = time.Minute
)

func newLatencies() latencies {
	return latencies{hdrhistogram.New(1, int64(maxLatency/latencyStep), 3)}
}

func (l latencies) add(d time.Duration) {
	_ = l.RecordValue(int64(min(d, maxLatency) / latencyStep)) // fails for more than maxLatency only
}

// at returns a percentile.
func (l latencies) at(percent float64) time.Duration {
	return time.Duration(l.ValueAtQuantile(percent)) * latencyStep
}

func (l latencies) max() time.Duration { return l.at(100) }

// responseTimeout is the longest wait for a response.
const responseTimeout = 30 * time.Second

// run puts the server under the load. It returns the latencies in the measurement window and
// the CPU time of the server. A response other than 2xx is an error.
func (l load) run(ctx context.Context, s *server) (latencies, time.Duration, error) {
	clients, err := l.connect(ctx, s)
	if err != nil {
		return latencies{}, 0, err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	began := time.Now()
	w := window{begin: began.Add(l.warmUp), end: began.Add(l.warmUp + l.length)}
	var all sync.WaitGroup
	if l.rate == 0 {
		all.Go(func() {
			if err := closedLoop(ctx, clients, w); err != nil {
				fail(err)
			}
		})
	} else {
		stopWaiting := context.AfterFunc(ctx, func() { // unblocks the clients
			for _, c := range clients {
				c.conn.Close()
			}
		})
		defer stopWaiting()
		schedule := l.schedule(ctx, began, w)
		for _, c := range clients {
			all.Go(func() {
				if err := c.sendOnSchedule(w, schedule); err != nil {
					fail(err)
				}
			})
		}
	}
	spent, err := cpuDuring(ctx, s.pid, w)
	if err != nil {
		fail(err)
	}
	all.Wait()
	sum := newLatencies()
	for _, c := range clients {
		sum.Merge(c.latencies.Histogram)
		c.conn.Close()
	}
	if err := context.Cause(ctx); err != nil {
		return latencies{}, 0, err
	}
	if sum.TotalCount() == 0 {
		return latencies{}, 0, errors.New("no response arrived in the measurement window")
	}
	return sum, spent, nil
}

// cpuDuring waits until the window ends and returns the CPU time of the process in it.
func cpuDuring(ctx context.Context, pid int, w window) (time.Duration, error) {
	sleep(ctx, time.Until(w.begin))
	before, err := cpuTime(pid)
	if err != nil {
		return 0, err
	}
	sleep(ctx, time.Until(w.end))
	after, err := cpuTime(pid)
	return after - before, err
}

// sleep reports whether it slept to the end: false when ctx was done.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// window is the time in which responses count.
type window struct{ begin, end time.Time }

func (w window) contains(t time.Time) bool { return !t.Before(w.begin) && t.Before(w.end) }

// client is one connection.
type client struct {
	conn      io.ReadWriteCloser // a socket in a closed loop, otherwise a net.Conn
	requests  *requests
	responses *responses
	latencies latencies
	sentAt    time.Time
}

// connect opens all connections, or returns an error.
func (l load) connect(ctx context.Context, s *server) ([]*client, error) {
	var clients []*client
	for n := range l.connections {
		c, err := l.newClient(ctx, s, n)
		if err != nil {
			for _, c := range clients {
				c.conn.Close()
			}
			return nil, err
		}
		clients = append(clients, c)
	}
	return clients, nil
}

func (l load) newClient(ctx context.Context, s *server, n int) (*client, error) {
	requests, err := newRequests(s, l.kind, l.seed<<16+uint64(n))
	if err != nil {
		return nil, err
	}
	conn, err := l.dial(ctx, s.address())
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, requests: requests, responses: newResponses(conn), latencies: newLatencies()}, nil
}

func (l load) dial(ctx context.Context, address string) (io.ReadWriteCloser, error) {
	if l.rate == 0 {
		return dialSocket(address)
	}
	dialer := net.Dialer{Deadline: time.Now().Add(responseTimeout)}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(l.warmUp + l.length + responseTimeout)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// sendOnSchedule sends a request at each due time until the schedule ends. A latency starts at
// the due time, so it includes the wait for a free connection.
func (c *client) sendOnSchedule(w window, schedule <-chan time.Time) error {
	for due := range schedule {
		done, err := c.roundTrip()
		if err != nil {
			return err
		}
		if w.contains(due) {
			c.latencies.add(done.Sub(due))
		}
	}
	return nil
}

// roundTrip sends one request and returns the time of the response.
func (c *client) roundTrip() (time.Time, error) {
	if err := c.send(); err != nil {
		return time.Time{}, err
	}
	_, err := c.responses.read()
	return time.Now(), err
}

// schedule sends the due time of each request until the window ends. It never blocks on its
// receivers.
func (l load) schedule(ctx context.Context, began time.Time, w window) <-chan time.Time {
	total := int(w.end.Sub(began).Seconds() * l.rate)
	schedule := make(chan time.Time, total)
	go func() {
		defer close(schedule)
		defer useFineTimers()()
		for n := range total {
			due := began.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
			for wait := time.Until(due); wait > 0; wait = time.Until(due) {
				rest := syscall.NsecToTimespec(wait.Nanoseconds())
				_ = syscall.Nanosleep(&rest, nil) // may end early, by a signal
			}
			if ctx.Err() != nil {
				return
			}
			schedule <- due
		}
	}()
	return schedule
}

// useFineTimers makes the goroutine's sleeps precise: Go's own timers are up to a millisecond
// late in an idle process, the kernel's 50 µs.
func useFineTimers() (undo func()) {
	runtime.LockOSThread()
	slack := func(ns uintptr) {
		_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_TIMERSLACK, ns, 0) // never fails
	}
	slack(1)
	return func() {
		slack(0) // the default
		runtime.UnlockOSThread()
	}
}

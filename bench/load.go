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

// kind is what is asked of a server.
type kind struct {
	method  string   // GET or PATCH of random customers
	targets []string // a GET of random ones of these instead
}

// load is requests of one kind over so many connections.
type load struct {
	kind        kind
	connections int
	rate        float64 // requests a second, however slow the answers; 0: each connection asks as soon as it is answered
	warmUp      time.Duration
	length      time.Duration // of what is measured, after the warm-up
	seed        uint64
}

// latencies are those of a load's requests.
type latencies struct {
	*hdrhistogram.Histogram
}

// Latencies are kept in steps of 100 ns, with three digits, up to a minute. A
// longer one counts as a minute.
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

// at is the latency that so many percent of the requests did not exceed.
func (l latencies) at(percent float64) time.Duration {
	return time.Duration(l.ValueAtQuantile(percent)) * latencyStep
}

func (l latencies) max() time.Duration { return l.at(100) }

// patience is how long a load waits for an answer before it gives up.
const patience = 30 * time.Second

// run puts the server under the load. It returns the latencies of what counts, and
// the CPU time that the server used meanwhile. Any request that is not answered
// with 2xx ends it with an error.
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
		stopWaiting := context.AfterFunc(ctx, func() { // wakes those who wait for an answer
			for _, c := range clients {
				c.conn.Close()
			}
		})
		defer stopWaiting()
		turns := l.turns(ctx, began, w)
		for _, c := range clients {
			all.Go(func() {
				if err := c.work(w, turns); err != nil {
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
		return latencies{}, 0, errors.New("no request was answered in time")
	}
	return sum, spent, nil
}

// cpuDuring waits until the window ends, and returns the CPU time that the process
// used from its begin.
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

// sleep sleeps, and reports whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// window is when answers count.
type window struct{ begin, end time.Time }

func (w window) has(t time.Time) bool { return !t.Before(w.begin) && t.Before(w.end) }

// client is one connection.
type client struct {
	conn      io.ReadWriteCloser // a socket in a closed loop, otherwise a net.Conn
	requests  *requests
	responses *responses
	latencies latencies
	asked     time.Time
}

// connect opens the load's connections, all or none.
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
	dialer := net.Dialer{Deadline: time.Now().Add(patience)}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(l.warmUp + l.length + patience)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// work asks when it is somebody's turn and waits for the answer, until the turns
// end. It counts from the moment when the turn came: what had to wait until a
// connection was free has waited.
func (c *client) work(w window, turns <-chan time.Time) error {
	for turn := range turns {
		done, err := c.ask()
		if err != nil {
			return err
		}
		if w.has(turn) {
			c.latencies.add(done.Sub(turn))
		}
	}
	return nil
}

// ask sends one request, and tells when it was answered.
func (c *client) ask() (time.Time, error) {
	if err := c.send(); err != nil {
		return time.Time{}, err
	}
	_, err := c.responses.read()
	return time.Now(), err
}

// turns tells each moment when a request is due, at the rate, until the window
// ends. It never waits for those who take the turns.
func (l load) turns(ctx context.Context, began time.Time, w window) <-chan time.Time {
	total := int(w.end.Sub(began).Seconds() * l.rate)
	turns := make(chan time.Time, total)
	go func() {
		defer close(turns)
		defer punctual()()
		for n := range total {
			due := began.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
			for wait := time.Until(due); wait > 0; wait = time.Until(due) {
				rest := syscall.NsecToTimespec(wait.Nanoseconds())
				_ = syscall.Nanosleep(&rest, nil) // may end early, by a signal
			}
			if ctx.Err() != nil {
				return
			}
			turns <- due
		}
	}()
	return turns
}

// punctual makes the goroutine wake when it wanted to: Go's own timers are up to a
// millisecond late where nothing else happens, the kernel's 50 µs. What it returns
// undoes it.
func punctual() (undo func()) {
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

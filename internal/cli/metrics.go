package cli

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"kartotek/internal/web"
)

// metrics tells Prometheus of the store and the process, beside the requests.
type metrics struct {
	web      *web.Metrics
	writes   prometheus.Histogram
	duration prometheus.Histogram
}

func newMetrics() *metrics {
	m := &metrics{
		web: web.NewMetrics(),
		writes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "kartotek_store_commit_writes",
			Help:    "Writes that were made durable together.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 8), // to 128, the largest group
		}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "kartotek_store_commit_duration_seconds",
			Help:    "Time from the begin of a group of writes to its commit.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
	}
	m.web.Register(m.writes, m.duration, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observeCommit is told of each group of writes.
func (m *metrics) observeCommit(writes int, took time.Duration) {
	m.writes.Observe(float64(writes))
	m.duration.Observe(took.Seconds())
}

// watchQueue exports the number of queued writes.
func (m *metrics) watchQueue(store backend) {
	m.web.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kartotek_store_queue_writes",
		Help: "Writes that wait for their turn.",
	}, func() float64 { return float64(store.Queued()) }))
}

package cli

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"kartotek/internal/web"
)

// metrics are the Prometheus metrics of requests, the store and the process.
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
			Help:    "Writes per commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 8), // up to 128, the largest batch
		}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "kartotek_store_commit_duration_seconds",
			Help:    "Time to write and commit a batch.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
	}
	m.web.Register(m.writes, m.duration, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observeCommit(writes int, took time.Duration) {
	m.writes.Observe(float64(writes))
	m.duration.Observe(took.Seconds())
}

// watch exports the length of the store's write queue, and whether the store is damaged.
func (m *metrics) watch(store backend) {
	m.web.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kartotek_store_corrupt",
		Help: "1 after a call has failed because the store is damaged.",
	}, func() float64 {
		if store.Corrupt() {
			return 1
		}
		return 0
	}), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kartotek_store_queue_writes",
		Help: "Writes in the queue.",
	}, func() float64 { return float64(store.Queued()) }))
}

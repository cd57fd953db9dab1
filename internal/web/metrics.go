package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts requests for Prometheus.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// NewMetrics returns metrics in a registry of their own.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kartotek_http_requests_total",
			Help: "Requests answered, by contract, operation and status.",
		}, []string{"contract", "operation", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "kartotek_http_request_duration_seconds",
			Help:    "Time from the end of the request's header to the end of its answer, by contract and operation.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"contract", "operation"}),
	}
	m.Register(m.requests, m.duration)
	return m
}

// Register has /metrics tell of these as well.
func (m *Metrics) Register(all ...prometheus.Collector) { m.registry.MustRegister(all...) }

func (m *Metrics) request(c *call, status int, took time.Duration) {
	m.requests.WithLabelValues(c.contract, c.operation, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(c.contract, c.operation).Observe(took.Seconds())
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

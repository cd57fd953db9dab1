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

// NewMetrics returns metrics with their own registry.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kartotek_http_requests_total",
			Help: "Requests served, by contract, operation and status.",
		}, []string{"contract", "operation", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "kartotek_http_request_duration_seconds",
			Help:    "Time from the end of the request header to the end of the response, by contract and operation.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"contract", "operation"}),
	}
	m.Register(m.requests, m.duration)
	return m
}

// Register adds collectors to /metrics.
func (m *Metrics) Register(all ...prometheus.Collector) { m.registry.MustRegister(all...) }

func (m *Metrics) request(info *requestInfo, status int, duration time.Duration) {
	m.requests.WithLabelValues(info.contract, info.operation, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(info.contract, info.operation).Observe(duration.Seconds())
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

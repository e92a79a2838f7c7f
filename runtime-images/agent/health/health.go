// Package health answers the probes of the kubelet and the scrapes of Prometheus.
package health

import (
	"io"
	"net/http"
	"time"
)

// Pod is what health needs of the rest of the agent.
type Pod interface {
	IsReady() bool
	WriteMetrics(w io.Writer)
}

// NewServer makes the HTTP server of /healthz, /readyz and /metrics.
func NewServer(pod Pod) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !pod.IsReady() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		pod.WriteMetrics(w)
	})
	return &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second,
		IdleTimeout: 15 * time.Second, MaxHeaderBytes: 8 << 10,
	}
}

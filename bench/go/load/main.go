// Command load is a closed loop over HTTP: CONNECTIONS callers, each sends the next request when its last was answered, for a bounded count and
// time. Prints one JSON object: counts, seconds, every latency's distribution in microseconds.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kappa.dev/bench/background"
)

var (
	connections = flag.Int("connections", 1, "callers at the same time")
	requests    = flag.Int64("requests", 1000, "requests in all, at most")
	limit       = flag.Duration("limit", 30*time.Second, "time in all, at most")
	size        = flag.Int("size", 512, "bytes of the JSON body")
	batch       = flag.Bool("batch", true, "make way for the process that is measured; not where latency is")
	headers     = http.Header{"Content-Type": {"application/json"}}
)

func init() {
	flag.Func("header", "`name: value` to send with each request, any number", func(text string) error {
		name, value, found := strings.Cut(text, ": ")
		if !found {
			return fmt.Errorf("no colon")
		}
		headers.Set(name, value)
		return nil
	})
}

type result struct {
	Requests  int            `json:"requests"`
	Errors    int            `json:"errors"`
	Seconds   float64        `json:"seconds"`
	P50       float64        `json:"p50Us"`
	P90       float64        `json:"p90Us"`
	P99       float64        `json:"p99Us"`
	Max       float64        `json:"maxUs"`
	Statuses  map[string]int `json:"statuses"`
	LastError string         `json:"lastError,omitempty"`
}

type sample struct {
	elapsed time.Duration
	status  string
	failure string
}

func main() {
	flag.Parse()
	if *batch {
		background.Enter()
	}
	urls := flag.Args()
	if len(urls) == 0 {
		fmt.Fprintln(os.Stderr, "usage: load [flags] URL…")
		os.Exit(2)
	}
	body := []byte(fmt.Sprintf(`{"pad":"%s"}`, strings.Repeat("x", max(0, *size-10))))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: *connections, MaxConnsPerHost: 0}}
	start := time.Now()
	samples := run(client, urls, body, start.Add(*limit))
	_ = json.NewEncoder(os.Stdout).Encode(summarize(samples, time.Since(start)))
}

func run(client *http.Client, urls []string, body []byte, end time.Time) []sample {
	var next atomic.Int64
	perCaller := make([][]sample, *connections)
	var callers sync.WaitGroup
	for caller := range perCaller {
		callers.Add(1)
		go func() {
			defer callers.Done()
			for time.Now().Before(end) {
				number := next.Add(1) - 1
				if number >= *requests {
					return
				}
				perCaller[caller] = append(perCaller[caller], call(client, urls[int(number)%len(urls)], body))
			}
		}()
	}
	callers.Wait()
	var all []sample
	for _, samples := range perCaller {
		all = append(all, samples...)
	}
	return all
}

func call(client *http.Client, url string, body []byte) sample {
	start := time.Now()
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return sample{time.Since(start), "request", err.Error()}
	}
	request.Header = headers // the same for all: the transport clones what it changes
	response, err := client.Do(request)
	if err != nil {
		return sample{time.Since(start), "transport", err.Error()}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	elapsed := time.Since(start)
	if err != nil {
		return sample{elapsed, "transport", err.Error()}
	}
	failure := ""
	if response.StatusCode != http.StatusOK || response.Header.Get("X-Amz-Function-Error") != "" {
		failure = fmt.Sprintf("%d %.200s", response.StatusCode, text)
	}
	return sample{elapsed, fmt.Sprint(response.StatusCode), failure}
}

func summarize(samples []sample, elapsed time.Duration) result {
	r := result{Requests: len(samples), Seconds: elapsed.Seconds(), Statuses: map[string]int{}}
	times := make([]float64, 0, len(samples))
	for _, s := range samples {
		r.Statuses[s.status]++
		if s.failure != "" {
			r.Errors++
			r.LastError = s.failure
			continue
		}
		times = append(times, float64(s.elapsed.Microseconds()))
	}
	sort.Float64s(times)
	at := func(share float64) float64 {
		if len(times) == 0 {
			return 0
		}
		return times[min(len(times)-1, int(share*float64(len(times))))]
	}
	r.P50, r.P90, r.P99, r.Max = at(0.5), at(0.9), at(0.99), at(1)
	return r
}

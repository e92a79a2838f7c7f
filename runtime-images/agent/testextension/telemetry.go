package testextension

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// prepare is what an extension does between its registration and its first event: with the words below it subscribes.
//
//	http, tcp | to all of the Telemetry API, at a server of its own; what comes is written to a file, an event a line
//	logs      | to all of the Logs API, likewise
//	dead      | at a port where nobody listens
//	stuck     | at a server that takes requests and never answers
func (x *extension) prepare() {
	host, _, err := net.SplitHostPort(os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	must(err)
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	must(err)
	port := listener.Addr().(*net.TCPAddr).Port
	uri := fmt.Sprintf("http://sandbox.localdomain:%d/events", port)
	switch {
	case x.is("http"):
		go func() { must(http.Serve(listener, http.HandlerFunc(x.take))) }()
		x.subscribe("/2022-07-01/telemetry", "2022-12-13", map[string]any{"protocol": "HTTP", "URI": uri})
	case x.is("logs"):
		go func() { must(http.Serve(listener, http.HandlerFunc(x.take))) }()
		x.subscribe("/2020-08-15/logs", "2021-03-18", map[string]any{"protocol": "HTTP", "URI": uri})
	case x.is("tcp"):
		go x.takeLines(listener)
		x.subscribe("/2022-07-01/telemetry", "2025-01-29", map[string]any{"protocol": "TCP", "port": port})
	case x.is("dead"):
		_ = listener.Close()
		x.subscribe("/2022-07-01/telemetry", "2022-07-01", map[string]any{"protocol": "HTTP", "URI": uri})
	case x.is("stuck"):
		go func() {
			must(http.Serve(listener, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(time.Hour) })))
		}()
		x.subscribe("/2022-07-01/telemetry", "2022-07-01", map[string]any{"protocol": "HTTP", "URI": uri})
	default:
		_ = listener.Close()
	}
}

func (x *extension) subscribe(path, schema string, destination map[string]any) {
	body, _ := json.Marshal(map[string]any{
		"schemaVersion": schema, "types": []string{"platform", "function", "extension"}, "destination": destination,
		"buffering": map[string]int{"timeoutMs": 25},
	})
	status, _, text := x.send("PUT", path, body, "Lambda-Extension-Identifier", x.id)
	x.say("subscribed:", strconv.Itoa(status), text)
}

func (x *extension) take(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	must(err)
	var events []json.RawMessage
	must(json.Unmarshal(body, &events))
	for _, event := range events {
		x.keep(event)
	}
}

func (x *extension) takeLines(listener net.Listener) {
	conn, err := listener.Accept()
	must(err)
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		x.keep(lines.Bytes())
	}
}

func (x *extension) keep(event []byte) {
	file, err := os.OpenFile(x.File("events-"+x.name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(err)
	defer file.Close()
	_, err = file.Write(append(event[:len(event):len(event)], '\n'))
	must(err)
}

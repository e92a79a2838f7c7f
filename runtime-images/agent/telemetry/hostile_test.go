package telemetry

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// deaf is a port whose listener takes no connection: whoever dials waits.
func deaf(t *testing.T) (port int) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port = name.(*syscall.SockaddrInet4).Port
	only, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)) // the one that finds room in the queue
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = only.Close() })
	return port
}

// isDialed says whether somebody waits for a connection to the port.
func isDialed(t *testing.T, port int) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(table), fmt.Sprintf(" 0100007F:%04X 02 ", port))
}

func inTime(t *testing.T, what string, run func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { run(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("not in time: " + what)
	}
}

func TestAListenerThatTakesNoConnectionHoldsNothing(t *testing.T) {
	port := deaf(t)
	subscribe := func(h *Hub, uri string) int {
		status, _ := h.Subscribe(TelemetryAPI, "x", []byte(with("sandbox.localdomain:8080/x", fmt.Sprintf("sandbox:%d/%s", port, uri))))
		return status
	}
	a := &alarms{}
	h := quietHub()
	h.After = a.set
	subscribe(h, "")
	a.ring()
	await(t, "it is dialed", func() bool { return isDialed(t, port) })
	inTime(t, "another subscription", func() {
		if status := subscribe(h, "other"); status != http.StatusOK {
			t.Error(status)
		}
	})
	await(t, "the first is given up", func() bool { return !isDialed(t, port) })
	a.ring()
	await(t, "it is dialed again", func() bool { return isDialed(t, port) })
	inTime(t, "the end", h.End)
	await(t, "the second is given up", func() bool { return !isDialed(t, port) })
}

// answering is a subscriber's server that answers each request by hand. It counts the connections and the requests.
func answering(t *testing.T, answer func(conn net.Conn)) (s *sink, connections *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	connections = &atomic.Int32{}
	go func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			connections.Add(1)
			go func() {
				defer conn.Close()
				for reader := bufio.NewReader(conn); ; answer(conn) {
					request, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, request.Body)
				}
			}()
		}
	}()
	s = newSink(subscription{method: "POST", uri: "http://sandbox/"}, listener.Addr().String())
	t.Cleanup(s.end)
	return s, connections
}

// endless writes until nobody reads any more, and says how much that was.
func endless(conn net.Conn, head, more string) {
	_, err := io.WriteString(conn, head)
	for block := strings.Repeat(more, 1+4096/len(more)); err == nil; {
		_, err = io.WriteString(conn, block)
	}
}

func TestAnAnswerThatIsNoneIsNotTaken(t *testing.T) {
	rows := []struct {
		reason string
		answer func(conn net.Conn)
		isGood bool
		// isKept says that the connection is used again.
		isKept bool
	}{
		{"an answer", func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK") }, true, true},
		{"an error", func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") }, false, false},
		{"only the promise of one", func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n") }, false, false},
		{"a line without end", func(conn net.Conn) { endless(conn, "HTTP/1.1 200 ", "O") }, false, false},
		{"headers without end", func(conn net.Conn) { endless(conn, "HTTP/1.1 200 OK\r\n", "A: b\r\n") }, false, false},
		{"a body without end", func(conn net.Conn) { endless(conn, "HTTP/1.1 200 OK\r\n\r\n", "x") }, true, false},
		{"a trailer without end", func(conn net.Conn) {
			endless(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n")
		}, false, false},
		{"a chunk's extension without end", func(conn net.Conn) {
			endless(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=", "b")
		}, false, false},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			s, connections := answering(t, row.answer)
			for range 2 {
				inTime(t, "an end", func() {
					if err := s.send([]byte("{}")); (err == nil) != row.isGood {
						t.Error(err)
					}
				})
			}
			if count := connections.Load(); (count == 1) != row.isKept {
				t.Errorf("%d connections", count)
			}
		})
	}
}

package telemetry

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
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

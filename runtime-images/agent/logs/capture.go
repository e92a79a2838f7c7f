package logs

import (
	"os"
	"sync"
	"syscall"
)

// drainBytes bounds one Drain: more than a pipe can hold, so that everything written before is read, and a writer that
// goes on for ever does not hold it.
const drainBytes = 256 << 10

// Capture reads the pipe that is standard output and standard error of one runtime process tree.
type Capture struct {
	// output takes what was read, and does not keep it.
	output func(p []byte)
	reader *os.File
	fd     int

	mu     sync.Mutex
	buffer []byte
	closed bool
}

// NewCapture is NewCaptureOf for the function's own output.
func NewCapture(stream *Stream) (capture *Capture, writer *os.File, err error) {
	return NewCaptureOf(stream.Output)
}

// NewCaptureOf makes the pipe and starts to read it. The writing end goes to the process; close it after the start.
func NewCaptureOf(output func(p []byte)) (capture *Capture, writer *os.File, err error) {
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
		return nil, nil, err
	}
	if err := syscall.SetNonblock(ends[0], true); err != nil {
		return nil, nil, err
	}
	c := &Capture{output: output, reader: os.NewFile(uintptr(ends[0]), "output"), fd: ends[0], buffer: make([]byte, 16<<10)}
	go c.run()
	return c, os.NewFile(uintptr(ends[1]), "output"), nil
}

// Drain passes on everything that was written before the call. It does not wait for more.
func (c *Capture) Drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for total := 0; total < drainBytes; {
		n, _ := c.readOnce()
		if n <= 0 {
			return
		}
		total += n
	}
}

// Close passes on what is there and stops reading. Writers that are left get SIGPIPE.
func (c *Capture) Close() {
	c.Drain()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	_ = c.reader.Close() // not under mu: it waits for the reading goroutine, which takes mu
}

func (c *Capture) run() {
	raw, err := c.reader.SyscallConn()
	if err != nil {
		return
	}
	for {
		ended := false
		err := raw.Read(func(uintptr) bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			n, err := c.readOnce()
			ended = n == 0
			return err != syscall.EAGAIN
		})
		if err != nil || ended {
			return
		}
	}
}

// readOnce reads and passes on one buffer. 0 bytes without an error is the end; the caller holds mu.
func (c *Capture) readOnce() (int, error) {
	if c.closed {
		return 0, nil
	}
	for {
		n, err := syscall.Read(c.fd, c.buffer)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return -1, err
		}
		c.output(c.buffer[:n])
		return n, nil
	}
}

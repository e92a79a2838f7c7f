package telemetry

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// sink sends batches to one subscriber. There is no time limit: an execution environment may be frozen in the middle of one.
type sink struct {
	subscription
	// address is where the subscriber listens.
	address string
	// life ends with the first end, by die.
	life context.Context
	die  context.CancelFunc

	mu     sync.Mutex
	conn   net.Conn
	reader *bufio.Reader
}

func newSink(wanted subscription, address string) *sink {
	s := &sink{subscription: wanted, address: address}
	s.life, s.die = context.WithCancel(context.Background())
	return s
}

// separator is what stands between two events.
func (s *sink) separator() byte {
	if s.isTCP {
		return '\n'
	}
	return ','
}

// send delivers a batch once, or says why it may not have arrived.
func (s *sink) send(batch []byte) error {
	conn, reader, err := s.connect()
	if err != nil {
		return err
	}
	if s.isTCP {
		_, err = conn.Write(append(batch[:len(batch):len(batch)], '\n'))
	} else {
		err = s.request(conn, reader, batch)
	}
	if err != nil {
		s.disconnect()
	}
	return err
}

func (s *sink) request(conn net.Conn, reader *bufio.Reader, batch []byte) error {
	body := make([]byte, 0, len(batch)+2)
	body = append(append(append(body, '['), batch...), ']')
	request, err := http.NewRequest(s.method, s.uri, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if err := request.Write(conn); err != nil {
		return err
	}
	response, err := http.ReadResponse(reader, request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswerBytes))
	if _, more := response.Body.Read(make([]byte, 1)); more != io.EOF || response.Close {
		s.disconnect()
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("the subscriber answered %s", response.Status)
	}
	return err
}

// maxAnswerBytes is how much of an answer is read before the connection is given up.
const maxAnswerBytes = 64 << 10

// connect gives the connection, or makes one. The lock is not held meanwhile: a listener may leave it waiting for as long as it likes.
func (s *sink) connect() (net.Conn, *bufio.Reader, error) {
	s.mu.Lock()
	conn, reader := s.conn, s.reader
	s.mu.Unlock()
	if conn != nil {
		return conn, reader, nil
	}
	conn, err := (&net.Dialer{}).DialContext(s.life, "tcp", s.address)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.life.Err(); err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	s.conn, s.reader = conn, bufio.NewReader(conn)
	return s.conn, s.reader, nil
}

func (s *sink) disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn, s.reader = nil, nil
	}
}

// end makes what is being sent fail, and everything after it.
func (s *sink) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.die()
	if s.conn != nil {
		_ = s.conn.Close()
	}
}

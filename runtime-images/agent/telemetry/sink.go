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

	mu   sync.Mutex
	conn *connection
}

// connection is one to a subscriber.
type connection struct {
	net.Conn
	answers *bufio.Reader
	// room is what may still be read of the answer.
	room *io.LimitedReader
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
	conn, err := s.connect()
	if err != nil {
		return err
	}
	if s.isTCP {
		_, err = conn.Write(append(batch[:len(batch):len(batch)], '\n'))
	} else {
		err = s.request(conn, batch)
	}
	if err != nil {
		s.disconnect()
	}
	return err
}

func (s *sink) request(conn *connection, batch []byte) error {
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
	conn.room.N = maxAnswerBytes
	response, err := http.ReadResponse(conn.answers, request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if isCut := conn.room.N <= 0; isCut || response.Close {
		s.disconnect()
		if isCut {
			err = nil // its status has come
		}
	}
	if response.StatusCode < 200 || response.StatusCode >= 300 {
		return fmt.Errorf("the subscriber answered %s", response.Status)
	}
	return err
}

// maxAnswerBytes is how much of an answer is read before the connection is given up, its head included.
const maxAnswerBytes = 64 << 10

// connect gives the connection, or makes one. The lock is not held meanwhile: a listener may leave it waiting for as long as it likes.
func (s *sink) connect() (*connection, error) {
	s.mu.Lock()
	before := s.conn
	s.mu.Unlock()
	if before != nil {
		return before, nil
	}
	conn, err := (&net.Dialer{}).DialContext(s.life, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.life.Err(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	room := &io.LimitedReader{R: conn}
	s.conn = &connection{Conn: conn, answers: bufio.NewReader(room), room: room}
	return s.conn, nil
}

func (s *sink) disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
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

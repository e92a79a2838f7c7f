package link

import (
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"kappa.dev/agent/limits"
)

// Server takes gateway connections for one pod.
type Server struct {
	// PodUID is the identity that a gateway must mean.
	PodUID string
	// Key verifies gateways.
	Key ed25519.PublicKey
	// AgentVersion is told in HELLO.
	AgentVersion string
	// NewestProtocol is the newest one that is spoken; 0 means Protocol.
	NewestProtocol int
	// Random gives nonces.
	Random io.Reader
	// Pod does the work.
	Pod Pod

	epochs      Epochs
	mu          sync.Mutex
	connections map[*connection]struct{}
	closed      bool
}

// Serve accepts connections until the listener is closed.
func (s *Server) Serve(listener net.Listener) error {
	for {
		socket, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of descriptors: what runs must be able to end
			continue
		}
		c := newConnection(s, socket)
		if !s.add(c) {
			_ = socket.Close()
			continue
		}
		go func() {
			defer s.remove(c)
			c.run()
		}()
	}
}

// Close takes no more connections, and ends those that there are: it waits at most limits.WriteTimeout until a gateway has
// taken what was written, and then at most limits.FlushTimeout until it has hung up. idle: gateways are told that what they have no
// answer to did not run, so that they may send it elsewhere.
func (s *Server) Close(idle bool) {
	var waiting sync.WaitGroup
	for _, c := range s.closing() {
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			c.finish(idle)
		}()
	}
	waiting.Wait()
}

func (s *Server) add(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.connections) >= limits.Connections {
		return false
	}
	if s.connections == nil {
		s.connections = map[*connection]struct{}{}
	}
	s.connections[c] = struct{}{}
	return true
}

func (s *Server) remove(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.connections, c)
}

// closing lists the last connections.
func (s *Server) closing() []*connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	list := make([]*connection, 0, len(s.connections))
	for c := range s.connections {
		list = append(list, c)
	}
	return list
}

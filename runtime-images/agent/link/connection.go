package link

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"time"

	"kappa.dev/agent/limits"
)

// connection is one gateway's connection: HELLO, AUTH, WELCOME, then frames until either side ends it.
// Only run reads; writes come from any goroutine through out.
type connection struct {
	server *Server
	socket net.Conn
	reader *bufio.Reader
	out    *writer
	closed chan struct{}

	// gatewayID, protocol and epoch are what AUTH has said; protocol 1 raises the epoch with SPECIALIZE.
	gatewayID string
	protocol  int
	epoch     uint64
	// takesLogs says that LOG may be sent.
	takesLogs bool
	// proven is what the agent knows of the gateway's lives.
	proven *Proven
	// version is the function version that this gateway and the pod have agreed on. An INVOKE is only taken while
	// the pod holds that one, so that an event that follows a refused SPECIALIZE never reaches another function.
	version string
	// refused is what the last SPECIALIZE or ADOPT on this connection was refused with.
	refused *Refusal
	// claim is the last SPECIALIZE that was taken; nil before the first.
	claim   *claiming
	streams streams
}

func newConnection(server *Server, socket net.Conn) *connection {
	return &connection{
		server: server, socket: socket, reader: bufio.NewReaderSize(socket, 4096),
		out: newWriter(socket), closed: make(chan struct{}), streams: streams{open: map[uint32]*inbound{}},
	}
}

func (c *connection) run() {
	defer close(c.closed)
	defer c.socket.Close()
	defer c.streams.abort()
	defer c.server.Pod.Leave(c)
	refusal, err := c.handshake()
	for refusal == nil && err == nil {
		var frame Frame
		if frame, err = ReadFrame(c.reader, MaxFrameBytes); err == nil {
			refusal = c.handle(frame)
		}
	}
	if refusal == nil && errors.Is(err, ErrBadFrame) {
		refusal = Refuse(BadFrame, err.Error())
	}
	if refusal != nil {
		c.out.refuse(0, refusal)
		c.linger()
	}
}

// linger keeps a refused connection until the peer has seen why, so that a reset does not overtake the ERROR frame.
func (c *connection) linger() {
	c.out.closeWrite()
	_ = c.socket.SetReadDeadline(time.Now().Add(limits.FlushTimeout))
	_, _ = io.CopyN(io.Discard, c.socket, MaxFrameBytes)
}

// finish ends the connection from the agent's side once the peer has taken what was written and has hung up. Closing the
// socket makes whatever waits for the peer give up.
func (c *connection) finish(idle bool) {
	giveUp := time.AfterFunc(limits.WriteTimeout, func() { _ = c.socket.Close() })
	defer giveUp.Stop()
	if idle {
		c.out.refuse(0, Refuse(Draining, "the pod has ended"))
	}
	c.out.closeWrite()
	giveUp.Reset(limits.FlushTimeout)
	select {
	case <-c.closed:
	case <-time.After(2 * limits.FlushTimeout): // its reading goroutine is busy with something else
	}
}

func (c *connection) handshake() (*Refusal, error) {
	nonce := make([]byte, NonceBytes)
	if _, err := io.ReadFull(c.server.Random, nonce); err != nil {
		return nil, err
	}
	hello := Hello{
		Protocol: cmp.Or(c.server.NewestProtocol, Protocol), OldestProtocol: OldestProtocol, PodUID: c.server.PodUID,
		Nonce: base64.StdEncoding.EncodeToString(nonce), AgentVersion: c.server.AgentVersion, Features: []string{FeatureLayers, FeatureSeveral},
	}
	c.out.json(FrameHello, FlagEnd, 0, hello)
	_ = c.socket.SetReadDeadline(time.Now().Add(limits.AuthTimeout))
	frame, err := ReadFrame(c.reader, limits.UnauthenticatedFrameBytes)
	if err != nil {
		return nil, err
	}
	if frame.Type != FrameAuth || frame.Stream != 0 {
		return Refuse(NotAuthenticated, "AUTH must be the first frame"), nil
	}
	var auth Auth
	if err := parseJSON(frame.Body, &auth); err != nil {
		return nil, err
	}
	if refusal := checkAuth(auth, hello, c.server.Key); refusal != nil {
		return refusal, nil
	}
	if refusal := c.meet(auth); refusal != nil {
		return refusal, nil
	}
	c.server.Pod.Join(c)
	return nil, c.socket.SetReadDeadline(time.Time{})
}

// handle takes one frame after the handshake. A refusal ends the connection.
func (c *connection) handle(frame Frame) *Refusal {
	switch frame.Type {
	case FramePing:
		c.out.pong()
		return nil
	case FramePong:
		return nil
	case FrameCredit:
		return c.streams.grant(frame)
	case FrameDrain:
		return c.drain(frame)
	case FrameSpecialize:
		return c.specialize(frame)
	case FrameInvoke:
		return c.invoke(frame)
	case FrameData:
		return c.data(frame)
	case FrameCancel:
		c.streams.cancel(frame.Stream)
		return nil
	default:
		return c.handleSince2(frame)
	}
}

// handleSince2 takes the frames that protocol 1 does not know.
func (c *connection) handleSince2(frame Frame) *Refusal {
	switch {
	case frame.Type == FrameAdopt && c.KnowsHolders():
		return c.adopt(frame)
	case frame.Type == FrameFence && c.KnowsHolders():
		return c.fence(frame)
	default:
		if frame.Stream == 0 {
			return Refuse(BadFrame, "unknown frame on stream 0")
		}
		return nil
	}
}

func (c *connection) drain(frame Frame) *Refusal {
	var drain Drain
	if len(frame.Body) > 0 {
		if err := parseJSON(frame.Body, &drain); err != nil {
			return Refuse(BadFrame, err.Error())
		}
	}
	c.server.Pod.Drain(c, drain.Reason)
	return nil
}

// Package testgateway is a small gateway for the agent's own tests: one connection, one call at a time or several.
package testgateway

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"kappa.dev/agent/link"
)

// Gateway is one authenticated connection to an agent. Next gives the frames in the order of their arrival.
type Gateway struct {
	// Record, when set, sees every frame of both sides with its wire form.
	Record func(from string, wire []byte)

	socket net.Conn
	mu     sync.Mutex
	stream uint32
}

// Identity is who a gateway says it is.
type Identity struct {
	PodUID    string
	GatewayID string
	Epoch     uint64
	Key       ed25519.PrivateKey
	// Protocol is the version that the gateway speaks; 0 is the newest.
	Protocol int
}

// timeout bounds every wait of a test.
const timeout = 30 * time.Second

// Dial connects; nothing has been read or written yet.
func Dial(address string) (*Gateway, error) {
	socket, err := net.DialTimeout("tcp", address, timeout)
	if err != nil {
		return nil, err
	}
	return &Gateway{socket: socket}, nil
}

// Close ends the connection.
func (g *Gateway) Close() { _ = g.socket.Close() }

// Handshake reads HELLO, sends AUTH and returns the agent's answer, WELCOME or ERROR.
func (g *Gateway) Handshake(id Identity) (link.Frame, error) {
	frame, err := g.Next()
	if err != nil {
		return frame, err
	}
	var hello link.Hello
	if err := json.Unmarshal(frame.Body, &hello); err != nil {
		return frame, err
	}
	text := link.SignedText(hello.Nonce, id.PodUID, id.GatewayID, id.Epoch)
	auth := link.Auth{
		Protocol: cmp.Or(id.Protocol, link.Protocol), PodUID: id.PodUID, GatewayID: id.GatewayID, Epoch: id.Epoch,
		Signature: base64.StdEncoding.EncodeToString(ed25519.Sign(id.Key, text)),
	}
	wire, err := link.AppendJSON(nil, link.FrameAuth, link.FlagEnd, 0, auth)
	if err != nil {
		return frame, err
	}
	if err := g.Send(wire); err != nil {
		return frame, err
	}
	return g.Next()
}

// Send writes the wire form of one or more frames.
func (g *Gateway) Send(wire []byte) error {
	if g.Record != nil {
		reader := bytes.NewReader(wire)
		for reader.Len() > 0 {
			frame, err := link.ReadFrame(reader, link.MaxFrameBytes)
			if err != nil {
				return err
			}
			g.Record("gateway", link.AppendFrame(nil, frame))
		}
	}
	_ = g.socket.SetWriteDeadline(time.Now().Add(timeout))
	_, err := g.socket.Write(wire)
	return err
}

// Next reads the next frame.
func (g *Gateway) Next() (link.Frame, error) {
	_ = g.socket.SetReadDeadline(time.Now().Add(timeout))
	frame, err := link.ReadFrame(g.socket, link.MaxFrameBytes)
	if err == nil && g.Record != nil {
		g.Record("agent", link.AppendFrame(nil, frame))
	}
	return frame, err
}

// NextStream gives a new stream number.
func (g *Gateway) NextStream() uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stream++
	return g.stream
}

// Specialize sends SPECIALIZE with the zip; digest and size are filled in when they are empty.
func (g *Gateway) Specialize(head link.Specialize, zip []byte) (uint32, error) {
	if head.CodeSha256 == "" {
		sum := sha256.Sum256(zip)
		head.CodeSha256 = hex.EncodeToString(sum[:])
	}
	if head.CodeBytes == 0 {
		head.CodeBytes = int64(len(zip))
	}
	return g.payload(link.FrameSpecialize, head, zip)
}

// SpecializeWithLayers is Specialize with zips of layers behind the code's.
func (g *Gateway) SpecializeWithLayers(head link.Specialize, zip []byte, layers ...[]byte) (uint32, error) {
	payload := bytes.Clone(zip)
	for _, layer := range layers {
		sum := sha256.Sum256(layer)
		head.Layers = append(head.Layers, link.Layer{Sha256: hex.EncodeToString(sum[:]), Bytes: int64(len(layer))})
		payload = append(payload, layer...)
	}
	sum := sha256.Sum256(zip)
	head.CodeSha256, head.CodeBytes = hex.EncodeToString(sum[:]), int64(len(zip))
	return g.payload(link.FrameSpecialize, head, payload)
}

// Invoke sends INVOKE with the event.
func (g *Gateway) Invoke(head link.Invoke, event []byte) (uint32, error) {
	return g.payload(link.FrameInvoke, head, event)
}

// Adopt sends ADOPT.
func (g *Gateway) Adopt(head link.Adopt) (uint32, error) { return g.small(link.FrameAdopt, head) }

// Fence sends FENCE.
func (g *Gateway) Fence(head link.Fence) (uint32, error) { return g.small(link.FrameFence, head) }

func (g *Gateway) small(frameType byte, body any) (uint32, error) {
	stream := g.NextStream()
	wire, err := link.AppendJSON(nil, frameType, link.FlagEnd, stream, body)
	if err != nil {
		return 0, err
	}
	return stream, g.Send(wire)
}

// Credit sends CREDIT.
func (g *Gateway) Credit(stream uint32, size int64) error {
	wire, err := link.AppendJSON(nil, link.FrameCredit, link.FlagEnd, stream, link.Credit{Bytes: size})
	if err != nil {
		return err
	}
	return g.Send(wire)
}

// Drain sends DRAIN.
func (g *Gateway) Drain(reason string) error {
	wire, err := link.AppendJSON(nil, link.FrameDrain, link.FlagEnd, 0, link.Drain{Reason: reason})
	if err != nil {
		return err
	}
	return g.Send(wire)
}

func (g *Gateway) payload(frameType byte, head any, payload []byte) (uint32, error) {
	stream := g.NextStream()
	wire, err := link.AppendPayload(nil, frameType, stream, head, payload)
	if err != nil {
		return 0, err
	}
	return stream, g.Send(wire)
}

// Result is everything that one INVOKE was answered with.
type Result struct {
	Response link.Response
	Payload  []byte
	Report   link.Report
	// Answered is when RESPONSE was read.
	Answered time.Time
	// Refusal is set when the invocation was refused; then nothing else is.
	Refusal *link.Refusal
}

// Await reads until the invocation on stream has ended. SPECIALIZED frames are skipped.
func (g *Gateway) Await(stream uint32) (Result, error) {
	results, err := g.AwaitAll([]uint32{stream})
	return results[0], err
}

// AwaitAll reads until the invocations on all the streams have ended.
func (g *Gateway) AwaitAll(streams []uint32) ([]Result, error) {
	results := make([]Result, len(streams))
	for open := len(streams); open > 0; {
		frame, err := g.Next()
		if err != nil {
			return results, fmt.Errorf("streams %d: %w", streams, err)
		}
		at := slices.Index(streams, frame.Stream)
		if at < 0 {
			continue
		}
		ended, err := results[at].take(frame)
		if err != nil {
			return results, err
		}
		if ended {
			open--
		}
	}
	return results, nil
}

// take adds what a frame says, and tells whether it was the last one.
func (r *Result) take(frame link.Frame) (ended bool, err error) {
	switch frame.Type {
	case link.FrameResponse:
		r.Answered = time.Now()
		rest, err := link.SplitHead(frame.Body, &r.Response)
		r.Payload = append(r.Payload, rest...)
		return false, err
	case link.FrameData:
		r.Payload = append(r.Payload, frame.Body...)
		return false, nil
	case link.FrameReport:
		return true, json.Unmarshal(frame.Body, &r.Report)
	case link.FrameError:
		r.Refusal = &link.Refusal{}
		return true, json.Unmarshal(frame.Body, r.Refusal)
	default:
		return false, nil
	}
}

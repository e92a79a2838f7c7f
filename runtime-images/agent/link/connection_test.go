package link

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net"
	"testing"
	"time"
)

type idlePod struct{ drained chan string }

func (idlePod) Welcome() Welcome                         { return Welcome{State: "Warm", Busy: []string{}, PerInstance: 1} }
func (idlePod) BeginClaim(Specialize) (Intake, *Refusal) { return nil, Refuse(Draining, "test") }
func (idlePod) Admit(string, Invoke) (Slot, *Refusal)    { return nil, Refuse(NotClaimed, "test") }
func (p idlePod) Drain(reason string)                    { p.drained <- reason }

// testServer is a server without a pod's insides, and the key of its gateways.
type testServer struct {
	*Server
	private ed25519.PrivateKey
	pod     idlePod
}

func serve(t *testing.T) (testServer, string) {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	public, _ := private.Public().(ed25519.PublicKey)
	pod := idlePod{make(chan string, 1)}
	server := &Server{PodUID: "pod", Key: public, Random: bytes.NewReader(make([]byte, NonceBytes)), Pod: pod}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() { _ = server.Serve(listener) }()
	return testServer{server, private, pod}, listener.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	socket, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	_ = socket.SetDeadline(time.Now().Add(10 * time.Second))
	return socket
}

// open gives the gateway's end of a connection to such a server.
func open(t *testing.T) (net.Conn, ed25519.PrivateKey, idlePod) {
	t.Helper()
	server, address := serve(t)
	return dial(t, address), server.private, server.pod
}

func read(t *testing.T, socket net.Conn) Frame {
	t.Helper()
	frame, err := ReadFrame(socket, MaxFrameBytes)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

func auth(t *testing.T, socket net.Conn, private ed25519.PrivateKey, change func(*Auth)) Frame {
	t.Helper()
	var hello Hello
	if err := json.Unmarshal(read(t, socket).Body, &hello); err != nil {
		t.Fatal(err)
	}
	a := Auth{Protocol: 1, PodUID: "pod", GatewayID: "g", Epoch: 1}
	a.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(private, SignedText(hello.Nonce, "pod", "g", 1)))
	if change != nil {
		change(&a)
	}
	wire, err := AppendJSON(nil, FrameAuth, FlagEnd, 0, a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := socket.Write(wire); err != nil {
		t.Fatal(err)
	}
	return read(t, socket)
}

func TestOnlyTheRightGatewayIsWelcome(t *testing.T) {
	rows := []struct {
		reason string
		change func(*Auth)
		want   ErrorCode
	}{
		{"another pod", func(a *Auth) { a.PodUID = "other" }, WrongPod},
		{"another epoch than signed", func(a *Auth) { a.Epoch = 2 }, BadSignature},
		{"another gateway than signed", func(a *Auth) { a.GatewayID = "h" }, BadSignature},
		{"no signature", func(a *Auth) { a.Signature = "" }, BadSignature},
		{"not base64", func(a *Auth) { a.Signature = "%" }, BadSignature},
		{"a newer protocol only", func(a *Auth) { a.Protocol = Protocol + 1 }, UnsupportedProtocol},
		{"an older protocol", func(a *Auth) { a.Protocol = OldestProtocol - 1 }, UnsupportedProtocol},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			socket, private, _ := open(t)
			expectError(t, auth(t, socket, private, row.change), row.want)
		})
	}
	socket, private, _ := open(t)
	if frame := auth(t, socket, private, nil); frame.Type != FrameWelcome {
		t.Fatalf("%+v", frame)
	}
}

func expectError(t *testing.T, frame Frame, want ErrorCode) {
	t.Helper()
	var refusal Refusal
	if err := json.Unmarshal(frame.Body, &refusal); err != nil || frame.Type != FrameError || refusal.Code != want {
		t.Fatalf("%+v %s, want %s", frame, frame.Body, want)
	}
}

func TestWorkBeforeAuthIsRefused(t *testing.T) {
	socket, _, _ := open(t)
	read(t, socket)
	if _, err := socket.Write(AppendFrame(nil, Frame{Type: FrameInvoke, Stream: 1, Body: []byte("\x00\x00\x00\x02{}")})); err != nil {
		t.Fatal(err)
	}
	expectError(t, read(t, socket), NotAuthenticated)
}

func TestFramesAfterTheHandshake(t *testing.T) {
	data := func(frameType byte, stream uint32, body string) []byte {
		return AppendFrame(nil, Frame{Type: frameType, Flags: FlagEnd, Stream: stream, Body: []byte(body)})
	}
	rows := []struct {
		reason string
		wire   []byte
		stream uint32
		want   ErrorCode
	}{
		{"an unknown frame on stream 0 ends the connection", data(0x7f, 0, ""), 0, BadFrame},
		{"an unknown frame on another stream is skipped", append(data(0x7f, 5, ""), data(FrameInvoke, 6, "\x00\x00\x00\x02{}")...), 6, NotClaimed},
		{"data for no stream is skipped", append(data(FrameData, 5, "x"), data(FrameInvoke, 6, "\x00\x00\x00\x02{}")...), 6, NotClaimed},
		{"a malformed head ends the connection", data(FrameInvoke, 1, "\x00\x00\x00\x02{"), 0, BadFrame},
		{"stream 0 cannot invoke", data(FrameInvoke, 0, "\x00\x00\x00\x02{}"), 0, BadFrame},
		{"a refused claim", data(FrameSpecialize, 1, "\x00\x00\x00\x02{}"), 1, Draining},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			socket, private, _ := open(t)
			auth(t, socket, private, nil)
			if _, err := socket.Write(row.wire); err != nil {
				t.Fatal(err)
			}
			frame := read(t, socket)
			expectError(t, frame, row.want)
			if frame.Stream != row.stream {
				t.Fatalf("on stream %d", frame.Stream)
			}
		})
	}
}

func TestDrainReachesThePod(t *testing.T) {
	socket, private, pod := open(t)
	auth(t, socket, private, nil)
	wire, _ := AppendJSON(nil, FrameDrain, FlagEnd, 0, Drain{Reason: "idle"})
	if _, err := socket.Write(wire); err != nil {
		t.Fatal(err)
	}
	if reason := <-pod.drained; reason != "idle" {
		t.Fatal(reason)
	}
}

func TestEpochsOnlyRise(t *testing.T) {
	var epochs Epochs
	epochs.See(5)
	epochs.See(3)
	for epoch, refused := range map[uint64]bool{4: true, 5: false, 6: false} {
		if got := epochs.Check(epoch) != nil; got != refused {
			t.Errorf("epoch %d: refused %v", epoch, got)
		}
	}
}

package link

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net"
	"strconv"
	"testing"
	"time"

	"kappa.dev/agent/limits"
)

type idlePod struct{ drained chan string }

func (idlePod) Join(peer Peer) {
	peer.Welcome(Welcome{State: "Warm", Busy: []string{}, PerInstance: 1})
}
func (idlePod) Leave(Peer)                                     {}
func (idlePod) BeginClaim(Peer, Specialize) (Intake, *Refusal) { return nil, Refuse(Draining, "test") }
func (idlePod) Adopt(_ Peer, head Adopt, answer func(Adopted)) *Refusal {
	if head.VersionUID == "" {
		return Refuse(NotClaimed, "test")
	}
	answer(Adopted{Busy: []string{"id"}})
	return nil
}
func (idlePod) Fence(_ Fence, answer func(State)) *Refusal {
	answer(State{Busy: []string{}})
	return nil
}
func (idlePod) Admit(Peer, string, Invoke) (Slot, *Refusal) { return nil, Refuse(NotClaimed, "test") }
func (p idlePod) Drain(_ Peer, reason string)               { p.drained <- reason }

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
	a := Auth{Protocol: Protocol, PodUID: "pod", GatewayID: "g", Epoch: 1}
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

// protocol1 makes the AUTH of an old gateway: the protocol is not signed.
func protocol1(a *Auth) { a.Protocol = 1 }

func TestFramesOfProtocol2(t *testing.T) {
	frame := func(frameType byte, stream uint32, body string) []byte {
		return AppendFrame(nil, Frame{Type: frameType, Flags: FlagEnd, Stream: stream, Body: []byte(body)})
	}
	rows := []struct {
		reason string
		wire   []byte
		want   byte
		code   ErrorCode
	}{
		{"ADOPT", frame(FrameAdopt, 3, `{"versionUid":"v","epoch":1}`), FrameAdopted, ""},
		{"ADOPT of nothing", frame(FrameAdopt, 3, `{}`), FrameError, NotClaimed},
		{"FENCE", frame(FrameFence, 3, `{"function":"a/b","epoch":1}`), FrameFenced, ""},
		{"a malformed ADOPT ends the connection", frame(FrameAdopt, 3, `{"epoch":-1}`), FrameError, BadFrame},
		{"a malformed FENCE ends the connection", frame(FrameFence, 3, `[]`), FrameError, BadFrame},
		{"ADOPT on stream 0 ends the connection", frame(FrameAdopt, 0, `{}`), FrameError, BadFrame},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			socket, private, _ := open(t)
			auth(t, socket, private, nil)
			_, _ = socket.Write(row.wire)
			answer := read(t, socket)
			if answer.Type != row.want {
				t.Fatalf("%+v", answer)
			}
			if row.code != "" {
				expectError(t, answer, row.code)
			}
		})
	}
	t.Run("protocol 1 skips them", func(t *testing.T) {
		socket, private, _ := open(t)
		auth(t, socket, private, protocol1)
		for _, row := range rows[:3] {
			_, _ = socket.Write(row.wire)
		}
		_, _ = socket.Write(frame(FrameInvoke, 9, "\x00\x00\x00\x02{}"))
		if answer := read(t, socket); answer.Stream != 9 {
			t.Fatalf("%+v", answer)
		}
	})
}

func TestWelcomeSpeaksTheGatewaysProtocol(t *testing.T) {
	for protocol, want := range map[int]bool{1: false, 2: true} {
		socket, private, _ := open(t)
		var body map[string]any
		frame := auth(t, socket, private, func(a *Auth) { a.Protocol = protocol })
		if err := json.Unmarshal(frame.Body, &body); err != nil {
			t.Fatal(err)
		}
		if _, got := body["holder"]; got != want || body["state"] != "Warm" {
			t.Errorf("protocol %d: %v", protocol, body)
		}
	}
}

func TestAnAgentThatIsAVersionBehind(t *testing.T) {
	for protocol, want := range map[int]byte{1: FrameWelcome, 2: FrameError} {
		server, address := serve(t)
		server.NewestProtocol = 1
		frame := auth(t, dial(t, address), server.private, func(a *Auth) { a.Protocol = protocol })
		if frame.Type != want {
			t.Errorf("protocol %d: %+v", protocol, frame)
		}
	}
}

func TestEpochsRiseWithinOneGateway(t *testing.T) {
	var epochs Epochs
	first := epochs.Meet("g", 5)
	epochs.Meet("g", 3)
	epochs.Meet("other", 9)
	for epoch, refused := range map[uint64]bool{4: true, 5: false, 6: false} {
		if got := first.Check(epoch) != nil; got != refused {
			t.Errorf("epoch %d: refused %v", epoch, got)
		}
	}
	first.See(7)
	if refusal := epochs.Meet("g", 6).Check(6); refusal == nil || refusal.Epoch != 7 {
		t.Errorf("%v", refusal)
	}
}

func TestTheGatewayThatIsAwayForLongestIsForgotten(t *testing.T) {
	var epochs Epochs
	for n := range limits.Gateways {
		epochs.Meet(strconv.Itoa(n), 5)
	}
	epochs.Meet("0", 5)
	epochs.Meet("new", 5)
	if epochs.Meet("0", 1).Check(1) == nil {
		t.Error("the one that was just here is forgotten")
	}
	if epochs.Meet("1", 1).Check(1) != nil || len(epochs.known) != limits.Gateways {
		t.Error("the oldest is remembered")
	}
}

package replay

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"

	"kappa.dev/agent/link"
	"kappa.dev/agent/testgateway"
)

// scenario is one recorded exchange: what the gateway does, and on which pod.
type scenario struct {
	name string
	// before prepares the pod; it is not recorded.
	before func(t *testing.T, address string)
	run    func(t *testing.T, gateway *testgateway.Gateway)
	// ends says that the agent ends the connection.
	ends bool
}

var scenarios = []scenario{
	{name: "handshake-ok", run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		send(t, g, link.AppendFrame(nil, link.Frame{Type: link.FramePing, Flags: link.FlagEnd}))
		expect(t, g, link.FramePong)
	}},
	{name: "wrong-pod", ends: true, run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, func(id *testgateway.Identity) { id.PodUID = "5b1f7c1e-0000-4000-8000-00000000beef" }, link.FrameError)
	}},
	{name: "bad-signature", ends: true, run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, func(id *testgateway.Identity) {
			id.Key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))
		}, link.FrameError)
	}},
	{name: "stale-epoch", before: seeHigherEpoch, run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		specialize(t, g, "index.echo")
		expect(t, g, link.FrameError)
		invokeOnce(t, g, 1, `{"n":1}`)
		expect(t, g, link.FrameError)
	}},
	{name: "specialize-invoke", run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		specialize(t, g, "index.print")
		invokeOnce(t, g, 1, `{"n":1}`)
		expect(t, g, link.FrameSpecialized, link.FrameResponse, link.FrameReport)
		specialize(t, g, "index.print")
		expect(t, g, link.FrameSpecialized)
	}},
	{name: "error-response", run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		specialize(t, g, "index.throw")
		invokeOnce(t, g, 1, `{}`)
		expect(t, g, link.FrameSpecialized, link.FrameResponse, link.FrameReport)
	}},
	{name: "chunked-payload", run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		specialize(t, g, "index.echo")
		invokeOnce(t, g, 1, `"`+strings.Repeat("kappa ", 100_000)+`"`)
		expect(t, g, link.FrameSpecialized, link.FrameResponse, link.FrameData, link.FrameData, link.FrameReport)
	}},
	{name: "busy", run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		specialize(t, g, "index.sleep")
		expect(t, g, link.FrameSpecialized)
		invokeOnce(t, g, 1, `{"n":1}`)
		invokeOnce(t, g, 2, `{"n":2}`)
		expect(t, g, link.FrameError, link.FrameResponse, link.FrameReport)
	}},
	{name: "drain", ends: true, run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		specialize(t, g, "index.sleep")
		expect(t, g, link.FrameSpecialized)
		invokeOnce(t, g, 1, `{"n":1}`)
		if err := g.Drain("idle"); err != nil {
			t.Fatal(err)
		}
		invokeOnce(t, g, 2, `{"n":2}`)
		expect(t, g, link.FrameError, link.FrameResponse, link.FrameReport)
	}},
}

func shake(t *testing.T, g *testgateway.Gateway, change func(*testgateway.Identity), want byte) {
	t.Helper()
	k, private := readKeys(t)
	id := testgateway.Identity{PodUID: k.PodUID, GatewayID: k.GatewayID, Epoch: k.Epoch, Key: private}
	if change != nil {
		change(&id)
	}
	frame, err := g.Handshake(id)
	if err != nil || frame.Type != want {
		t.Fatalf("handshake: %s %v %s", link.FrameNames[frame.Type], err, frame.Body)
	}
}

func seeHigherEpoch(t *testing.T, address string) {
	t.Helper()
	g := dial(t, address)
	shake(t, g, func(id *testgateway.Identity) { id.GatewayID, id.Epoch = "gateway-1", id.Epoch+1 }, link.FrameWelcome)
}

func specialize(t *testing.T, g *testgateway.Gateway, handler string) {
	t.Helper()
	k, _ := readKeys(t)
	_, err := g.Specialize(link.Specialize{
		VersionUID: "7e57c0de-0000-4000-8000-000000000001", FunctionName: "hello", FunctionNamespace: "default", Version: "$LATEST",
		Handler: handler, Runtime: "nodejs24.x", MemoryMiB: 128, TimeoutMs: 3000, InitTimeoutMs: 10000, PerInstance: 1,
		Environment: map[string]string{"GREETING": "hello"}, AccountID: "000000000000", Region: "us-east-1", LogFormat: "Text",
		MaxUnpackedBytes: 262144000, Epoch: &k.Epoch,
	}, zipOf(t, "index.mjs", "export const handler = async (event) => event;\n"))
	if err != nil {
		t.Fatal(err)
	}
}

func invokeOnce(t *testing.T, g *testgateway.Gateway, number int, event string) {
	t.Helper()
	_, err := g.Invoke(link.Invoke{
		RequestID:          fmt.Sprintf("8f5e7c1e-0000-4000-8000-%012d", number),
		InvokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:hello",
		TraceID:            "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0", Tail: true,
	}, []byte(event))
	if err != nil {
		t.Fatal(err)
	}
}

func send(t *testing.T, g *testgateway.Gateway, wire []byte) {
	t.Helper()
	if err := g.Send(wire); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, g *testgateway.Gateway, types ...byte) {
	t.Helper()
	for _, want := range types {
		frame, err := g.Next()
		if err != nil || frame.Type != want {
			t.Fatalf("%s instead of %s: %v %s", link.FrameNames[frame.Type], link.FrameNames[want], err, frame.Body)
		}
	}
}

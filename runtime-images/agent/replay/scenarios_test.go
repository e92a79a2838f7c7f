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

// scenario is one recorded exchange: what the gateway does, and on which pod. One of protocol 1 does not run, it is only replayed.
type scenario struct {
	name string
	// before prepares the pod; it is not recorded.
	before func(t *testing.T, address string)
	run    func(t *testing.T, gateway *testgateway.Gateway)
	// meanwhile is what others do after run, which is the handshake then; it is not recorded. after goes on.
	meanwhile func(t *testing.T, address string)
	after     func(t *testing.T, gateway *testgateway.Gateway)
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
	{name: "stale-epoch", before: holdElsewhere, run: func(t *testing.T, g *testgateway.Gateway) {
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
	{name: "layers", run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		_, err := g.SpecializeWithLayers(specializeHead(t, "layer.shared/greeting", 0), zipOf(t, "index.mjs", "// code\n"),
			zipOf(t, "shared/greeting", "the first one"), zipOf(t, "shared/greeting", `"of the second layer"`))
		if err != nil {
			t.Fatal(err)
		}
		invokeOnce(t, g, 1, "{}")
		expect(t, g, link.FrameSpecialized, link.FrameResponse, link.FrameReport)
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
	{name: "lower-epoch", ends: true, before: func(t *testing.T, address string) {
		shake(t, dial(t, address), later(1), link.FrameWelcome)
	}, run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameError)
	}},
	{name: "adopt", before: runElsewhere, run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		invokeOnce(t, g, 1, `{"n":1}`)
		expect(t, g, link.FrameError)
		adopt(t, g, 1)
		expect(t, g, link.FrameError)
		adopt(t, g, 2)
		expect(t, g, link.FrameAdopted, link.FrameState)
		invokeOnce(t, g, 2, `0`)
		expect(t, g, link.FrameResponse, link.FrameReport)
	}},
	{name: "fence", run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		fence(t, g, 2)
		expect(t, g, link.FrameFenced)
		fence(t, g, 1)
		expect(t, g, link.FrameError)
		specialize(t, g, "index.echo")
		expect(t, g, link.FrameError)
		specializeAt(t, g, "index.echo", 2)
		expect(t, g, link.FrameSpecialized)
		fence(t, g, 3)
		expect(t, g, link.FrameFenced)
		invokeOnce(t, g, 1, `{"n":1}`)
		expect(t, g, link.FrameResponse, link.FrameReport)
	}},
	{name: "state", run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
	}, meanwhile: holdElsewhere, after: func(t *testing.T, g *testgateway.Gateway) {
		expect(t, g, link.FrameState)
		adopt(t, g, 2)
		expect(t, g, link.FrameAdopted)
	}},
	{name: "drain-not-holder", before: holdElsewhere, run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		if err := g.Drain("idle"); err != nil {
			t.Fatal(err)
		}
		adopt(t, g, 2)
		expect(t, g, link.FrameAdopted)
		invokeOnce(t, g, 1, `{"n":1}`)
		expect(t, g, link.FrameResponse, link.FrameReport)
	}},
	{name: "streamed", run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		specialize(t, g, "index.stream")
		expect(t, g, link.FrameSpecialized)
		stream := invokeStream(t, g, 1, 8, `["type text/plain", "write twenty bytes of text"]`)
		expect(t, g, link.FrameResponse, link.FrameData)
		credit(t, g, stream, 4)
		expect(t, g, link.FrameData)
		credit(t, g, stream, 100)
		expect(t, g, link.FrameData, link.FrameData, link.FrameReport)
	}},
	{name: "streamed-aborted", run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		specialize(t, g, "index.stream")
		expect(t, g, link.FrameSpecialized)
		stream := invokeStream(t, g, 1, 3, `["write text", "fail Function.Broken"]`)
		expect(t, g, link.FrameResponse, link.FrameData)
		credit(t, g, stream, 8)
		expect(t, g, link.FrameData, link.FrameAborted, link.FrameReport)
	}},
	{name: "streamed-cancelled", run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		specialize(t, g, "index.stream")
		expect(t, g, link.FrameSpecialized)
		stream := invokeStream(t, g, 1, 3, `["write text"]`)
		expect(t, g, link.FrameResponse, link.FrameData)
		send(t, g, link.AppendFrame(nil, link.Frame{Type: link.FrameCancel, Flags: link.FlagEnd, Stream: stream}))
		expect(t, g, link.FrameReport)
	}},
	{name: "streamed-whole", run: func(t *testing.T, g *testgateway.Gateway) {
		shake(t, g, nil, link.FrameWelcome)
		specialize(t, g, "index.echo")
		expect(t, g, link.FrameSpecialized)
		invokeStream(t, g, 1, 3, `{"n":1}`)
		expect(t, g, link.FrameResponse, link.FrameReport)
	}},
	{name: protocol1 + "handshake-ok"},
	{name: protocol1 + "stale-epoch", before: func(t *testing.T, address string) {
		shake(t, dial(t, address), func(id *testgateway.Identity) { elsewhere(id); id.Protocol = 1 }, link.FrameWelcome)
	}},
	{name: protocol1 + "specialize-invoke"},
	{name: protocol1 + "error-response"},
	{name: protocol1 + "chunked-payload"},
	{name: protocol1 + "busy"},
	{name: protocol1 + "drain", ends: true},
}

// later raises the epoch of the gateway.
func later(by uint64) func(*testgateway.Identity) {
	return func(id *testgateway.Identity) { id.Epoch += by }
}

// elsewhere makes the gateway another one, with a higher epoch.
func elsewhere(id *testgateway.Identity) { id.GatewayID, id.Epoch = "gateway-1", id.Epoch+1 }

// holdElsewhere lets another gateway claim the pod.
func holdElsewhere(t *testing.T, address string) {
	t.Helper()
	claimElsewhere(t, address, "index.echo")
}

func claimElsewhere(t *testing.T, address, handler string) *testgateway.Gateway {
	t.Helper()
	g := dial(t, address)
	shake(t, g, elsewhere, link.FrameWelcome)
	specializeAt(t, g, handler, 1)
	invokeOnce(t, g, 8, "0")
	expect(t, g, link.FrameSpecialized, link.FrameResponse, link.FrameReport) // init is over
	return g
}

// runElsewhere lets another gateway claim the pod and start an invocation that takes a second.
func runElsewhere(t *testing.T, address string) {
	t.Helper()
	g := claimElsewhere(t, address, "index.wait")
	invokeOnce(t, g, 9, "1000")
	send(t, g, link.AppendFrame(nil, link.Frame{Type: link.FramePing, Flags: link.FlagEnd}))
	expect(t, g, link.FramePong) // it has been read: it runs
}

func adopt(t *testing.T, g *testgateway.Gateway, by uint64) {
	t.Helper()
	k, _ := readKeys(t)
	if _, err := g.Adopt(link.Adopt{VersionUID: versionUID, Epoch: k.Epoch + by}); err != nil {
		t.Fatal(err)
	}
}

func fence(t *testing.T, g *testgateway.Gateway, by uint64) {
	t.Helper()
	k, _ := readKeys(t)
	if _, err := g.Fence(link.Fence{Function: "default/hello", Epoch: k.Epoch + by}); err != nil {
		t.Fatal(err)
	}
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

const versionUID = "7e57c0de-0000-4000-8000-000000000001"

func specialize(t *testing.T, g *testgateway.Gateway, handler string) {
	t.Helper()
	specializeAt(t, g, handler, 0)
}

func specializeAt(t *testing.T, g *testgateway.Gateway, handler string, by uint64) {
	t.Helper()
	_, err := g.Specialize(specializeHead(t, handler, by), zipOf(t, "index.mjs", "export const handler = async (event) => event;\n"))
	if err != nil {
		t.Fatal(err)
	}
}

func specializeHead(t *testing.T, handler string, by uint64) link.Specialize {
	t.Helper()
	k, _ := readKeys(t)
	epoch := k.Epoch + by
	return link.Specialize{
		VersionUID: versionUID, FunctionName: "hello", FunctionNamespace: "default", Version: "$LATEST",
		Handler: handler, Runtime: "nodejs24.x", MemoryMiB: 128, TimeoutMs: 3000, InitTimeoutMs: 10000, PerInstance: 1,
		Environment: map[string]string{"GREETING": "hello"}, AccountID: "000000000000", Region: "us-east-1", LogFormat: "Text",
		MaxUnpackedBytes: 262144000, Epoch: &epoch,
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

// invokeStream invokes with leave to stream.
func invokeStream(t *testing.T, g *testgateway.Gateway, number int, window int64, event string) uint32 {
	t.Helper()
	stream, err := g.Invoke(link.Invoke{
		RequestID:          fmt.Sprintf("8f5e7c1e-0000-4000-8000-%012d", number),
		InvokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:hello",
		Stream:             &link.Streaming{WindowBytes: window, MaxBytes: 1000},
	}, []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func credit(t *testing.T, g *testgateway.Gateway, stream uint32, size int64) {
	t.Helper()
	if err := g.Credit(stream, size); err != nil {
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

package replay

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"kappa.dev/agent/environment"
	"kappa.dev/agent/invoke"
	"kappa.dev/agent/link"
	"kappa.dev/agent/logs"
	"kappa.dev/agent/runtimeapi"
	"kappa.dev/agent/supervise"
	"kappa.dev/agent/testgateway"
	"kappa.dev/agent/testruntime"
)

var update = flag.Bool("update", false, "record the exchanges again")

const testdata = "../../testdata"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "test-runtime" {
		testruntime.Main()
		return
	}
	os.Exit(m.Run())
}

// keys is what both sides know; see testdata/README.md.
type keys struct {
	PodUID     string `json:"podUid"`
	GatewayID  string `json:"gatewayId"`
	Epoch      uint64 `json:"epoch"`
	PublicKey  string `json:"publicKey"`
	PrivateKey string `json:"privateKey"`
}

func readKeys(t *testing.T) (keys, ed25519.PrivateKey) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testdata, "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	var k keys
	if err := json.Unmarshal(text, &k); err != nil {
		t.Fatal(err)
	}
	der, err := base64.StdEncoding.DecodeString(k.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	private, _ := parsed.(ed25519.PrivateKey)
	return k, private
}

// fixedNonce makes AUTH replayable.
type fixedNonce struct{}

func (fixedNonce) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 7
	}
	return len(p), nil
}

// supervisor is the only one of this process: it reaps every child.
var supervisor = sync.OnceValues(supervise.New)

// startPod starts a whole agent inside the test process and gives the address of its link.
func startPod(t *testing.T) string {
	t.Helper()
	k, _ := readKeys(t)
	key, err := link.ParsePublicKey(k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	reaper, err := supervisor()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	exited := make(chan struct{})
	linkListener, apiListener := listen(t), listen(t)
	api := runtimeapi.NewServer()
	server := &link.Server{PodUID: k.PodUID, Key: key, AgentVersion: "test", Random: fixedNonce{}}
	engine := invoke.New(invoke.Settings{
		Pod: environment.Pod{
			Runtime: "nodejs24.x", Region: "us-east-1", RuntimeAPI: apiListener.Addr().String(), Interpreter: os.Args[0], Local: true,
			TaskDir: filepath.Join(dir, "task"), OptDir: filepath.Join(dir, "opt"), TmpDir: filepath.Join(dir, "tmp"),
		},
		Command: []string{os.Args[0], "test-runtime"}, Supervisor: reaper, API: api,
		Log: logs.NewStream(logs.NewSink(io.Discard), time.Now), Now: time.Now,
		After: func(d time.Duration, f func()) { time.AfterFunc(d, f) },
		Exit: func(_ int, idle bool) {
			defer close(exited)
			server.Close(idle)
		},
		Warn:  func(string) {},
		Abort: func() { panic("the pod's end takes too long") },
	})
	server.Pod = engine
	go func() { _ = api.Serve(apiListener) }()
	go func() { _ = server.Serve(linkListener) }()
	if err := engine.Boot(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the next pod of this process must not meet the end of this one
		engine.DrainNow()
		<-exited
	})
	return linkListener.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// volatile are the keys that differ from run to run.
var volatile = map[string][]string{
	"HELLO":  {"agentVersion"},
	"REPORT": {"durationMs", "billedDurationMs", "initDurationMs", "maxMemoryMiB", "logTail"},
}

// protocol1 begins the names of what an agent of protocol 1 has said. They are not recorded again: no such agent is left.
const protocol1 = "protocol-1-"

// comparable removes from a record what may differ.
func comparable(t *testing.T, r Record) map[string]any {
	t.Helper()
	var body any
	if r.Decoded.JSON != nil {
		if err := json.Unmarshal(r.Decoded.JSON, &body); err != nil {
			t.Fatal(err)
		}
	}
	if object, ok := body.(map[string]any); ok {
		for _, key := range volatile[r.Decoded.Type] {
			if _, there := object[key]; there {
				object[key] = "varies"
			}
		}
	}
	return map[string]any{
		"from": r.From, "type": r.Decoded.Type, "flags": r.Decoded.Flags, "stream": r.Decoded.Stream, "json": body,
		"bytes": r.Decoded.BytesSha256,
	}
}

func TestTheAgentAnswersAsRecorded(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			path := filepath.Join(testdata, s.name+".json")
			if *update && !strings.HasPrefix(s.name, protocol1) {
				record(t, s, path)
			}
			replay(t, s, path)
		})
	}
}

// expectProtocols takes the protocols out of two HELLOs: an old gateway finds its own one among the agent's, and skips features.
func expectProtocols(t *testing.T, got, want map[string]any) {
	t.Helper()
	newer, _ := got["json"].(map[string]any)
	older, _ := want["json"].(map[string]any)
	if got["type"] != "HELLO" || newer == nil || older == nil {
		return
	}
	chosen, _ := older["protocol"].(float64)
	from, _ := newer["oldestProtocol"].(float64)
	to, _ := newer["protocol"].(float64)
	if chosen < from || chosen > to {
		t.Fatalf("protocol %v is not in %v to %v", chosen, from, to)
	}
	for _, key := range []string{"protocol", "oldestProtocol"} {
		delete(newer, key)
		delete(older, key)
	}
	if _, known := older["features"]; !known { // recorded before there were any
		delete(newer, "features")
	}
}

// record runs the scenario and writes what went over the wire.
func record(t *testing.T, s scenario, path string) {
	t.Helper()
	address := startPod(t)
	if s.before != nil {
		s.before(t, address)
	}
	gateway := dial(t, address)
	var records []Record
	gateway.Record = func(from string, wire []byte) {
		r, err := Make(from, wire)
		if err != nil {
			t.Error(err)
		}
		records = append(records, r)
	}
	s.run(t, gateway)
	if s.meanwhile != nil {
		s.meanwhile(t, address)
		s.after(t, gateway)
	}
	if err := Write(path, records); err != nil {
		t.Fatal(err)
	}
}

// replay sends what the gateway has sent, and compares what the agent answers, frame by frame.
func replay(t *testing.T, s scenario, path string) {
	t.Helper()
	records, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	address := startPod(t)
	if s.before != nil {
		s.before(t, address)
	}
	gateway := dial(t, address)
	for i, want := range records {
		wire, err := want.Wire()
		if err != nil {
			t.Fatal(err)
		}
		if want.From == "gateway" {
			if err := gateway.Send(wire); err != nil {
				t.Fatalf("frame %d: %v", i, err)
			}
			continue
		}
		frame, err := gateway.Next()
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		got, err := Make("agent", link.AppendFrame(nil, frame))
		if err != nil {
			t.Fatal(err)
		}
		seen, recorded := comparable(t, got), comparable(t, want)
		expectProtocols(t, seen, recorded)
		if !reflect.DeepEqual(seen, recorded) {
			t.Fatalf("frame %d:\n got %+v\nwant %+v", i, seen, recorded)
		}
		if frame.Type == link.FrameWelcome && s.meanwhile != nil {
			s.meanwhile(t, address)
		}
	}
	if s.ends {
		if frame, err := gateway.Next(); err != io.EOF {
			t.Fatalf("the connection goes on: %v %v", frame, err)
		}
	}
}

func TestRecordedFramesDecodeAndEncode(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(testdata, "*.json"))
	if err != nil || len(paths) < 10 {
		t.Fatal(err, paths)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "keys.json") {
			continue
		}
		records, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range records {
			wire, err := want.Wire()
			if err != nil {
				t.Fatal(err)
			}
			got, err := Make(want.From, wire)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(compact(t, got.Decoded.JSON), compact(t, want.Decoded.JSON)) {
				t.Errorf("%s %d: other JSON", path, i)
			}
			got.Decoded.JSON, want.Decoded.JSON = nil, nil
			if !reflect.DeepEqual(got.Decoded, want.Decoded) {
				t.Errorf("%s %d: %+v, want %+v", path, i, got.Decoded, want.Decoded)
			}
			frame, err := link.ReadFrame(bytes.NewReader(wire), link.MaxFrameBytes)
			if err != nil || !bytes.Equal(link.AppendFrame(nil, frame), wire) {
				t.Errorf("%s %d: encodes to something else", path, i)
			}
		}
	}
}

func compact(t *testing.T, text json.RawMessage) []byte {
	t.Helper()
	var out bytes.Buffer
	if len(text) > 0 {
		if err := json.Compact(&out, text); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func dial(t *testing.T, address string) *testgateway.Gateway {
	t.Helper()
	gateway, err := testgateway.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(gateway.Close)
	return gateway
}

func zipOf(t *testing.T, name, text string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	file, err := writer.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(file, text)
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

package main

import (
	"strings"
	"testing"

	"kappa.dev/agent/link"
	"kappa.dev/agent/testgateway"
)

// next reads the next frame, which must be of a type.
func next(t *testing.T, gateway *testgateway.Gateway, want byte) link.Frame {
	t.Helper()
	frame, err := gateway.Next()
	if err != nil || frame.Type != want {
		t.Fatalf("%s instead of %s: %v %s", link.FrameNames[frame.Type], link.FrameNames[want], err, frame.Body)
	}
	return frame
}

func TestWhatRunsGoesOnUnderAnotherHolder(t *testing.T) {
	p, former := claimed(t, function("index.wait", nil))
	next(t, former, link.FrameSpecialized)
	head := requestHead()
	stream, err := former.Invoke(head, []byte("700"))
	if err != nil {
		t.Fatal(err)
	}
	p.await("the start", func() bool { return strings.Contains(p.output.String(), "START ") })
	holder := p.connectAs("gateway-1", 2)
	if _, err := holder.Adopt(link.Adopt{VersionUID: "version-1", Epoch: 2}); err != nil {
		t.Fatal(err)
	}
	if adopted := next(t, holder, link.FrameAdopted); !strings.Contains(string(adopted.Body), head.RequestID) {
		t.Fatalf("%s", adopted.Body)
	}
	if state := next(t, former, link.FrameState); !strings.Contains(string(state.Body), `"gatewayId":"gateway-1"`) {
		t.Fatalf("%s", state.Body)
	}
	refused, err := former.Invoke(requestHead(), []byte("0"))
	if err != nil {
		t.Fatal(err)
	}
	if result, err := former.Await(refused); err != nil || result.Refusal == nil || result.Refusal.Code != link.NotHolder {
		t.Fatalf("%v %+v", err, result)
	}
	if result, err := former.Await(stream); err != nil || string(result.Payload) != "700" || result.Report.Status != "success" {
		t.Fatalf("%v %+v", err, result)
	}
	if state := next(t, holder, link.FrameState); !strings.Contains(string(state.Body), `"busy":[]`) {
		t.Fatalf("%s", state.Body)
	}
	if result := call(t, holder, "1"); string(result.Payload) != "1" {
		t.Fatalf("%+v", result)
	}
}

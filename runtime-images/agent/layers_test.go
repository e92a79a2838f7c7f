package main

import (
	"os"
	"path/filepath"
	"testing"

	"kappa.dev/agent/link"
)

// optOf is where the pod's layers are.
func (p *pod) optOf() string { return filepath.Join(filepath.Dir(p.task), "opt") }

func TestLayersAreThereBeforeTheFunctionIs(t *testing.T) {
	p := startPod(t)
	if names, err := os.ReadDir(p.optOf()); err != nil || len(names) != 1 || names[0].Name() != "lib" {
		t.Fatalf("a generic pod: %v %v", names, err) // the loader of the C library must meet it early
	}
	gateway := p.connect(1)
	code := zipOf(t, map[string]string{"index.mjs": "x"})
	first := zipOf(t, map[string]string{"lib/libx.so": "x", "shared/greeting": "first", "shared/other": "kept"})
	second := zipOf(t, map[string]string{"shared/greeting": `"second"`})
	if _, err := gateway.SpecializeWithLayers(function("layer.shared/greeting", nil), code, first, second); err != nil {
		t.Fatal(err)
	}
	if result := call(t, gateway, "{}"); string(result.Payload) != `"second"` {
		t.Fatalf("%+v", result)
	}
	for _, name := range []string{"lib/libx.so", "shared/other"} {
		if _, err := os.Stat(filepath.Join(p.optOf(), name)); err != nil {
			t.Error(err)
		}
	}
}

func TestABadLayerLeavesAGenericPod(t *testing.T) {
	p := startPod(t)
	gateway := p.connect(1)
	code := zipOf(t, map[string]string{"index.mjs": "x"})
	good, slip := zipOf(t, map[string]string{"good": "x"}), zipOf(t, map[string]string{"../slip": "x"})
	if _, err := gateway.SpecializeWithLayers(function("index.echo", nil), code, good, slip); err != nil {
		t.Fatal(err)
	}
	if result := call(t, gateway, "{}"); result.Refusal == nil || result.Refusal.Code != link.BadCode {
		t.Fatalf("%+v", result)
	}
	if left, err := os.ReadDir(p.task); err != nil || len(left) != 0 {
		t.Fatalf("%v %v", left, err)
	}
	six := [][]byte{good, good, good, good, good, good}
	if _, err := gateway.SpecializeWithLayers(function("index.echo", nil), code, six...); err != nil {
		t.Fatal(err)
	}
	if result := call(t, gateway, "{}"); result.Refusal == nil || result.Refusal.Code != link.BadFrame {
		t.Fatalf("%+v", result)
	}
	if _, err := gateway.SpecializeWithLayers(function("layer.good", nil), code, good); err != nil {
		t.Fatal(err)
	}
	if result := call(t, gateway, "7"); string(result.Payload) != "x" {
		t.Fatalf("the pod is of no use any more: %+v", result)
	}
}

// An agent that knows of no layers must not run the function without them: it gets more bytes than it was told of.
func TestLayersThatTheHeadDoesNotAnnounceAreRefused(t *testing.T) {
	p := startPod(t)
	gateway := p.connect(1)
	code, layer := zipOf(t, map[string]string{"index.mjs": "x"}), zipOf(t, map[string]string{"good": "x"})
	head := function("index.echo", func(head *link.Specialize) { head.CodeBytes = int64(len(code)) })
	if _, err := gateway.Specialize(head, append(code, layer...)); err != nil {
		t.Fatal(err)
	}
	if result := call(t, gateway, "{}"); result.Refusal == nil {
		t.Fatalf("%+v", result)
	}
}

package invoke

import "testing"

// What is looked at in each call of a function that has no extensions.
func TestAFunctionWithoutExtensionsPaysNothing(t *testing.T) {
	i := &invocation{running: &running{}}
	allocated := testing.AllocsPerRun(100, func() {
		if i.running.extensions.Failed() != nil || i.running.extensions.HasFailed() || i.running.telemetry != nil || i.awaitExtensions() != nil {
			t.Fatal("it has some")
		}
	})
	if allocated != 0 {
		t.Fatal(allocated)
	}
}

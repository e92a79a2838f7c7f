package limits

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// theirs reads a constant of crds/src/limits.ts, where the limits that others must know are given.
func theirs(t *testing.T, name string) int {
	t.Helper()
	source, err := os.ReadFile("../../../crds/src/limits.ts")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`export const ` + name + ` = ([0-9_]+);`).FindSubmatch(source)
	if found == nil {
		t.Fatalf("%s is not in crds/src/limits.ts", name)
	}
	value, err := strconv.Atoi(strings.ReplaceAll(string(found[1]), "_", ""))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestBothSidesHaveTheSameLimits(t *testing.T) {
	for name, ours := range map[string]int{
		"syncPayloadMaxBytes": PayloadBytes, "logTailBytes": LogTailBytes, "unpackedMaxBytes": UnpackedBytes,
	} {
		if want := theirs(t, name); ours != want {
			t.Errorf("%s: %d, the agent has %d", name, want, ours)
		}
	}
	// A zip above 65,535 entries needs ZIP64, which the agent refuses whatever others allow.
	if CodeEntries > theirs(t, "zipEntriesMax") || CodeBytes < theirs(t, "zipMaxBytes") {
		t.Error("the agent's bounds of a zip do not fit")
	}
}

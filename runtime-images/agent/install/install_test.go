package install

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestTheProgramIsCopiedAsItIs(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // an init container may run again
		if err := Into(dir); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "agent"))
	if err != nil || info.Mode().Perm() != 0o555 {
		t.Fatalf("%v %v", err, info.Mode())
	}
	copied, _ := os.ReadFile(filepath.Join(dir, "agent"))
	self, _ := os.ReadFile("/proc/self/exe")
	if !bytes.Equal(copied, self) {
		t.Error("the copy differs")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d entries are left", len(entries))
	}
}

func TestWhereNothingCanBeWrittenNothingIsInstalled(t *testing.T) {
	if err := Into(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("it was")
	}
}

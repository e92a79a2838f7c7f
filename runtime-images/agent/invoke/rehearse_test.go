package invoke

import (
	"bytes"
	"encoding/base64"
	"os"
	"testing"

	"kappa.dev/agent/code"
	"kappa.dev/agent/environment"
	"kappa.dev/agent/link"
)

func TestTheRehearsalIsARealClaimAndLeavesNothing(t *testing.T) {
	var head link.Specialize
	if rest, err := link.SplitHead([]byte(rehearsalHead), &head); err != nil || len(rest) != 0 || head.Environment["A"] != "b" {
		t.Fatalf("%v %d bytes left, %+v", err, len(rest), head)
	}
	zipped, err := base64.StdEncoding.DecodeString(rehearsalZip)
	if err != nil {
		t.Fatal(err)
	}
	if err := code.Unpack([]code.Place{{Target: t.TempDir(), Zips: []code.Zip{{Reader: bytes.NewReader(zipped), Size: int64(len(zipped))}}}}, 0); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	New(Settings{Pod: environment.Pod{TmpDir: dir}}).rehearse()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Fatalf("%v %v", left, err)
	}
}

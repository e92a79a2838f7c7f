package invoke

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"

	"kappa.dev/agent/code"
	"kappa.dev/agent/environment"
	"kappa.dev/agent/link"
)

// rehearsalZip is a package of one small compressed file.
const rehearsalZip = "UEsDBBQACAAIAAAAAAAAAAAAAAAAAAAAAAAFAAAAaW5kZXgqSs1ITSwqTsxRwMICBAAA//9QSwcItZdUcxIAAAAdAAAAUEsBAhQAFAAIAAgAAAAAALWXVHMSAAAAHQAAAAUAAAAAAAAAAAAAAAAAAAAAAGluZGV4UEsFBgAAAAABAAEAMwAAAEUAAAAAAA=="

// rehearsalHead is a SPECIALIZE as a gateway sends it, after its length.
const rehearsalHead = "\x00\x00\x00\x38" + `{"versionUid":"v","environment":{"A":"b"},"memoryMiB":1}`

// rehearse runs the claim's code once on a package of its own, into a folder that is removed: the first run of anything
// costs about a millisecond more, and a cold start should not pay for it. Its failures do not matter.
func (e *Engine) rehearse() {
	var head link.Specialize
	_, _ = link.SplitHead([]byte(rehearsalHead), &head)
	environment.Complete(e.Pod, environment.Function{User: head.Environment})
	zipped, err := base64.StdEncoding.DecodeString(rehearsalZip)
	if err != nil {
		return
	}
	dir, err := os.MkdirTemp(e.Pod.TmpDir, ".rehearsal-*")
	if err != nil {
		return
	}
	defer os.RemoveAll(dir)
	sum := sha256.Sum256(zipped)
	announced := []code.Announced{{Sha256: hex.EncodeToString(sum[:]), Bytes: int64(len(zipped))}}
	delivery, err := code.NewDelivery(announced, dir)
	if err != nil {
		return
	}
	defer delivery.Close()
	_, _ = delivery.Write(zipped)
	if delivery.Verify() == nil {
		_ = code.Unpack([]code.Place{{Target: dir, Zips: delivery.Zips()}}, 0)
	}
}

package logs

import (
	"bytes"

	"kappa.dev/agent/limits"
)

// Tail keeps the last limits.LogTailBytes of an invocation's log. Only its Stream uses it.
type Tail struct {
	kept []byte
	// lines cuts out the invocation's own; nil when all are.
	lines *Lines
}

// newTail keeps the lines that hold own; everything when that is empty.
func newTail(own string) *Tail {
	t := &Tail{}
	if own != "" {
		t.lines = &Lines{Emit: func(line []byte) {
			if bytes.Contains(line, []byte(own)) {
				t.add(line)
				t.add([]byte{'\n'})
			}
		}}
	}
	return t
}

func (t *Tail) write(p []byte) {
	if t.lines != nil {
		t.lines.Write(p)
		return
	}
	t.add(p)
}

func (t *Tail) add(p []byte) {
	if len(p) >= limits.LogTailBytes {
		t.kept = append(t.kept[:0], p[len(p)-limits.LogTailBytes:]...)
		return
	}
	t.kept = append(t.kept, p...)
	if len(t.kept) > 4*limits.LogTailBytes { // rarely, so that most writes only append
		t.kept = append(t.kept[:0], t.bytes()...)
	}
}

func (t *Tail) bytes() []byte { return t.kept[max(0, len(t.kept)-limits.LogTailBytes):] }

package logs

import "kappa.dev/agent/limits"

// tail keeps the last limits.LogTailBytes of what is written to it.
type tail struct{ kept []byte }

func (t *tail) write(p []byte) {
	if len(p) >= limits.LogTailBytes {
		t.kept = append(t.kept[:0], p[len(p)-limits.LogTailBytes:]...)
		return
	}
	t.kept = append(t.kept, p...)
	if len(t.kept) > 4*limits.LogTailBytes { // rarely, so that most writes only append
		t.kept = append(t.kept[:0], t.bytes()...)
	}
}

func (t *tail) bytes() []byte { return t.kept[max(0, len(t.kept)-limits.LogTailBytes):] }

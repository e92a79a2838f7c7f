package logs

import "kappa.dev/agent/limits"

// Lines cuts output into lines of at most limits.LogEventBytes. It is not safe for use by several goroutines.
type Lines struct {
	// Emit takes one line without its end, and does not keep it.
	Emit func(line []byte)
	rest []byte
}

// Write takes the next bytes and does not keep p.
func (l *Lines) Write(p []byte) {
	for len(p) > 0 {
		piece, rest, ends := cutLine(p, limits.LogEventBytes-len(l.rest))
		p = rest
		if !ends {
			l.rest = append(l.rest, piece...)
			return
		}
		if len(l.rest) > 0 {
			piece = append(l.rest, piece...)
			l.rest = piece[:0]
		}
		l.Emit(piece)
	}
	l.rest = keepSmall(l.rest)
}

// Flush ends the line that has begun.
func (l *Lines) Flush() {
	if len(l.rest) > 0 {
		l.Emit(l.rest)
		l.rest = nil
	}
}

package logs

import (
	"bytes"
	"encoding/json"
	"strings"

	"kappa.dev/agent/limits"
)

// Levels are what a JSON log leaves out: everything less grave than they say. Empty means INFO.
type Levels struct {
	// Application is TRACE, DEBUG, INFO, WARN, ERROR or FATAL.
	Application string
	// System is DEBUG, INFO or WARN.
	System string
}

// gravity orders levels; Python has names of its own for two.
var gravity = map[string]int{"TRACE": 1, "DEBUG": 2, "INFO": 3, "WARN": 4, "WARNING": 4, "ERROR": 5, "FATAL": 6, "CRITICAL": 6}

// gravityOf is a level's place; of one that is not known INFO's.
func gravityOf(level string) int {
	if found, ok := gravity[strings.ToUpper(level)]; ok {
		return found
	}
	return gravity["INFO"]
}

// lineFilter leaves out lines that are JSON objects with a level below least. Everything else passes, as it comes. Not safe for use by several goroutines.
type lineFilter struct {
	least int
	// rest is the beginning of a line that may be an object.
	rest []byte
	// passing says that the line that has begun passes.
	passing bool
}

// write takes the next bytes, which are not kept; pass gets what passes.
func (f *lineFilter) write(p []byte, pass func([]byte)) {
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n') + 1
		piece, whole := p, end > 0
		if whole {
			piece = p[:end]
		}
		p = p[len(piece):]
		if f.passing = f.passing || len(f.rest) == 0 && piece[0] != '{'; f.passing {
			pass(piece)
			f.passing = !whole
			continue
		}
		f.rest = append(f.rest, piece...)
		switch {
		case whole:
			f.end(pass)
		case len(f.rest) >= limits.LogLineBytes:
			f.flush(pass)
			f.passing = true
		}
	}
}

// end decides about a whole line.
func (f *lineFilter) end(pass func([]byte)) {
	var entry struct {
		Level string `json:"level"`
	}
	if json.Unmarshal(f.rest, &entry) == nil && entry.Level != "" && gravityOf(entry.Level) < f.least {
		f.rest = f.rest[:0]
		return
	}
	f.flush(pass)
}

// flush passes on what is there of a line.
func (f *lineFilter) flush(pass func([]byte)) {
	if len(f.rest) > 0 {
		pass(f.rest)
		f.rest = keepSmall(f.rest[:0])
	}
}

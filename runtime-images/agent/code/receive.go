// Package code takes a function's zip from the link and unpacks it: nothing becomes visible before its digest is checked.
package code

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"kappa.dev/agent/limits"
)

// ErrBadCode is the base of every error that is the package's own fault.
var ErrBadCode = errors.New("bad code")

// Package is a zip while it arrives. Small ones stay in memory, larger ones go to a file without a name.
type Package struct {
	digest   hash.Hash
	want     string
	size     int64
	received int64
	memory   []byte
	file     *os.File
}

// NewPackage prepares for a zip of exactly size bytes whose SHA-256 is sha256Hex. spoolDir takes large ones. Close it.
func NewPackage(size int64, sha256Hex, spoolDir string) (*Package, error) {
	if size < 1 || size > limits.CodeBytes {
		return nil, fmt.Errorf("%w: a size of %d bytes is not in [1, %d]", ErrBadCode, size, limits.CodeBytes)
	}
	p := &Package{digest: sha256.New(), want: strings.ToLower(sha256Hex), size: size}
	if size <= limits.CodeInMemoryBytes {
		p.memory = make([]byte, 0, size)
		return p, nil
	}
	file, err := os.CreateTemp(spoolDir, ".code-*")
	if err != nil {
		return nil, fmt.Errorf("cannot spool code: %w", err)
	}
	p.file = file
	return p, os.Remove(file.Name())
}

// Write takes the next piece. More bytes than announced are an error.
func (p *Package) Write(piece []byte) (int, error) {
	p.received += int64(len(piece))
	if p.received > p.size {
		return 0, fmt.Errorf("%w: more than the announced %d bytes", ErrBadCode, p.size)
	}
	p.digest.Write(piece)
	if p.file != nil {
		return p.file.Write(piece)
	}
	p.memory = append(p.memory, piece...)
	return len(piece), nil
}

// Verify compares size and digest with what was announced.
func (p *Package) Verify() error {
	if p.received != p.size {
		return fmt.Errorf("%w: %d bytes instead of the announced %d", ErrBadCode, p.received, p.size)
	}
	if got := hex.EncodeToString(p.digest.Sum(nil)); got != p.want {
		return fmt.Errorf("%w: the digest is %s instead of %s", ErrBadCode, got, p.want)
	}
	return nil
}

// Reader gives the zip's bytes and size. Only valid after Verify and before Close.
func (p *Package) Reader() (io.ReaderAt, int64) {
	if p.file != nil {
		return p.file, p.size
	}
	return bytes.NewReader(p.memory), p.size
}

// Close frees the bytes.
func (p *Package) Close() {
	if p.file != nil {
		_ = p.file.Close()
	}
	p.memory = nil
}

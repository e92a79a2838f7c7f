// Package replay reads and writes the recorded exchanges of runtime-images/testdata. Used by tests only.
package replay

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"kappa.dev/agent/link"
)

// Record is one frame of an exchange; the format is described in runtime-images/testdata/README.md.
type Record struct {
	From      string  `json:"from"`
	Frame     string  `json:"frame,omitempty"`
	FrameGzip string  `json:"frameGzip,omitempty"`
	Decoded   Decoded `json:"decoded"`
}

// Decoded is a frame in readable form.
type Decoded struct {
	Type        string          `json:"type"`
	Flags       byte            `json:"flags"`
	Stream      uint32          `json:"stream"`
	JSON        json.RawMessage `json:"json,omitempty"`
	BytesLength *int            `json:"bytesLength,omitempty"`
	BytesSha256 string          `json:"bytesSha256,omitempty"`
	Text        string          `json:"text,omitempty"`
}

const (
	gzipAbove = 4096
	textUpTo  = 256
)

// bodyKinds says how the body of each frame is made up; JSON when it is not listed.
var bodyKinds = map[byte]string{
	link.FrameSpecialize: "head", link.FrameInvoke: "head", link.FrameResponse: "head", link.FrameAborted: "head", link.FrameData: "bytes",
	link.FrameLog: "head", link.FramePing: "empty", link.FramePong: "empty", link.FrameCancel: "empty",
}

// Make describes one frame, given in its wire form.
func Make(from string, wire []byte) (Record, error) {
	frame, err := link.ReadFrame(bytes.NewReader(wire), link.MaxFrameBytes)
	if err != nil {
		return Record{}, err
	}
	record := Record{From: from, Decoded: Decoded{Type: link.FrameNames[frame.Type], Flags: frame.Flags, Stream: frame.Stream}}
	if len(wire) > gzipAbove {
		record.FrameGzip, err = pack(wire)
	} else {
		record.Frame = base64.StdEncoding.EncodeToString(wire)
	}
	if err != nil {
		return Record{}, err
	}
	switch bodyKinds[frame.Type] {
	case "empty":
	case "bytes":
		record.Decoded.setBytes(frame.Body)
	case "head":
		rest, err := link.SplitHead(frame.Body, &record.Decoded.JSON)
		if err != nil {
			return Record{}, err
		}
		record.Decoded.setBytes(rest)
	default:
		record.Decoded.JSON = frame.Body
	}
	return record, nil
}

func (d *Decoded) setBytes(b []byte) {
	length, sum := len(b), sha256.Sum256(b)
	d.BytesLength, d.BytesSha256 = &length, hex.EncodeToString(sum[:])
	if length > 0 && length <= textUpTo && utf8.Valid(b) {
		d.Text = string(b)
	}
}

// Wire gives the recorded frame as it was sent.
func (r Record) Wire() ([]byte, error) {
	if r.FrameGzip == "" {
		return base64.StdEncoding.DecodeString(r.Frame)
	}
	packed, err := base64.StdEncoding.DecodeString(r.FrameGzip)
	if err != nil {
		return nil, err
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

func pack(wire []byte) (string, error) {
	var packed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := writer.Write(wire); err != nil {
		return "", err
	}
	if err := writer.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes()), nil
}

// Read reads one exchange.
func Read(path string) ([]Record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var records []Record
	if err := json.Unmarshal(text, &records); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return records, nil
}

// Write writes one exchange.
func Write(path string, records []Record) error {
	text, err := json.MarshalIndent(records, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

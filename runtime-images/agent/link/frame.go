// Package link speaks the framed protocol between a gateway and the agent; the frame table is runtime-images/link/frames.yaml.
package link

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Frame is one frame without its length field. Body is owned by the receiver.
type Frame struct {
	Type   byte
	Flags  byte
	Stream uint32
	Body   []byte
}

// ErrBadFrame is the base of every error about a malformed frame.
var ErrBadFrame = errors.New("bad frame")

const lengthBytes = 4
const fixedBytes = HeaderBytes - lengthBytes

// ReadFrame reads one frame. limit bounds the length field, bytes. It blocks; io.EOF only at a frame's border.
func ReadFrame(r io.Reader, limit uint32) (Frame, error) {
	var header [HeaderBytes]byte
	if _, err := io.ReadFull(r, header[:lengthBytes]); err != nil {
		return Frame{}, err
	}
	length := binary.BigEndian.Uint32(header[:lengthBytes])
	if length < fixedBytes || length > limit {
		return Frame{}, fmt.Errorf("%w: length %d is not in [%d, %d]", ErrBadFrame, length, fixedBytes, limit)
	}
	if _, err := io.ReadFull(r, header[lengthBytes:]); err != nil {
		return Frame{}, noEOF(err)
	}
	frame := Frame{Type: header[4], Flags: header[5], Stream: binary.BigEndian.Uint32(header[8:])}
	if size := length - fixedBytes; size > 0 {
		frame.Body = make([]byte, size)
		if _, err := io.ReadFull(r, frame.Body); err != nil {
			return Frame{}, noEOF(err)
		}
	}
	return frame, nil
}

// noEOF keeps an end inside a frame from looking like an end between two.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// AppendFrame appends the wire form of a frame to dst. The body must not be longer than MaxFrameBytes - 8.
func AppendFrame(dst []byte, frame Frame) []byte {
	dst = appendHeader(dst, frame.Type, frame.Flags, frame.Stream, len(frame.Body))
	return append(dst, frame.Body...)
}

func appendHeader(dst []byte, frameType, flags byte, stream uint32, bodyBytes int) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(fixedBytes+bodyBytes))
	dst = append(dst, frameType, flags, 0, 0)
	return binary.BigEndian.AppendUint32(dst, stream)
}

// SplitHead parses the body of a head+bytes frame: the JSON head goes to head, the raw bytes are returned.
func SplitHead(body []byte, head any) ([]byte, error) {
	if len(body) < lengthBytes {
		return nil, fmt.Errorf("%w: no head", ErrBadFrame)
	}
	size := binary.BigEndian.Uint32(body)
	if uint64(size) > uint64(len(body)-lengthBytes) {
		return nil, fmt.Errorf("%w: head of %d bytes in a body of %d", ErrBadFrame, size, len(body))
	}
	if err := parseJSON(body[lengthBytes:lengthBytes+size], head); err != nil {
		return nil, err
	}
	return body[lengthBytes+size:], nil
}

func parseJSON(text []byte, value any) error {
	if err := json.Unmarshal(text, value); err != nil {
		return fmt.Errorf("%w: %v", ErrBadFrame, err)
	}
	return nil
}

// AppendJSON appends a frame with a JSON body.
func AppendJSON(dst []byte, frameType, flags byte, stream uint32, value any) ([]byte, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return AppendFrame(dst, Frame{Type: frameType, Flags: flags, Stream: stream, Body: body}), nil
}

// AppendHead appends a head+bytes frame without bytes and without END: they follow in DATA frames.
func AppendHead(dst []byte, frameType byte, stream uint32, head any) ([]byte, error) {
	text, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	dst = appendHeader(dst, frameType, 0, stream, lengthBytes+len(text))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(text)))
	return append(dst, text...), nil
}

// AppendPayload appends a head+bytes frame and as many DATA frames as the payload needs; END is on the last one.
func AppendPayload(dst []byte, frameType byte, stream uint32, head any, payload []byte) ([]byte, error) {
	text, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	piece, rest := cut(payload)
	dst = appendHeader(dst, frameType, endFlag(rest), stream, lengthBytes+len(text)+len(piece))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(text)))
	dst = append(dst, text...)
	dst = append(dst, piece...)
	for len(rest) > 0 {
		piece, rest = cut(rest)
		dst = AppendFrame(dst, Frame{Type: FrameData, Flags: endFlag(rest), Stream: stream, Body: piece})
	}
	return dst, nil
}

func cut(payload []byte) (piece, rest []byte) {
	size := min(len(payload), ChunkBytes)
	return payload[:size], payload[size:]
}

func endFlag(rest []byte) byte {
	if len(rest) == 0 {
		return FlagEnd
	}
	return 0
}

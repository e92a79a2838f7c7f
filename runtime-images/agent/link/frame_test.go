package link

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestFramesThatAreRefused(t *testing.T) {
	rows := []struct {
		reason string
		wire   []byte
		want   error
	}{
		{"nothing at a border is an end", nil, io.EOF},
		{"an end inside the length", []byte{0, 0}, io.ErrUnexpectedEOF},
		{"an end inside the header", []byte{0, 0, 0, 8, 1}, io.ErrUnexpectedEOF},
		{"an end inside the body", append([]byte{0, 0, 0, 9, 1, 0, 0, 0}, 0, 0, 0, 1), io.ErrUnexpectedEOF},
		{"shorter than a header", []byte{0, 0, 0, 7, 1, 0, 0, 0, 0, 0, 0}, ErrBadFrame},
		{"longer than allowed", []byte{0, 16, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0}, ErrBadFrame},
		{"as long as can be said", []byte{255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0}, ErrBadFrame},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			if _, err := ReadFrame(bytes.NewReader(row.wire), MaxFrameBytes); !errors.Is(err, row.want) {
				t.Fatalf("%v, want %v", err, row.want)
			}
		})
	}
}

func TestPayloadsAreCutIntoPieces(t *testing.T) {
	for _, row := range []struct{ size, frames int }{{0, 1}, {1, 1}, {ChunkBytes, 1}, {ChunkBytes + 1, 2}, {3 * ChunkBytes, 3}} {
		payload := bytes.Repeat([]byte{'p'}, row.size)
		wire, err := AppendPayload(nil, FrameResponse, 9, Response{Kind: "response"}, payload)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		frames := 0
		for reader := bytes.NewReader(wire); reader.Len() > 0; frames++ {
			frame, err := ReadFrame(reader, MaxFrameBytes)
			if err != nil || frame.Stream != 9 || (frame.Flags&FlagEnd != 0) != (reader.Len() == 0) {
				t.Fatalf("%+v %v", frame, err)
			}
			piece := frame.Body
			if frame.Type == FrameResponse {
				var head Response
				if piece, err = SplitHead(frame.Body, &head); err != nil || head.Kind != "response" {
					t.Fatal(err)
				}
			}
			got = append(got, piece...)
		}
		if frames != row.frames || !bytes.Equal(got, payload) {
			t.Fatalf("%d bytes: %d frames, %d bytes back", row.size, frames, len(got))
		}
	}
}

func TestHeadsThatAreRefused(t *testing.T) {
	for reason, body := range map[string][]byte{
		"empty": nil, "longer than the body": {0, 0, 0, 3, '{', '}'}, "not JSON": {0, 0, 0, 1, '{'}, "huge": {255, 255, 255, 255, '{', '}'},
	} {
		if _, err := SplitHead(body, &Invoke{}); !errors.Is(err, ErrBadFrame) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add(AppendFrame(nil, Frame{Type: FramePing, Flags: FlagEnd}))
	f.Add(AppendFrame(nil, Frame{Type: FrameInvoke, Stream: 3, Body: []byte("\x00\x00\x00\x02{}event")}))
	f.Add([]byte{255, 255, 255, 255})
	f.Add([]byte{0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, wire []byte) {
		reader := bytes.NewReader(wire)
		for {
			before := reader.Len()
			frame, err := ReadFrame(reader, MaxFrameBytes)
			if err != nil {
				return
			}
			again := AppendFrame(nil, frame)
			if len(again) != before-reader.Len() {
				t.Fatalf("%d bytes were read, %d are written", before-reader.Len(), len(again))
			}
			var head Specialize
			if rest, err := SplitHead(frame.Body, &head); err == nil && len(rest) > len(frame.Body) {
				t.Fatal("more bytes than there were")
			}
		}
	})
}

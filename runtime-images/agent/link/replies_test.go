package link

import (
	"net"
	"slices"
	"testing"
)

// told are the names of the frames that a play of replies has sent; ABORTED and the last DATA show their END.
func told(t *testing.T, play func(r *replies)) []string {
	t.Helper()
	ours, theirs := net.Pipe()
	defer theirs.Close()
	out := newWriter(ours)
	var names []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			frame, err := ReadFrame(theirs, MaxFrameBytes)
			if err != nil {
				return
			}
			name := FrameNames[frame.Type]
			if frame.Flags&FlagEnd != 0 {
				name += "."
			}
			names = append(names, name)
		}
	}()
	within(t, "a reply", func() { play(newReplies(out, 1, &Streaming{WindowBytes: 4, MaxBytes: 100})) })
	out.closeWrite()
	_ = ours.Close()
	<-done
	return names
}

func TestWhatIsSentOfAnAnswer(t *testing.T) {
	whole, failed := Response{Kind: "response"}, Response{Kind: "error"}
	rows := []struct {
		reason string
		play   func(r *replies)
		want   []string
	}{
		{"whole", func(r *replies) { r.Response(whole, nil) }, []string{"RESPONSE."}},
		{"streamed", func(r *replies) { _ = r.Begin(whole); _ = r.Write([]byte("abcd")); r.End() }, []string{"RESPONSE", "DATA", "DATA."}},
		{"one END", func(r *replies) { _ = r.Begin(whole); r.End(); r.End(); r.Response(failed, nil) }, []string{"RESPONSE", "DATA."}},
		{"an error ends it", func(r *replies) { _ = r.Begin(whole); r.Response(failed, nil); r.End() }, []string{"RESPONSE", "ABORTED."}},
		{"nothing begins after an answer", func(r *replies) {
			r.Response(failed, nil)
			if r.Begin(whole) == nil || r.Write([]byte("a")) == nil {
				t.Error("it began")
			}
			r.End()
		}, []string{"RESPONSE."}},
		{"the credit cuts a piece", func(r *replies) {
			r.grant(1)
			_ = r.Begin(whole)
			r.grant(2)
			_ = r.Write([]byte("1234567"))
			r.End()
		}, []string{"RESPONSE", "DATA", "DATA."}},
		{"an end wakes a write that waits", func(r *replies) {
			_ = r.Begin(whole)
			written := make(chan error)
			go func() { written <- r.Write([]byte("12345678")) }()
			r.Response(failed, nil)
			if <-written == nil {
				t.Error("written")
			}
		}, nil},
		{"silence takes everything", func(r *replies) {
			_ = r.Begin(whole)
			written := make(chan error)
			go func() { written <- r.Write([]byte("12345678")) }()
			r.silence()
			if <-written != nil || r.Write([]byte("more")) != nil {
				t.Error("refused")
			}
			r.Response(failed, nil)
			r.End()
		}, nil},
		{"nothing but REPORT after CANCEL", func(r *replies) {
			r.silence()
			_ = r.Begin(whole)
			_ = r.Write([]byte("abc"))
			r.End()
			r.Report(Report{})
		}, []string{"REPORT."}},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			got := told(t, row.play)
			if row.want != nil && !slices.Equal(got, row.want) {
				t.Errorf("%v, want %v", got, row.want)
			}
			if len(got) > 0 && row.want == nil && slices.Contains(got[1:], "RESPONSE.") {
				t.Errorf("%v", got)
			}
		})
	}
}

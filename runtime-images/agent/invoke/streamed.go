package invoke

import "kappa.dev/agent/link"

// streamed passes an answer on while the runtime writes it.
type streamed struct{ replies link.Replies }

// Begin opens the answer.
func (s streamed) Begin(contentType string) error {
	return s.replies.Begin(link.Response{Kind: "response", ContentType: contentType, Streamed: true})
}

// Write passes a piece on.
func (s streamed) Write(piece []byte) error { return s.replies.Write(piece) }

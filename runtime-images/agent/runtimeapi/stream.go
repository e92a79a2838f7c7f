package runtimeapi

import (
	"fmt"
	"io"
	"net"
	"net/http"

	"kappa.dev/agent/limits"
)

// Stream takes an answer as the runtime writes it.
type Stream interface {
	// Begin opens the answer. An error means that nobody takes it any more.
	Begin(contentType string) error
	// Write passes a piece on, which is not kept. It blocks until the caller has room. An error means that the answer is over.
	Write(piece []byte) error
}

const truncatedType = "Runtime.TruncatedResponse"

// handleStream is a response in streaming mode whose caller takes it as it comes. The first byte opens the answer: an error before
// that is an answer like any other.
//
//	what ends the body                    | the answer
//	its end                               | complete
//	its end, with trailers of an error    | that error, after what was written
//	more bytes than the caller allows     | Function.ResponseSizeTooLarge; the rest is swallowed
//	the connection breaks                 | Runtime.TruncatedResponse, or how the process ended (the engine looks)
//	the answer is over (time-out)         | none more: the agent has given it
func handleStream(session *Session, w http.ResponseWriter, r *http.Request, exchange *Exchange) {
	if conn, ok := r.Context().Value(connKey{}).(*net.TCPConn); ok {
		_ = conn.SetReadBuffer(limits.StreamReadBufferBytes) // else the kernel takes megabytes from a runtime whose caller is slow
	}
	answer, err := copyBody(exchange, r)
	if err == nil {
		err = session.answer(endsStream, exchange.RequestID, "", answer)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	if answer.ErrorType == tooLargeType {
		_, _ = io.Copy(io.Discard, r.Body)
		writeTooLarge(w, exchange.MaxStreamBytes)
		return
	}
	writeAccepted(w)
}

// copyBody passes the body on, and says how the answer ends. An error means that the answer is over already.
func copyBody(exchange *Exchange, r *http.Request) (Answer, error) {
	contentType := r.Header.Get("Content-Type")
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	piece := make([]byte, limits.StreamPieceBytes)
	var total int64
	for isOpen := false; ; {
		size, err := r.Body.Read(piece)
		total += int64(size)
		if total > exchange.MaxStreamBytes {
			message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", exchange.MaxStreamBytes)
			return errorAnswer(tooLargeType, message), nil
		}
		if err != nil && err != io.EOF {
			answer := errorAnswer(truncatedType, "The runtime did not write its streamed answer to the end: "+err.Error())
			answer.BrokeOff = true
			return answer, nil
		}
		failed := r.Trailer.Get(errorTypeHeader) // there after the end only
		if !isOpen && (size > 0 || err == io.EOF && failed == "") {
			isOpen = true
			if err := exchange.Stream.Begin(contentType); err != nil {
				return Answer{}, errSessionEnded
			}
		}
		if size > 0 && exchange.Stream.Write(piece[:size]) != nil {
			return Answer{}, errSessionEnded
		}
		if err == io.EOF && failed != "" {
			return trailerError(failed, r.Trailer.Get(errorBodyTrailer)), nil
		}
		if err == io.EOF {
			return Answer{ContentType: contentType, Streamed: true, StreamedBytes: total}, nil
		}
	}
}

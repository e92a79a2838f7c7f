package runtimeapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"

	"kappa.dev/agent/extensions"
)

// Server is the HTTP server of the Runtime API. It talks to one runtime process at a time, and to the extensions beside it.
type Server struct {
	session    atomic.Pointer[Session]
	extensions atomic.Pointer[extensions.Set]
	http       http.Server
}

type (
	sessionKey    struct{}
	extensionsKey struct{}
	connKey       struct{}
)

// NewServer makes a server without a runtime; Use gives it one.
func NewServer() *Server {
	s := &Server{}
	s.http.Handler = s.routes()
	s.http.MaxHeaderBytes = 2 << 20 // the X-Ray cause header may have 1 MB
	// A connection belongs to the process that was current when it was opened: what a killed process had sent and was
	// not read yet must not reach its successor.
	s.http.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		ctx = context.WithValue(ctx, extensionsKey{}, s.extensions.Load())
		return context.WithValue(context.WithValue(ctx, connKey{}, conn), sessionKey{}, s.session.Load())
	}
	return s
}

// UseExtensions makes set the one that new connections belong to.
func (s *Server) UseExtensions(set *extensions.Set) { s.extensions.Store(set) }

// Use makes session the one that new connections belong to.
func (s *Server) Use(session *Session) { s.session.Store(session) }

// Serve serves until the listener is closed.
func (s *Server) Serve(listener net.Listener) error { return s.http.Serve(listener) }

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", withSession(handleNext))
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", withSession(handleResponse))
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", withSession(handleError))
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", withSession(handleInitError))
	mux.HandleFunc("GET /2018-06-01/ping", handlePing)
	mux.HandleFunc("GET /kappa/v1/claim", withSession(handleClaim))
	extensions.AddRoutes(mux, func(r *http.Request) *extensions.Set {
		set, _ := r.Context().Value(extensionsKey{}).(*extensions.Set)
		return set
	})
	return mux
}

func withSession(handle func(*Session, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		session, _ := r.Context().Value(sessionKey{}).(*Session)
		if session == nil {
			writeError(w, errSessionEnded)
			return
		}
		handle(session, w, r)
	}
}

// writeError answers with Lambda's local error body.
func writeError(w http.ResponseWriter, err error) {
	var transition *transitionError
	switch {
	case errors.As(err, &transition), errors.Is(err, errSessionEnded):
		writeJSON(w, http.StatusForbidden, localError{"InvalidStateTransition", err.Error()})
	case errors.Is(err, errInvalidRequestID):
		writeJSON(w, http.StatusBadRequest, localError{"InvalidRequestID", err.Error()})
	case errors.Is(err, io.ErrUnexpectedEOF):
		writeJSON(w, http.StatusBadRequest, localError{"TruncatedHTTPRequest", "HTTP request detected as truncated"})
	default:
		writeJSON(w, http.StatusInternalServerError, localError{"InternalServerError", "Internal Server Error"})
	}
}

type localError struct {
	ErrorType    string `json:"errorType"`
	ErrorMessage string `json:"errorMessage"`
}

type accepted struct {
	Status string `json:"status"`
}

func writeAccepted(w http.ResponseWriter) { writeJSON(w, http.StatusAccepted, accepted{"OK"}) }

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"errorType":"InternalServerError"}`)
	}
	body = append(body, '\n')
	header := w.Header()
	header["Date"] = nil
	header["Content-Type"] = []string{"application/json"}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

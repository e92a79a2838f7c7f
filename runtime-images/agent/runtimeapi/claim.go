package runtimeapi

import "net/http"

// handleClaim is GET /kappa/v1/claim: a pre-booted runtime waits for its function. A second call gets 403.
func handleClaim(session *Session, w http.ResponseWriter, r *http.Request) {
	assignment, err := session.awaitClaim(r.Context())
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, assignment)
}

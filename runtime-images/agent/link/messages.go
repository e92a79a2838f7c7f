package link

// Hello is the agent's first frame.
type Hello struct {
	Protocol       int    `json:"protocol"`
	OldestProtocol int    `json:"oldestProtocol"`
	PodUID         string `json:"podUid"`
	Nonce          string `json:"nonce"`
	AgentVersion   string `json:"agentVersion"`
}

// Auth is the gateway's proof of who it is.
type Auth struct {
	Protocol  int    `json:"protocol"`
	PodUID    string `json:"podUid"`
	GatewayID string `json:"gatewayId"`
	Epoch     uint64 `json:"epoch"`
	Signature string `json:"signature"`
}

// Claim says which function version a pod holds.
type Claim struct {
	VersionUID        string `json:"versionUid"`
	FunctionName      string `json:"functionName"`
	FunctionNamespace string `json:"functionNamespace"`
}

// Welcome tells an accepted gateway how the pod is.
type Welcome struct {
	State       string   `json:"state"`
	Claim       *Claim   `json:"claim"`
	Busy        []string `json:"busy"`
	PerInstance int      `json:"perInstance"`
}

// Specialize is the head of SPECIALIZE: everything that makes a generic pod one function version's.
type Specialize struct {
	VersionUID        string            `json:"versionUid"`
	FunctionName      string            `json:"functionName"`
	FunctionNamespace string            `json:"functionNamespace"`
	Version           string            `json:"version"`
	Handler           string            `json:"handler"`
	Runtime           string            `json:"runtime"`
	MemoryMiB         int               `json:"memoryMiB"`
	TimeoutMs         int64             `json:"timeoutMs"`
	InitTimeoutMs     int64             `json:"initTimeoutMs"`
	PerInstance       int               `json:"perInstance"`
	Environment       map[string]string `json:"environment"`
	AccountID         string            `json:"accountId"`
	Region            string            `json:"region"`
	LogFormat         string            `json:"logFormat"`
	CodeSha256        string            `json:"codeSha256"`
	CodeBytes         int64             `json:"codeBytes"`
	MaxUnpackedBytes  int64             `json:"maxUnpackedBytes"`
	Epoch             *uint64           `json:"epoch"`
}

// Specialized answers SPECIALIZE.
type Specialized struct {
	VersionUID     string `json:"versionUid"`
	AlreadyClaimed bool   `json:"alreadyClaimed"`
}

// Invoke is the head of INVOKE.
type Invoke struct {
	RequestID          string `json:"requestId"`
	InvokedFunctionArn string `json:"invokedFunctionArn"`
	TraceID            string `json:"traceId,omitempty"`
	ClientContext      string `json:"clientContext,omitempty"`
	Tail               bool   `json:"tail,omitempty"`
}

// Response is the head of RESPONSE.
type Response struct {
	Kind        string `json:"kind"`
	ContentType string `json:"contentType,omitempty"`
	ErrorType   string `json:"errorType,omitempty"`
}

// Report ends an invocation's stream.
type Report struct {
	RequestID        string   `json:"requestId"`
	Status           string   `json:"status"`
	ErrorType        string   `json:"errorType,omitempty"`
	DurationMs       float64  `json:"durationMs"`
	BilledDurationMs int64    `json:"billedDurationMs"`
	InitDurationMs   *float64 `json:"initDurationMs,omitempty"`
	MemorySizeMiB    int      `json:"memorySizeMiB"`
	MaxMemoryMiB     int      `json:"maxMemoryMiB"`
	LogTail          string   `json:"logTail,omitempty"`
	Reusable         bool     `json:"reusable"`
}

// Drain asks the agent to end.
type Drain struct {
	Reason string `json:"reason"`
}

// Refusal is the body of ERROR, and the error that the agent's parts refuse work with.
type Refusal struct {
	Code    ErrorCode `json:"code"`
	Message string    `json:"message"`
}

// Error makes a Refusal usable as an error.
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Message }

// Refuse makes a Refusal.
func Refuse(code ErrorCode, message string) *Refusal { return &Refusal{Code: code, Message: message} }

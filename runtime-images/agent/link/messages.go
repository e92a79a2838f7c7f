package link

// Hello is the agent's first frame.
type Hello struct {
	Protocol       int    `json:"protocol"`
	OldestProtocol int    `json:"oldestProtocol"`
	PodUID         string `json:"podUid"`
	Nonce          string `json:"nonce"`
	AgentVersion   string `json:"agentVersion"`
	// Features are what this agent can do that others of its protocol cannot.
	Features []string `json:"features"`
}

// FeatureSeveral is the word in Features for: PerInstance of SPECIALIZE may be above 1.
const FeatureSeveral = "several"

// FeatureLayers is the word in Features for: SPECIALIZE may have layers.
const FeatureLayers = "layers"

// Auth is the gateway's proof of who it is.
type Auth struct {
	Protocol  int    `json:"protocol"`
	PodUID    string `json:"podUid"`
	GatewayID string `json:"gatewayId"`
	Epoch     uint64 `json:"epoch"`
	Signature string `json:"signature"`
	// Features are what this gateway wants that others of its protocol do not know.
	Features []string `json:"features,omitempty"`
}

// FeatureLogs is the word in Auth's Features for: LOG may be sent.
const FeatureLogs = "logs"

// Log is the head of LOG.
type Log struct {
	// Stream is the name of the log stream, as the function's environment says it.
	Stream string `json:"stream"`
	// First is the number of the first line in the stream.
	First uint64 `json:"first"`
}

// Claim says which function version a pod holds.
type Claim struct {
	VersionUID        string `json:"versionUid"`
	FunctionName      string `json:"functionName"`
	FunctionNamespace string `json:"functionNamespace"`
}

// Holder is the gateway that may use a pod.
type Holder struct {
	GatewayID string `json:"gatewayId"`
	Epoch     uint64 `json:"epoch"`
}

// State is what gateways know of a pod: body of STATE and FENCED. Its parts are not changed once it is made.
type State struct {
	Claim *Claim `json:"claim"`
	// Holder is nil while the pod is generic.
	Holder *Holder `json:"holder"`
	// Busy are the request ids in flight.
	Busy []string `json:"busy"`
}

// Welcome tells an accepted gateway how the pod is.
type Welcome struct {
	State       string   `json:"state"`
	Claim       *Claim   `json:"claim"`
	Holder      *Holder  `json:"holder"`
	Busy        []string `json:"busy"`
	PerInstance int      `json:"perInstance"`
}

// welcome1 is Welcome in protocol 1, which knows of no holder.
type welcome1 struct {
	Welcome
	// Holder hides the embedded one.
	Holder *Holder `json:"holder,omitempty"`
}

// Specialize is the head of SPECIALIZE: everything that makes a generic pod one function version's.
type Specialize struct {
	VersionUID string `json:"versionUid"`
	// Function is the function as FENCE names it; empty means FunctionNamespace/FunctionName.
	Function          string            `json:"function,omitempty"`
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
	// ApplicationLogLevel and SystemLogLevel are for JSON; empty means INFO.
	ApplicationLogLevel string `json:"applicationLogLevel,omitempty"`
	SystemLogLevel      string `json:"systemLogLevel,omitempty"`

	CodeSha256       string  `json:"codeSha256"`
	CodeBytes        int64   `json:"codeBytes"`
	MaxUnpackedBytes int64   `json:"maxUnpackedBytes"`
	Epoch            *uint64 `json:"epoch"`
	// InitializationType is why the pod is initialised; empty means OnDemand.
	InitializationType string `json:"initializationType,omitempty"`
	// Layers are unpacked into /opt in this order; their zips follow the code's.
	Layers []Layer `json:"layers,omitempty"`
	// Role is nil when the function has none.
	Role *Role `json:"role,omitempty"`
	// Idle says what the function's processes do while nothing runs: IdleRunning; empty means that they are stopped.
	Idle string `json:"idle,omitempty"`
	// Image says what the pod's own image starts; then there is no code and there are no layers. Nil for a zip.
	Image *Image `json:"image,omitempty"`
}

// Image is how a function is started whose code is the pod's image.
type Image struct {
	// Process is ENTRYPOINT and CMD, at least one word.
	Process []string `json:"process"`
	// WorkingDirectory is empty for the image's own.
	WorkingDirectory string `json:"workingDirectory,omitempty"`
}

// IdleRunning lets the processes of an idle function go on.
const IdleRunning = "Running"

// Role is whose rights the function has outside.
type Role struct {
	Arn string `json:"arn"`
	// Token proves it to STS; INVOKE brings newer ones.
	Token  string `json:"token"`
	StsURL string `json:"stsUrl"`
}

// Layer is one zip behind the code's.
type Layer struct {
	Sha256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

// Why a pod is initialised, in Lambda's words.
const (
	OnDemand    = "on-demand"
	Provisioned = "provisioned-concurrency"
)

// Initialization is why the pod is initialised.
func (s Specialize) Initialization() string {
	if s.InitializationType == "" {
		return OnDemand
	}
	return s.InitializationType
}

// Specialized answers SPECIALIZE. Of provisioned concurrency it comes when init has ended: such a pod is there when it can work.
// For what comes on demand a call waits, which learns of init by itself.
type Specialized struct {
	VersionUID     string `json:"versionUid"`
	AlreadyClaimed bool   `json:"alreadyClaimed"`
	// InitError is why init has failed, of a claim whose answer waits for it.
	InitError string `json:"initError,omitempty"`
}

// FunctionKey is the name that FENCE uses for the function.
func (s Specialize) FunctionKey() string {
	if s.Function != "" {
		return s.Function
	}
	return s.FunctionNamespace + "/" + s.FunctionName
}

// Adopt asks to become the holder of a claimed pod.
type Adopt struct {
	VersionUID string `json:"versionUid"`
	Epoch      uint64 `json:"epoch"`
}

// Adopted answers ADOPT.
type Adopted struct {
	Busy []string `json:"busy"`
}

// Fence asks to refuse older owners of a function.
type Fence struct {
	// Function is namespace/name.
	Function string `json:"function"`
	Epoch    uint64 `json:"epoch"`
}

// Invoke is the head of INVOKE.
type Invoke struct {
	RequestID          string `json:"requestId"`
	InvokedFunctionArn string `json:"invokedFunctionArn"`
	TraceID            string `json:"traceId,omitempty"`
	ClientContext      string `json:"clientContext,omitempty"`
	Tail               bool   `json:"tail,omitempty"`
	// Stream is nil when the answer is wanted whole.
	Stream *Streaming `json:"stream,omitempty"`
	// RoleToken takes the place of Role's Token; empty means that it holds.
	RoleToken string `json:"roleToken,omitempty"`
}

// Response is the head of RESPONSE.
type Response struct {
	Kind        string `json:"kind"`
	ContentType string `json:"contentType,omitempty"`
	ErrorType   string `json:"errorType,omitempty"`
	// Streamed says that the answer follows in DATA.
	Streamed bool `json:"streamed,omitempty"`
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
	// Epoch is the highest one seen, with StaleEpoch on protocol 2.
	Epoch uint64 `json:"epoch,omitempty"`
}

// Error makes a Refusal usable as an error.
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Message }

// Refuse makes a Refusal.
func Refuse(code ErrorCode, message string) *Refusal { return &Refusal{Code: code, Message: message} }

// RefuseStale makes a Refusal for a gateway whose epoch must be above highest.
func RefuseStale(message string, highest uint64) *Refusal {
	return &Refusal{Code: StaleEpoch, Message: message, Epoch: highest}
}

// Package environment makes the variables of a function's process, exactly those of Lambda.
package environment

import (
	"cmp"
	"maps"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// Pod is what the variables need to know of the pod.
type Pod struct {
	Runtime      string
	ExecutionEnv string
	Region       string
	RuntimeAPI   string
	TaskDir      string
	OptDir       string
	TmpDir       string
	RuntimeDir   string
	// Image is the environment that the pod's image and its container have given the agent, NAME=value; nil where the image is Kappa's.
	Image []string
	// Interpreter is the full path of the language's executable; empty where the function brings its runtime.
	Interpreter string
	// Local says that the pod's folders are not Lambda's own.
	Local bool
}

// Function is what the variables need to know of the function version.
type Function struct {
	Name      string
	Version   string
	Handler   string
	MemoryMiB int
	LogFormat string
	// LogLevel is from when on the function's own lines are wanted, with JSON; empty means INFO.
	LogLevel  string
	LogStream string
	// InitializationType is why the pod is initialised: on-demand or provisioned-concurrency.
	InitializationType string
	// MaxConcurrency is how many invocations the process may take at once; not said when it is 1.
	MaxConcurrency int
	// Role is nil when the function has none.
	Role *Role
	User map[string]string
}

// Role is how the function's SDKs get credentials.
type Role struct {
	Arn       string
	TokenFile string
	StsURL    string
}

// Names for the bootstrap only, which removes them before any code of the function runs.
const (
	// BootName and BootGeneric mark a process that is started before its function is known.
	BootName    = "KAPPA_BOOT"
	BootGeneric = "generic"
	// OptDirName says where the layers are, when that is not defaultOptDir.
	OptDirName = "KAPPA_OPT_DIR"
)

// defaultOptDir is where a bootstrap looks for layers when it is told nothing.
const defaultOptDir = "/opt"

// wrapperName is the variable that names a user's script to start the runtime with.
const wrapperName = "AWS_LAMBDA_EXEC_WRAPPER"

// ForBootstrap is env for a new runtime process, which may be generic. A wrapper script is the user's own code, and starts
// without the bootstrap's names.
func ForBootstrap(pod Pod, env map[string]string, generic bool) (forProcess map[string]string, wrapper string) {
	if wrapper = env[wrapperName]; wrapper != "" && !generic {
		return env, wrapper
	}
	forProcess = maps.Clone(env)
	if pod.OptDir != defaultOptDir {
		forProcess[OptDirName] = pod.OptDir
	}
	if generic {
		forProcess[BootName] = BootGeneric
	}
	return forProcess, ""
}

// reserved names belong to the platform: a user's value for them is ignored.
var reserved = map[string]bool{
	"_HANDLER": true, "_X_AMZN_TRACE_ID": true, "AWS_REGION": true, "AWS_DEFAULT_REGION": true, "AWS_EXECUTION_ENV": true,
	"AWS_LAMBDA_FUNCTION_NAME": true, "AWS_LAMBDA_FUNCTION_VERSION": true, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": true,
	"AWS_LAMBDA_INITIALIZATION_TYPE": true, "AWS_LAMBDA_LOG_GROUP_NAME": true, "AWS_LAMBDA_LOG_STREAM_NAME": true,
	"AWS_ACCESS_KEY": true, "AWS_ACCESS_KEY_ID": true, "AWS_SECRET_ACCESS_KEY": true, "AWS_SESSION_TOKEN": true,
	"AWS_LAMBDA_RUNTIME_API": true, "AWS_LAMBDA_MAX_CONCURRENCY": true, "LAMBDA_TASK_ROOT": true, "LAMBDA_RUNTIME_DIR": true,
}

// Base is the environment that does not depend on the function.
func Base(pod Pod) map[string]string {
	if pod.Image != nil {
		return imageBase(pod)
	}
	env := map[string]string{
		"LANG":                     "en_US.UTF-8",
		"TZ":                       ":UTC",
		"PATH":                     searchPath(pod),
		"LD_LIBRARY_PATH":          libraryPath(pod),
		"AWS_REGION":               pod.Region,
		"AWS_DEFAULT_REGION":       pod.Region,
		"AWS_EXECUTION_ENV":        pod.ExecutionEnv,
		"AWS_LAMBDA_RUNTIME_API":   pod.RuntimeAPI,
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":  "169.254.79.129:2000",
		"LAMBDA_TASK_ROOT":         pod.TaskDir,
		"LAMBDA_RUNTIME_DIR":       pod.RuntimeDir,
	}
	addFamily(env, pod)
	if pod.Local {
		env["TMPDIR"] = pod.TmpDir // every pod of the machine shares /tmp itself
	}
	return env
}

// Complete is the environment of the function's process.
func Complete(pod Pod, function Function) map[string]string {
	env := Base(pod)
	env["AWS_LAMBDA_LOG_FORMAT"] = function.LogFormat
	if function.LogFormat == "JSON" {
		env["AWS_LAMBDA_LOG_LEVEL"] = cmp.Or(function.LogLevel, "INFO")
	}
	for name, value := range function.User {
		if IsUsers(name) {
			env[name] = value
		}
	}
	addRole(env, function)
	if function.Handler != "" { // an image need not have one
		env["_HANDLER"] = function.Handler
	}
	env["AWS_LAMBDA_FUNCTION_NAME"] = function.Name
	env["AWS_LAMBDA_FUNCTION_VERSION"] = function.Version
	env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = strconv.Itoa(function.MemoryMiB)
	env["AWS_LAMBDA_INITIALIZATION_TYPE"] = function.InitializationType
	if function.MaxConcurrency > 1 {
		env["AWS_LAMBDA_MAX_CONCURRENCY"] = strconv.Itoa(function.MaxConcurrency)
	}
	env["AWS_LAMBDA_LOG_GROUP_NAME"] = "/aws/lambda/" + function.Name
	env["AWS_LAMBDA_LOG_STREAM_NAME"] = function.LogStream
	return env
}

// addRole sets what SDKs look for to be the function's role; a user who sets one of these means something else.
func addRole(env map[string]string, function Function) {
	role := function.Role
	if role == nil || env["AWS_ROLE_ARN"] != "" || env["AWS_WEB_IDENTITY_TOKEN_FILE"] != "" {
		return
	}
	env["AWS_ROLE_ARN"] = role.Arn
	env["AWS_WEB_IDENTITY_TOKEN_FILE"] = role.TokenFile
	if len(function.Name) > 1 { // shorter names are not allowed to sessions; SDKs then make one
		env["AWS_ROLE_SESSION_NAME"] = function.Name
	}
	if env["AWS_ENDPOINT_URL_STS"] == "" {
		env["AWS_ENDPOINT_URL_STS"] = role.StsURL
	}
}

// IsUsers says whether a user may set the variable: reserved, hidden and Kappa's own names are dropped.
func IsUsers(name string) bool {
	return name != "" && !reserved[name] && name[0] != '_' && !strings.HasPrefix(name, "KAPPA_") && !strings.ContainsAny(name, "=\x00")
}

// NeedsFreshProcess says whether the user sets a variable to something else than what the generic process was started
// with, and its name matches a pattern of what only a new process can take.
func NeedsFreshProcess(patterns []string, base, user map[string]string) bool {
	for name, value := range user {
		if old, ok := base[name]; (!ok || old != value) && IsUsers(name) && matchesAny(patterns, name) {
			return true
		}
	}
	return false
}

func matchesAny(patterns []string, name string) bool {
	for _, pattern := range patterns {
		if matched, err := path.Match(pattern, name); err == nil && matched {
			return true
		}
	}
	return false
}

// List gives NAME=value entries for a new process. Values with a zero byte cannot be passed on and are left out.
func List(env map[string]string) []string {
	list := make([]string, 0, len(env))
	for name, value := range env {
		if !strings.Contains(value, "\x00") {
			list = append(list, name+"="+value)
		}
	}
	return list
}

func searchPath(pod Pod) string {
	standard := "/usr/local/bin:/usr/bin/:/bin:" + filepath.Join(pod.OptDir, "bin")
	switch {
	case pod.Interpreter == "":
		return standard
	case pod.Local: // the machine's own interpreter stands for /var/lang/bin
		return filepath.Dir(pod.Interpreter) + ":/var/lang/bin:" + standard
	default:
		return "/var/lang/bin:" + standard
	}
}

func libraryPath(pod Pod) string {
	task, opt, run := pod.TaskDir, pod.OptDir, pod.RuntimeDir
	standard := "/lib64:/usr/lib64:" + run + ":" + run + "/lib:" + task + ":" + task + "/lib:" + opt + "/lib"
	if pod.Interpreter == "" {
		return standard
	}
	return "/var/lang/lib:" + standard
}

// addFamily adds what Lambda sets for one language only.
func addFamily(env map[string]string, pod Pod) {
	if version, ok := strings.CutPrefix(pod.Runtime, "nodejs"); ok {
		major, _, _ := strings.Cut(version, ".")
		env["NODE_PATH"] = strings.Join([]string{
			filepath.Join(pod.OptDir, "nodejs/node"+major+"/node_modules"), filepath.Join(pod.OptDir, "nodejs/node_modules"),
			filepath.Join(pod.RuntimeDir, "node_modules"), pod.RuntimeDir, pod.TaskDir,
		}, ":")
	}
	if strings.HasPrefix(pod.Runtime, "python") {
		env["PYTHONPATH"] = pod.RuntimeDir
	}
	if version, ok := strings.CutPrefix(pod.Runtime, "ruby"); ok {
		env["GEM_HOME"] = pod.RuntimeDir
		env["GEM_PATH"] = filepath.Join(pod.TaskDir, "vendor/bundle/ruby", version+".0") + ":" + filepath.Join(pod.OptDir, "ruby/gems", version+".0")
		env["RUBYLIB"] = pod.TaskDir + ":" + filepath.Join(pod.RuntimeDir, "lib") + ":" + filepath.Join(pod.OptDir, "ruby/lib")
	}
	if pod.Interpreter == "" {
		delete(env, "AWS_EXECUTION_ENV") // as Lambda's OS-only runtimes
	}
}

package environment

import "maps"

// notForExtensions are what Lambda tells the runtime only.
var notForExtensions = []string{
	"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS",
	"LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "_HANDLER",
}

// ForExtension is env for the process of an external extension.
func ForExtension(env map[string]string) map[string]string {
	forProcess := maps.Clone(env)
	for _, name := range notForExtensions {
		delete(forProcess, name)
	}
	return forProcess
}

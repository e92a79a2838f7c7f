package environment

import "strings"

// ImageRuntime is the runtime of pods whose image is the user's.
const ImageRuntime = "image"

// imageBase is what the image's ENV says, with Lambda's defaults for what it leaves out. What the platform sets comes over both.
func imageBase(pod Pod) map[string]string {
	env := map[string]string{
		"TZ": ":UTC", "PATH": searchPath(pod), "LAMBDA_TASK_ROOT": pod.TaskDir, "LAMBDA_RUNTIME_DIR": pod.RuntimeDir,
	}
	for _, entry := range pod.Image {
		if name, value, ok := strings.Cut(entry, "="); ok && isImages(name) {
			env[name] = value
		}
	}
	env["AWS_REGION"], env["AWS_DEFAULT_REGION"] = pod.Region, pod.Region
	env["AWS_LAMBDA_RUNTIME_API"] = pod.RuntimeAPI
	env["AWS_XRAY_CONTEXT_MISSING"] = "LOG_ERROR"
	env["AWS_XRAY_DAEMON_ADDRESS"] = "169.254.79.129:2000"
	if pod.Local {
		env["TMPDIR"] = pod.TmpDir
	}
	return env
}

// isImages says whether a variable of the agent came with the image: what Kappa and Kubernetes set did not.
func isImages(name string) bool {
	return name != "" && name != "HOSTNAME" && !strings.HasPrefix(name, "KAPPA_") && !strings.HasPrefix(name, "KUBERNETES_")
}

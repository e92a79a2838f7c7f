// Package config reads the agent's environment and arguments once, at the edge.
package config

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"kappa.dev/agent/environment"
	"kappa.dev/agent/link"
)

// Config is everything that the pod template tells the agent.
type Config struct {
	PodUID        string
	PodIP         string
	GatewayKey    ed25519.PublicKey
	Runtime       string
	ExecutionEnv  string
	Region        string
	TaskDir       string
	OptDir        string
	TmpDir        string
	RuntimeDir    string
	RuntimeAPI    string
	FreshProcess  []string
	EnforceMemory bool
	// Local says that the pod's folders are not Lambda's own, so the interpreter is not either.
	Local bool
	// Command is the bootstrap; Command[0] is a full path. Empty: the function brings it.
	Command []string
}

// Ports of a pod.
const (
	LinkPort   = "9100"
	HealthPort = "9101"
)

// Parse reads variables with get and the arguments after the program's name. One error names every problem.
func Parse(args []string, get func(string) string) (Config, error) {
	var problems []error
	required := func(name string) string {
		value := get(name)
		if value == "" {
			problems = append(problems, fmt.Errorf("%s is not set", name))
		}
		return value
	}
	optional := func(name, fallback string) string {
		if value := get(name); value != "" {
			return value
		}
		return fallback
	}
	c := Config{
		PodUID: required("KAPPA_POD_UID"), PodIP: required("KAPPA_POD_IP"), Runtime: required("KAPPA_RUNTIME"),
		Region:     optional("KAPPA_REGION", "us-east-1"),
		TaskDir:    optional("KAPPA_TASK_DIR", "/var/task"),
		OptDir:     optional("KAPPA_OPT_DIR", "/opt"),
		TmpDir:     optional("KAPPA_TMP_DIR", "/tmp"),
		RuntimeDir: optional("KAPPA_RUNTIME_DIR", "/var/runtime"),
		RuntimeAPI: optional("KAPPA_RUNTIME_API", "127.0.0.1:9001"),
		Local:      get("KAPPA_TASK_DIR") != "", EnforceMemory: get("KAPPA_ENFORCE_MEMORY") == "1",
	}
	c.ExecutionEnv = optional("KAPPA_EXECUTION_ENV", "AWS_Lambda_"+c.Runtime)
	c.FreshProcess = splitList(get("KAPPA_FRESH_PROCESS"))
	key, err := link.ParsePublicKey(required("KAPPA_GATEWAY_PUBLIC_KEY"))
	if err != nil {
		problems = append(problems, fmt.Errorf("KAPPA_GATEWAY_PUBLIC_KEY: %w", err))
	}
	c.GatewayKey = key
	if c.Command, err = parseCommand(c.Runtime, args); err != nil {
		problems = append(problems, err)
	}
	return c, errors.Join(problems...)
}

func splitList(text string) []string {
	var list []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// parseCommand finds the program. Only in Lambda's OS-only runtimes and in users' images there is none before the function comes.
func parseCommand(runtime string, args []string) ([]string, error) {
	if len(args) == 0 && (strings.HasPrefix(runtime, "provided") || runtime == environment.ImageRuntime) {
		return nil, nil
	}
	if len(args) < 2 || args[0] != "--" {
		return nil, errors.New("usage: agent -- COMMAND [ARGUMENT…]; without arguments only for the runtimes provided* and image")
	}
	found, err := exec.LookPath(args[1])
	if err != nil {
		return nil, fmt.Errorf("cannot find the runtime: %w", err)
	}
	if found, err = filepath.Abs(found); err != nil {
		return nil, err
	}
	return append([]string{found}, args[2:]...), nil
}

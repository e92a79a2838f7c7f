package config

import (
	"slices"
	"strings"
	"testing"
)

const key = "MCowBQYDK2VwAyEAbnoc3Smwt4/ROvTFWY/v9O8qlxZuPKby5Pv8zYBQW/E="

func parse(args []string, change map[string]string) (Config, error) {
	env := map[string]string{
		"KAPPA_POD_UID": "uid", "KAPPA_POD_IP": "127.0.0.9", "KAPPA_RUNTIME": "python3.13", "KAPPA_GATEWAY_PUBLIC_KEY": key,
	}
	for name, value := range change {
		env[name] = value
	}
	return Parse(args, func(name string) string { return env[name] })
}

func TestTheClustersDefaults(t *testing.T) {
	c, err := parse([]string{"--", "sh", "-c", "x"}, map[string]string{"KAPPA_FRESH_PROCESS": "LD_*, TZ,,"})
	if err != nil {
		t.Fatal(err)
	}
	if c.TaskDir != "/var/task" || c.RuntimeAPI != "127.0.0.1:9001" || c.ExecutionEnv != "AWS_Lambda_python3.13" || c.Local || c.EnforceMemory {
		t.Errorf("%+v", c)
	}
	if !strings.HasPrefix(c.Command[0], "/") || !slices.Equal(c.Command[1:], []string{"-c", "x"}) {
		t.Errorf("%v", c.Command)
	}
	if !slices.Equal(c.FreshProcess, []string{"LD_*", "TZ"}) {
		t.Errorf("%v", c.FreshProcess)
	}
}

func TestEveryProblemIsNamed(t *testing.T) {
	_, err := parse([]string{"sh"}, map[string]string{"KAPPA_POD_UID": "", "KAPPA_GATEWAY_PUBLIC_KEY": "x"})
	for _, want := range []string{"KAPPA_POD_UID", "KAPPA_GATEWAY_PUBLIC_KEY", "usage"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if _, err := parse(nil, nil); err == nil {
		t.Error("a managed runtime without a program is taken")
	}
	if _, err := parse([]string{"--", "no-such-program"}, nil); err == nil {
		t.Error("a missing program is taken")
	}
}

func TestTheFunctionMayBringTheProgram(t *testing.T) {
	c, err := parse(nil, map[string]string{"KAPPA_RUNTIME": "provided.al2023"})
	if err != nil || c.Command != nil {
		t.Errorf("%v %v", err, c.Command)
	}
}

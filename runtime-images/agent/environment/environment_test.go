package environment

import "testing"

func TestFreshProcess(t *testing.T) {
	base := map[string]string{"TZ": ":UTC", "LANG": "en_US.UTF-8"}
	patterns := []string{"NODE_*", "LD_*", "LANG", "AWS_LAMBDA_EXEC_WRAPPER"}
	rows := []struct {
		reason, name, value string
		want                bool
	}{
		{"a name that matches", "NODE_OPTIONS", "--x", true},
		{"an exact name", "AWS_LAMBDA_EXEC_WRAPPER", "/opt/w", true},
		{"the value that is there already", "LANG", "en_US.UTF-8", false},
		{"another value", "LANG", "C", true},
		{"a name that does not match", "COLOUR", "blue", false},
		{"a name that is dropped anyway", "_NODE_X", "1", false},
	}
	for _, row := range rows {
		if got := NeedsFreshProcess(patterns, base, map[string]string{row.name: row.value}); got != row.want {
			t.Errorf("%s: %v", row.reason, got)
		}
	}
}

func TestNamesThatUsersMaySet(t *testing.T) {
	for name, want := range map[string]bool{
		"COLOUR": true, "PATH": true, "TZ": true, "_X": false, "AWS_REGION": false, "AWS_ACCESS_KEY_ID": false, "KAPPA_BOOT": false,
		"LAMBDA_TASK_ROOT": false, "": false, "A=B": false,
	} {
		if IsUsers(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestTheClusterHasLambdasFolders(t *testing.T) {
	env := Complete(Pod{
		Runtime: "python3.13", ExecutionEnv: "AWS_Lambda_python3.13", TaskDir: "/var/task", OptDir: "/opt", TmpDir: "/tmp", RuntimeDir: "/var/runtime",
		Interpreter: "/var/lang/bin/python3",
	}, Function{Name: "f", Version: "1", Handler: "a.b", MemoryMiB: 256, LogFormat: "JSON", InitializationType: "on-demand", User: map[string]string{"PATH": "/mine"}})
	for name, want := range map[string]string{
		"PATH": "/mine", "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
		"LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime", "PYTHONPATH": "/var/runtime", "AWS_LAMBDA_LOG_LEVEL": "INFO",
		"TMPDIR": "", "NODE_PATH": "",
	} {
		if env[name] != want {
			t.Errorf("%s: %q, want %q", name, env[name], want)
		}
	}
	if path := Base(Pod{OptDir: "/opt", Interpreter: "/var/lang/bin/node"})["PATH"]; path != "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin" {
		t.Error(path)
	}
}

func TestAFunctionThatBringsItsRuntimeHasLambdasOSOnlyEnvironment(t *testing.T) {
	env := Base(Pod{
		Runtime: "provided.al2023", ExecutionEnv: "AWS_Lambda_provided.al2023", TaskDir: "/var/task", OptDir: "/opt", RuntimeDir: "/var/runtime",
	})
	for name, want := range map[string]string{
		"PATH":            "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
	} {
		if env[name] != want {
			t.Errorf("%s: %q, want %q", name, env[name], want)
		}
	}
	if value, ok := env["AWS_EXECUTION_ENV"]; ok {
		t.Errorf("AWS_EXECUTION_ENV is %q", value)
	}
}

func TestWhatOnlyTheBootstrapMayKnow(t *testing.T) {
	rows := []struct {
		reason, optDir, wrapper string
		generic                 bool
		boot, opt               string
	}{
		{"generic in a cluster", "/opt", "", true, "generic", ""},
		{"generic on a machine", "/pod/opt", "", true, "generic", "/pod/opt"},
		{"fresh in a cluster", "/opt", "", false, "", ""},
		{"fresh on a machine", "/pod/opt", "", false, "", "/pod/opt"},
		{"behind the user's wrapper", "/pod/opt", "/opt/w", false, "", ""},
	}
	for _, row := range rows {
		env := map[string]string{"COLOUR": "blue"}
		if row.wrapper != "" {
			env["AWS_LAMBDA_EXEC_WRAPPER"] = row.wrapper
		}
		got, wrapper := ForBootstrap(Pod{OptDir: row.optDir}, env, row.generic)
		if got[BootName] != row.boot || got[OptDirName] != row.opt || got["COLOUR"] != "blue" || wrapper != row.wrapper {
			t.Errorf("%s: %v %q", row.reason, got, wrapper)
		}
		if env[BootName] != "" || env[OptDirName] != "" {
			t.Errorf("%s: the function's own environment is changed", row.reason)
		}
	}
}

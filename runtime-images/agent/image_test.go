package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kappa.dev/agent/link"
)

// imagePod is a pod whose image is a user's; extra are what the image's ENV says.
func imagePod(t *testing.T, extra ...string) *pod {
	return startPodWith(t, nil, append([]string{"KAPPA_RUNTIME=image"}, extra...)...)
}

func imageFunction(image *link.Image, change func(*link.Specialize)) link.Specialize {
	head := function("", change)
	head.Runtime, head.Image = "image", image
	return head
}

// awsImage lays out what AWS's base images have: an entry point that takes the handler as its only word and hands over to
// /var/runtime/bootstrap, and that starts an emulator where there is no Runtime API. It gives the entry point's path.
func awsImage(t *testing.T) string {
	dir := t.TempDir()
	bootstrap := filepath.Join(dir, "bootstrap")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(bootstrap, "env\nexec '"+os.Args[0]+"' test-runtime\n")
	entry := filepath.Join(dir, "lambda-entrypoint.sh")
	write(entry, `if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" 1>&2
  exit 142
fi
export _HANDLER="$1"
RUNTIME_ENTRYPOINT=`+bootstrap+`
if [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then
  exec /usr/local/bin/aws-lambda-rie $RUNTIME_ENTRYPOINT
else
  exec $RUNTIME_ENTRYPOINT
fi
`)
	return entry
}

func TestAnImageOfTheContractOfAWSRunsUnchanged(t *testing.T) {
	p := imagePod(t, "LAMBDA_TASK_ROOT=/function", "FROM_IMAGE=yes", "COLOUR=red", "KUBERNETES_PORT=x", "AWS_REGION=nowhere")
	if children := p.children(); len(children) != 0 {
		t.Fatalf("a pod without a function runs %v", children)
	}
	gateway := p.connect(1)
	image := &link.Image{Process: []string{awsImage(t), "index.count"}}
	head := imageFunction(image, func(head *link.Specialize) { head.Environment = map[string]string{"COLOUR": "blue"} })
	if _, err := gateway.Specialize(head, nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1", "2"} {
		if result := call(t, gateway, "{}"); string(result.Payload) != want || result.Report.Status != "success" {
			t.Fatalf("%s %+v", result.Payload, result.Report)
		}
	}
	p.await("the log", func() bool { return strings.Contains(p.output.String(), "REPORT ") })
	log := p.output.String()
	for _, want := range []string{
		"COLOUR=blue", "FROM_IMAGE=yes", "LAMBDA_TASK_ROOT=/function", "_HANDLER=index.count", "AWS_REGION=eu-central-1", "TZ=:UTC",
		"AWS_LAMBDA_FUNCTION_NAME=my-function", "PATH=" + os.Getenv("PATH"), "AWS_LAMBDA_RUNTIME_API=" + p.address + ":9001",
	} {
		if !strings.Contains(log, want+"\n") {
			t.Errorf("%s is not in the environment", want)
		}
	}
	for _, name := range []string{"KAPPA_POD", "KAPPA_RUNTIME", "KUBERNETES_", "AWS_EXECUTION_ENV="} {
		if strings.Contains(log, name) {
			t.Errorf("%s is in the environment", name)
		}
	}
}

func TestAPodOfAnImageKeepsItsFunction(t *testing.T) {
	p := imagePod(t)
	gateway := p.connect(1)
	if _, err := gateway.Specialize(imageFunction(&link.Image{Process: []string{awsImage(t), "index.count"}}, nil), nil); err != nil {
		t.Fatal(err)
	}
	if result := call(t, gateway, "{}"); string(result.Payload) != "1" {
		t.Fatalf("%s", result.Payload)
	}
	if _, err := gateway.Specialize(imageFunction(&link.Image{Process: []string{"other"}}, nil), nil); err != nil {
		t.Fatal(err) // the same version again is what it was
	}
	if result := call(t, gateway, "{}"); string(result.Payload) != "2" {
		t.Fatalf("%s", result.Payload)
	}
	p.killRuntime()
	p.awaitExit(0)
}

func TestTheProgramOfAnImageIsFoundAsEnginesDo(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"bin/serve": "exec", "near": "exec", "bin/data": ""} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o755)
		if text == "" {
			mode = 0o644
		}
		script := fmt.Sprintf("#!/bin/sh\necho started in $PWD with $*\nexec '%s' test-runtime\n", os.Args[0])
		if err := os.WriteFile(path, []byte(script), mode); err != nil {
			t.Fatal(err)
		}
	}
	rows := []struct {
		reason  string
		process []string
		work    string
		// want is what the log says, or the error after "RequestId: ID Error: ".
		want, errorType string
	}{
		{"by the PATH of the function", []string{"serve", "a", "b c"}, dir, "started in " + dir + " with a b c", ""},
		{"from the working directory", []string{"./near"}, dir, "started in " + dir + " with", ""},
		{"nowhere in PATH", []string{"gone"}, dir, `exec: "gone": executable file not found in $PATH`, "Runtime.InvalidEntrypoint"},
		{"there, but no program", []string{"data"}, dir, `exec: "data": executable file not found in $PATH`, "Runtime.InvalidEntrypoint"},
		{"no such file", []string{"/no/where"}, "", "fork/exec /no/where: no such file or directory", "Runtime.InvalidEntrypoint"},
		{"no such working directory", []string{filepath.Join(dir, "near")}, dir + "/gone", "fork/exec " + dir + "/near: no such file or directory", "Runtime.InvalidEntrypoint"},
		{"it ends at once", []string{"/bin/sh", "-c", "exit 7"}, "", "Runtime exited with error: exit status 7", "Runtime.ExitError"},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			p := imagePod(t)
			gateway := p.connect(1)
			image := &link.Image{Process: row.process, WorkingDirectory: row.work}
			head := imageFunction(image, func(head *link.Specialize) {
				head.Environment = map[string]string{"PATH": filepath.Join(dir, "bin") + ":/usr/bin:/bin", "_HANDLER": "ignored"}
				head.Handler = "index.echo"
			})
			if _, err := gateway.Specialize(head, nil); err != nil {
				t.Fatal(err)
			}
			result := call(t, gateway, "7")
			if row.errorType == "" {
				if string(result.Payload) != "7" || !strings.Contains(p.output.String(), row.want) {
					t.Fatalf("%s %+v", result.Payload, result.Report)
				}
				return
			}
			errorType, message := errorBody(t, result.Payload)
			if want := "RequestId: " + result.Report.RequestID + " Error: " + row.want; errorType != row.errorType || message != want {
				t.Fatalf("%s %q, want %s %q", errorType, message, row.errorType, want)
			}
		})
	}
}

func TestWhatIsNoImageIsRefused(t *testing.T) {
	rows := []struct {
		reason string
		pod    func(*testing.T) *pod
		head   link.Specialize
		code   []byte
	}{
		{"a zip for a pod of an image", func(t *testing.T) *pod { return imagePod(t) }, function("index.echo", func(head *link.Specialize) { head.Runtime = "image" }), []byte("zip")},
		{"an image for a pod of a runtime", func(t *testing.T) *pod { return startPod(t) }, function("", func(head *link.Specialize) { head.Image = &link.Image{Process: []string{"x"}} }), nil},
		{"nothing to start", func(t *testing.T) *pod { return imagePod(t) }, imageFunction(&link.Image{}, nil), nil},
		{"code beside the image", func(t *testing.T) *pod { return imagePod(t) }, imageFunction(&link.Image{Process: []string{"x"}}, nil), []byte("zip")},
	}
	for _, row := range rows {
		t.Run(row.reason, func(t *testing.T) {
			gateway := row.pod(t).connect(1)
			stream, err := gateway.Specialize(row.head, row.code)
			if err != nil {
				t.Fatal(err)
			}
			result, err := gateway.Await(stream)
			if err != nil {
				t.Fatal(err)
			}
			if result.Refusal == nil || (result.Refusal.Code != link.BadFrame && result.Refusal.Code != link.BadCode) {
				t.Fatalf("%+v", result.Refusal)
			}
		})
	}
}

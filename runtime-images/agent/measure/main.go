// Command measure starts one agent with a given runtime and measures what the agent adds. Used by hand and by benchmarks:
// go run ./measure [-zip FILE] [-handler H] [-runtime R] [-n N] [-pause D] [-idle I] -- COMMAND…  (needs bin/agent)
package main

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kappa.dev/agent/link"
	"kappa.dev/agent/testgateway"
)

var (
	handler = flag.String("handler", "index.handler", "handler")
	runtime = flag.String("runtime", "nodejs24.x", "runtime identifier")
	source  = flag.String("source", "", "file that is the whole function")
	count   = flag.Int("n", 2000, "warm invocations")
	agent   = flag.String("agent", "bin/agent", "agent binary")
	pause   = flag.Duration("pause", 0, "time between two warm invocations")
	idle    = flag.String("idle", "", "Running: the function is not stopped between invocations")
)

const ip, uid = "127.77.77.77", "measure"

func main() {
	flag.Parse()
	if err := run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(command []string) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "measure")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	process := exec.Command(*agent, append([]string{"--"}, command...)...)
	process.Env = []string{
		"PATH=" + os.Getenv("PATH"), "KAPPA_POD_UID=" + uid, "KAPPA_POD_IP=" + ip, "KAPPA_RUNTIME_API=" + ip + ":9001",
		"KAPPA_RUNTIME=" + *runtime, "KAPPA_GATEWAY_PUBLIC_KEY=" + base64.StdEncoding.EncodeToString(der),
		"KAPPA_TASK_DIR=" + filepath.Join(dir, "task"), "KAPPA_OPT_DIR=" + filepath.Join(dir, "opt"), "KAPPA_TMP_DIR=" + filepath.Join(dir, "tmp"),
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	process.Stdout, process.Stderr = log, os.Stderr
	begin := time.Now()
	if err := process.Start(); err != nil {
		return err
	}
	defer func() { _ = process.Process.Kill(); _ = process.Wait() }()
	if err := awaitReady(); err != nil {
		return err
	}
	fmt.Printf("boot to ready        %v\n", time.Since(begin).Round(time.Microsecond))
	fmt.Printf("agent RSS, warm pod  %s\n", rss(process.Process.Pid))
	return call(private, process.Process.Pid)
}

func awaitReady() error {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if response, err := http.Get("http://" + ip + ":9101/readyz"); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return fmt.Errorf("not ready")
}

func call(private ed25519.PrivateKey, pid int) error {
	gateway, err := testgateway.Dial(ip + ":9100")
	if err != nil {
		return err
	}
	defer gateway.Close()
	if _, err := gateway.Handshake(testgateway.Identity{PodUID: uid, GatewayID: "g", Epoch: 1, Key: private}); err != nil {
		return err
	}
	code, err := makeZip()
	if err != nil {
		return err
	}
	begin := time.Now()
	_, err = gateway.Specialize(link.Specialize{
		VersionUID: "v", FunctionName: "f", Version: "$LATEST", Handler: *handler, Runtime: *runtime, MemoryMiB: 512, TimeoutMs: 10000,
		InitTimeoutMs: 10000, PerInstance: 1, LogFormat: "Text", Idle: *idle,
	}, code)
	if err != nil {
		return err
	}
	first, err := once(gateway, 0)
	if err != nil {
		return err
	}
	fmt.Printf("claim to answer      %v   (status %s, init %v ms, duration %v ms) %.80s\n", time.Since(begin).Round(time.Microsecond),
		first.Report.Status, *first.Report.InitDurationMs, first.Report.DurationMs, first.Payload)
	spent := cpu(pid)
	times, answers := make([]time.Duration, 0, *count), make([]time.Duration, 0, *count)
	for n := range *count {
		time.Sleep(*pause)
		begin := time.Now()
		result, err := once(gateway, n+1)
		if err != nil || result.Report.Status != "success" {
			return fmt.Errorf("%v %+v", err, result)
		}
		times, answers = append(times, time.Since(begin)), append(answers, result.Answered.Sub(begin))
	}
	spent = cpu(pid) - spent
	slices.Sort(times)
	slices.Sort(answers)
	fmt.Printf("warm to RESPONSE     p50 %v  p99 %v\n", answers[len(answers)/2], answers[len(answers)*99/100])
	fmt.Printf("warm to REPORT       p50 %v  p99 %v\n", times[len(times)/2], times[len(times)*99/100])
	fmt.Printf("agent CPU, one call  %v\n", spent/time.Duration(*count))
	fmt.Printf("agent RSS, %d calls  %s\n", *count, rss(pid))
	return nil
}

func once(gateway *testgateway.Gateway, n int) (testgateway.Result, error) {
	stream, err := gateway.Invoke(link.Invoke{
		RequestID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), InvokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:f",
	}, []byte(`{"key":"`+strings.Repeat("x", 500)+`"}`))
	if err != nil {
		return testgateway.Result{}, err
	}
	return gateway.Await(stream)
}

func makeZip() ([]byte, error) {
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	name, text := "index.mjs", []byte("export const handler = async (event) => event;\n")
	if *source != "" {
		var err error
		if text, err = os.ReadFile(*source); err != nil {
			return nil, err
		}
		name = filepath.Base(*source)
	}
	file, err := writer.Create(name)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(file, bytes.NewReader(text))
	err = writer.Close()
	return buffer.Bytes(), err
}

func rss(pid int) string {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if after, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(after)
		}
	}
	return "?"
}

// cpu is the time that the process's threads have run.
func cpu(pid int) (total time.Duration) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		var ran int64
		if _, err := fmt.Sscan(string(text), &ran); err == nil {
			total += time.Duration(ran)
		}
	}
	return total
}

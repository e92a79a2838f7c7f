// Package testruntime is a small language runtime for the agent's own tests. The handler's name says what it does.
package testruntime

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Main is the whole life of the process.
func Main() {
	client := &runtime{api: "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API"), optDir: os.Getenv("KAPPA_OPT_DIR")}
	if os.Getenv("KAPPA_BOOT") == "generic" {
		client.rehearse()
		client.claim()
	}
	must(os.Unsetenv("KAPPA_OPT_DIR"))
	client.load(os.Getenv("_HANDLER"))
	count, _ := strconv.Atoi(os.Getenv("AWS_LAMBDA_MAX_CONCURRENCY"))
	for range count - 1 { // each counts its own calls
		own := *client
		go own.serveAll()
	}
	client.serveAll()
}

func (r *runtime) serveAll() {
	for {
		r.serve(r.next())
	}
}

type runtime struct {
	api     string
	optDir  string
	handler string
	calls   int
}

type call struct {
	id     string
	header http.Header
	event  []byte
}

func must(err error) {
	if err != nil {
		fmt.Println("test runtime:", err)
		os.Exit(70)
	}
}

func (r *runtime) next() call {
	response, err := http.Get(r.api + "/2018-06-01/runtime/invocation/next")
	must(err)
	defer response.Body.Close()
	event, err := io.ReadAll(response.Body)
	must(err)
	if response.StatusCode != http.StatusOK {
		fmt.Println("next:", response.StatusCode, string(event))
		os.Exit(71)
	}
	return call{response.Header.Get("Lambda-Runtime-Aws-Request-Id"), response.Header, event}
}

// post returns the status and the body of the answer as one text.
func (r *runtime) post(path, errorType string, body io.Reader) string {
	request, err := http.NewRequest(http.MethodPost, r.api+"/2018-06-01/runtime/"+path, body)
	must(err)
	request.Header.Set("Content-Type", "application/json")
	if errorType != "" {
		request.Header.Set("Lambda-Runtime-Function-Error-Type", errorType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return strconv.Itoa(response.StatusCode) + " " + strings.TrimSpace(string(text))
}

func (r *runtime) respond(id string, body []byte) string {
	return r.post("invocation/"+id+"/response", "", bytes.NewReader(body))
}

func (r *runtime) rehearse() {
	c := r.next()
	r.respond(c.id, c.event)
}

func (r *runtime) claim() {
	response, err := http.Get(r.api + "/kappa/v1/claim")
	must(err)
	defer response.Body.Close()
	var assignment struct {
		Environment map[string]string
		Handler     string
		TaskRoot    string
	}
	must(json.NewDecoder(response.Body).Decode(&assignment))
	os.Clearenv()
	for name, value := range assignment.Environment {
		must(os.Setenv(name, value))
	}
	must(os.Chdir(assignment.TaskRoot))
}

// load is the init phase. Handlers "init.*" fail in it.
func (r *runtime) load(handler string) {
	r.handler = r.startInternal(handler)
	fmt.Println("init", handler)
	switch handler {
	case "init.error":
		r.post("init/error", "Runtime.ImportModuleError", strings.NewReader(`{"errorType":"Runtime.ImportModuleError","errorMessage":"no module"}`))
		os.Exit(1)
	case "init.exit":
		os.Exit(3)
	case "init.exit0":
		os.Exit(0)
	case "init.hang":
		time.Sleep(time.Hour)
	case "init.once": // fails in the init phase, and would succeed a second time
		if _, err := os.Stat("second"); err != nil {
			must(os.WriteFile("second", nil, 0o644))
			os.Exit(3)
		}
		r.handler = "index.count"
	case "init.never": // comes through init once, and never again
		if _, err := os.Stat("second"); err == nil {
			os.Exit(3)
		}
		must(os.WriteFile("second", nil, 0o644))
		r.handler = "index.exit1"
	}
}

// once fails as the event says, and leaves a file in the folder for temporary files; then it answers with that file.
func once(r *runtime, c call) {
	file := filepath.Join(os.TempDir(), "left")
	if text, err := os.ReadFile(file); err == nil {
		r.respond(c.id, text)
		return
	}
	must(os.WriteFile(file, []byte(`"of the first"`), 0o644))
	if string(c.event) == `"exit"` {
		os.Exit(1)
	}
	time.Sleep(time.Hour)
}

func (r *runtime) serve(c call) {
	r.calls++
	if handle, ok := handlers[r.handler]; ok {
		handle(r, c)
		return
	}
	if file, ok := strings.CutPrefix(r.handler, "file."); ok {
		text, err := os.ReadFile(file)
		must(err)
		r.respond(c.id, text)
		return
	}
	if file, ok := strings.CutPrefix(r.handler, "layer."); ok {
		text, err := os.ReadFile(filepath.Join(r.optDir, file))
		must(err)
		r.respond(c.id, text)
		return
	}
	fmt.Println("unknown handler", r.handler)
	os.Exit(72)
}

var handlers = map[string]func(*runtime, call){
	"index.echo":  func(r *runtime, c call) { r.respond(c.id, c.event) },
	"index.print": func(r *runtime, c call) { fmt.Println("hello from", c.id); r.respond(c.id, c.event) },
	"index.exit1": func(*runtime, call) { os.Exit(1) },
	"index.exit0": func(*runtime, call) { os.Exit(0) },
	"index.kill":  func(*runtime, call) { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) },
	"index.hang":  func(*runtime, call) { time.Sleep(time.Hour) },
	"index.throw": func(r *runtime, c call) {
		r.post("invocation/"+c.id+"/error", "TypeError", strings.NewReader(`{"errorType":"TypeError","errorMessage":"boom"}`))
	},
	"index.headers": func(r *runtime, c call) { body, _ := json.Marshal(c.header); r.respond(c.id, body) },
	"index.env":     func(r *runtime, c call) { body, _ := json.Marshal(os.Environ()); r.respond(c.id, body) },
	"index.opt":     func(r *runtime, c call) { body, _ := json.Marshal(r.optDir); r.respond(c.id, body) },
	"index.large":   func(r *runtime, c call) { fmt.Println(r.respond(c.id, make([]byte, 6291557))) },
	"index.limit":   func(r *runtime, c call) { r.respond(c.id, bytes.Repeat([]byte{'x'}, 6291556)) },
	"index.twice": func(r *runtime, c call) {
		r.respond(c.id, []byte(`"first"`))
		fmt.Println("second answer:", r.respond(c.id, []byte(`"second"`)))
	},
	"index.foreign": func(r *runtime, c call) {
		fmt.Println("foreign id:", r.respond("11111111-1111-1111-1111-111111111111", []byte(`"foreign"`)))
		r.respond(c.id, []byte(`"own"`))
	},
	"index.nexttwice": func(r *runtime, c call) {
		response, err := http.Get(r.api + "/2018-06-01/runtime/invocation/next")
		must(err)
		text, _ := io.ReadAll(response.Body)
		fmt.Println("early next:", response.StatusCode, strings.TrimSpace(string(text)))
		r.respond(c.id, c.event)
	},
	"index.answerthendie": func(r *runtime, c call) { r.respond(c.id, []byte(`"answered"`)); os.Exit(4) },
	"index.answerthenhang": func(r *runtime, c call) {
		r.respond(c.id, []byte(`"answered"`))
		time.Sleep(time.Hour)
	},
	"index.count": func(r *runtime, c call) { r.respond(c.id, []byte(strconv.Itoa(r.calls))) },
	"index.flood": flood,
	"index.once":  once,
	"index.daemon": func(r *runtime, c call) {
		daemon := exec.Command("setsid", "sh", "-c", "trap '' TERM; (sleep 3600 & echo $! > daemon.pid; wait) & exit 0")
		must(daemon.Run())
		waitForFile("daemon.pid")
		pid, _ := os.ReadFile("daemon.pid")
		r.respond(c.id, bytes.TrimSpace(pid))
	},
	"index.daemonhang": func(r *runtime, c call) {
		must(exec.Command("setsid", "sh", "-c", "(sleep 3600 & echo $! > daemon.pid; wait) & exit 0").Run())
		waitForFile("daemon.pid")
		time.Sleep(time.Hour)
	},
	"index.memory": func(r *runtime, c call) {
		var held [][]byte
		for {
			block := make([]byte, 8<<20)
			for i := range block {
				block[i] = 1
			}
			held = append(held, block)
			time.Sleep(10 * time.Millisecond)
			_ = held
		}
	},
	"index.dielater": func(r *runtime, c call) {
		r.respond(c.id, []byte(`"soon"`))
		go func() { time.Sleep(50 * time.Millisecond); os.Exit(0) }()
	},
	"index.wait": func(r *runtime, c call) { // as many milliseconds as the event says
		pause, _ := strconv.Atoi(string(c.event))
		time.Sleep(time.Duration(pause) * time.Millisecond)
		r.respond(c.id, c.event)
	},
	"index.spy": func(r *runtime, c call) { body, _ := json.Marshal(spy()); r.respond(c.id, body) },
	"index.orphans": func(r *runtime, c call) {
		must(exec.Command("sh", "-c", "for n in 1 2 3 4 5; do (sh -c 'exit 3' &); done").Run())
		r.respond(c.id, c.event)
	},
	"index.meet": meet,
	"index.release": func(r *runtime, c call) {
		waitForFile("release")
		r.respond(c.id, []byte(`"released"`))
	},
	"index.sleep":  func(r *runtime, c call) { time.Sleep(300 * time.Millisecond); r.respond(c.id, c.event) },
	"index.stream": stream,
}

func waitForFile(name string) {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if text, err := os.ReadFile(name); err == nil && len(text) > 0 {
			return
		}
	}
}

var met sync.WaitGroup

func init() {
	met.Add(meeting)
	handlers["index.as"] = func(r *runtime, c call) { // the event is the name of what to do
		handlers[strings.Trim(string(c.event), `"`)](r, c)
	}
}

// meeting is how many calls of index.meet wait for each other.
const meeting = 10

// meet prints its id before and after all have come.
func meet(r *runtime, c call) {
	fmt.Println("before", c.id)
	met.Done()
	met.Wait()
	fmt.Println("after", c.id)
	r.respond(c.id, []byte(c.id))
}

// flood prints as many MiB as the event says, then one last line.
func flood(r *runtime, c call) {
	count, _ := strconv.Atoi(string(c.event))
	block := bytes.Repeat([]byte(strings.Repeat("x", 1023)+"\n"), 1024)
	for range count {
		_, _ = os.Stdout.Write(block)
	}
	fmt.Println("last line")
	r.respond(c.id, []byte(`"printed"`))
}

// spy tries what a function must not be able to do to the agent, and where it may write. Empty texts are successes.
func spy() map[string]string {
	tries := map[string]func() error{
		"own environment": func() error { _, err := os.ReadFile("/proc/self/environ"); return err },
		"environment":     func() error { _, err := os.ReadFile("/proc/1/environ"); return err },
		"memory":          func() error { _, err := os.Open("/proc/1/mem"); return err },
		"maps":            func() error { _, err := os.ReadFile("/proc/1/maps"); return err },
		"descriptors":     func() error { _, err := os.ReadDir("/proc/1/fd"); return err },
		"program":         func() error { _, err := os.Readlink("/proc/1/exe"); return err },
		"trace":           func() error { return syscall.PtraceAttach(1) },
		"kill":            func() error { _ = syscall.Kill(1, syscall.SIGKILL); _ = syscall.Kill(1, syscall.SIGSTOP); return nil },
		"root":            func() error { return os.WriteFile("/file", nil, 0o644) },
		"runtime folder":  func() error { return os.WriteFile("/var/runtime/file", nil, 0o644) },
		"task":            func() error { return os.WriteFile("/var/task/file", nil, 0o644) },
		"tmp":             func() error { return os.WriteFile("/tmp/file", nil, 0o644) },
		"layer":           func() error { return os.WriteFile("/opt/shared/greeting", nil, 0o644) },
		"layer's folder":  func() error { return os.WriteFile("/opt/shared/file", nil, 0o644) },
		"layer's program": func() error { return exec.Command("/opt/shared/program").Run() },
	}
	seen := map[string]string{"uid": strconv.Itoa(os.Getuid()), "parent": strconv.Itoa(os.Getppid())}
	for name, try := range tries {
		seen[name] = ""
		if err := try(); err != nil {
			seen[name] = err.Error()
		}
	}
	return seen
}

// Package testextension is a small external extension for the agent's own tests. Its mode says what it does.
package testextension

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Script is a file that, put into the folder of extensions, runs program as an extension in a mode.
func Script(program, mode string) string {
	return fmt.Sprintf("#!/bin/sh\nexec '%s' test-extension \"${0##*/}\" '%s'\n", program, mode)
}

// Main is the whole life of the process: name is the extension's, mode some words.
func Main(name, mode string) {
	x := &extension{name: name, words: strings.Fields(mode), api: "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API")}
	x.say("starts")
	if x.is("env") {
		environment := os.Environ()
		slices.Sort(environment)
		body, _ := json.Marshal(environment)
		x.say("env", string(body))
	}
	if x.is("half-line") {
		fmt.Printf("<%s> has no end", x.name)
	}
	if x.is("crash") || x.is("crash-second") && x.isSecond() {
		os.Exit(3)
	}
	if x.is("never-register") {
		time.Sleep(time.Hour)
	}
	x.register()
	if x.is("init-error") {
		x.say("init/error:", x.post("init/error", "My.InitError"))
		os.Exit(1)
	}
	x.prepare()
	if x.is("memory") {
		x.held = bytes.Repeat([]byte{1}, 64<<20)
	}
	if x.is("never-next") {
		time.Sleep(time.Hour)
	}
	for {
		x.handle(x.next())
	}
}

type extension struct {
	name, api, id string
	words         []string
	held          []byte
}

func (x *extension) is(word string) bool { return slices.Contains(x.words, word) }

// isSecond says whether it has been started in this pod before.
func (x *extension) isSecond() bool {
	file, err := os.OpenFile(x.File("started-"+x.name), os.O_CREATE|os.O_EXCL, 0o644)
	if err == nil {
		must(file.Close())
	}
	return err != nil
}

// say prints one line that tests look for.
func (x *extension) say(words ...string) { fmt.Println("<"+x.name+">", strings.Join(words, " ")) }

func must(err error) {
	if err != nil {
		fmt.Println("test extension:", err)
		os.Exit(70)
	}
}

func (x *extension) send(method, path string, body []byte, header ...string) (int, http.Header, string) {
	request, err := http.NewRequest(method, x.api+path, bytes.NewReader(body))
	must(err)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(err)
	return response.StatusCode, response.Header, strings.TrimSpace(string(text))
}

func (x *extension) register() {
	events := []string{"INVOKE", "SHUTDOWN"}
	switch {
	case x.is("only-shutdown"):
		events = events[1:]
	case x.is("no-events"):
		events = []string{}
	}
	body, _ := json.Marshal(map[string]any{"events": events})
	status, header, text := x.send("POST", "/2020-01-01/extension/register", body,
		"Lambda-Extension-Name", x.name, "Lambda-Extension-Accept-Feature", "accountId")
	x.id = header.Get("Lambda-Extension-Identifier")
	x.say("registered:", fmt.Sprint(status), text)
}

func (x *extension) post(path, errorType string) string {
	status, _, text := x.send("POST", "/2020-01-01/extension/"+path, []byte("{}"),
		"Lambda-Extension-Identifier", x.id, "Lambda-Extension-Function-Error-Type", errorType)
	return fmt.Sprint(status, " ", text)
}

type event struct {
	EventType, ShutdownReason string
}

func (x *extension) next() event {
	status, _, text := x.send("GET", "/2020-01-01/extension/event/next", nil, "Lambda-Extension-Identifier", x.id)
	x.say("event:", fmt.Sprint(status), text)
	var e event
	must(json.Unmarshal([]byte(text), &e))
	return e
}

func (x *extension) handle(e event) {
	switch e.EventType {
	case "INVOKE":
		x.invoke()
	case "SHUTDOWN":
		if x.is("stay") {
			time.Sleep(time.Hour)
		}
		x.say("ends")
		os.Exit(0)
	default:
		os.Exit(71)
	}
}

func (x *extension) invoke() {
	switch {
	case x.is("crash-in-invoke"):
		os.Exit(4)
	case x.is("exit-error-in-invoke"):
		x.say("exit/error:", x.post("exit/error", "My.ExitError"))
		os.Exit(0)
	case x.is("hang-in-invoke"):
		time.Sleep(time.Hour)
	case x.is("wait-in-invoke"):
		x.awaitTest()
	case x.is("exit-error-after-invoke"):
		go func() {
			x.awaitTest()
			x.say("exit/error:", x.post("exit/error", "My.ExitError"))
		}()
	case x.is("flood-in-invoke"):
		line := strings.Repeat("y", 1000)
		for range 64 << 10 {
			fmt.Println(line)
		}
	}
	x.say("done")
}

// awaitTest waits until the test says so.
func (x *extension) awaitTest() {
	for _, err := os.Stat(x.File("go")); err != nil; _, err = os.Stat(x.File("go")) {
		time.Sleep(time.Millisecond)
	}
	must(os.Remove(x.File("go")))
}

// File is a file of that name in the function's folder for temporary files.
func (x *extension) File(name string) string { return filepath.Join(os.Getenv("TMPDIR"), name) }

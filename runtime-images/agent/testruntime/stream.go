package testruntime

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// stream answers in streaming mode as the event says, a list of steps:
//
//	"write TEXT", "repeat N" (N bytes at once), "wait FILE" (until it is there), "mark FILE" (makes it), "fail TYPE" (an error's
//	trailers), "break" (closes the connection; nothing is played after it but a last "wait FILE"), "exit" and "hang"; "type TYPE", first, sets the Content-Type
//
// What the agent has answered is printed.
func stream(r *runtime, c call) {
	var steps []string
	must(json.Unmarshal(c.event, &steps))
	reader, writer := io.Pipe()
	request, err := http.NewRequest(http.MethodPost, r.api+"/2018-06-01/runtime/invocation/"+c.id+"/response", reader)
	must(err)
	request.Header.Set("Lambda-Runtime-Function-Response-Mode", "streaming")
	request.Trailer = http.Header{"Lambda-Runtime-Function-Error-Type": nil, "Lambda-Runtime-Function-Error-Body": nil}
	if kind, ok := strings.CutPrefix(steps[0], "type "); ok {
		request.Header.Set("Content-Type", kind)
	}
	go func() { writer.CloseWithError(play(steps, writer, request.Trailer)) }()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println("streamed: error")
		if file, ok := strings.CutPrefix(steps[len(steps)-1], "wait "); ok {
			waitForFile(file) // the agent must have seen the end before it is asked for more
		}
		return
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	fmt.Println("streamed:", response.StatusCode, strings.TrimSpace(string(text)))
}

// play takes the steps; nil means that the body ends well.
func play(steps []string, to io.Writer, trailer http.Header) error {
	for _, step := range steps {
		verb, rest, _ := strings.Cut(step, " ")
		switch verb {
		case "write":
			must1(io.WriteString(to, rest))
		case "repeat":
			size, _ := strconv.Atoi(rest)
			must1(to.Write(bytes.Repeat([]byte{'x'}, size)))
		case "wait":
			waitForFile(rest)
		case "mark":
			must(os.WriteFile(rest, []byte("1"), 0o644))
		case "fail":
			body := fmt.Appendf(nil, `{"errorType":%q,"errorMessage":"boom"}`, rest)
			trailer.Set("Lambda-Runtime-Function-Error-Type", rest)
			trailer.Set("Lambda-Runtime-Function-Error-Body", base64.StdEncoding.EncodeToString(body))
		case "break":
			return io.ErrUnexpectedEOF
		case "exit":
			os.Exit(5)
		case "hang":
			time.Sleep(time.Hour)
		}
	}
	return nil
}

// must1 is must for what also gives a count: a write may fail, when nobody takes it any more.
func must1(_ int, err error) {
	if err != nil {
		fmt.Println("write failed")
	}
}

package testruntime

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// startInternal registers an internal extension for handlers "internal.*", which then takes events beside the handler of that name.
func (r *runtime) startInternal(handler string) string {
	name, ok := strings.CutPrefix(handler, "internal.")
	if !ok {
		return handler
	}
	id, text := r.callExtensions("POST", "register", `{"events":["INVOKE"]}`, "Lambda-Extension-Name", "internal")
	fmt.Println("internal registered:", text)
	if name == "neverNext" {
		return "index.echo"
	}
	go func() {
		for {
			_, text := r.callExtensions("GET", "event/next", "", "Lambda-Extension-Identifier", id)
			fmt.Println("internal event:", text)
		}
	}()
	return "index." + name
}

func (r *runtime) callExtensions(method, path, body string, header ...string) (id, text string) {
	request, err := http.NewRequest(method, r.api+"/2020-01-01/extension/"+path, bytes.NewReader([]byte(body)))
	must(err)
	request.Header.Set(header[0], header[1])
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err.Error() // the agent is gone
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	return response.Header.Get("Lambda-Extension-Identifier"), fmt.Sprint(response.StatusCode, " ", string(bytes.TrimSpace(answer)))
}

func init() {
	handlers["index.printjson"] = func(r *runtime, c call) {
		fmt.Println(`{"level":"INFO","message":"<&>"}`)
		r.respond(c.id, c.event)
	}
}

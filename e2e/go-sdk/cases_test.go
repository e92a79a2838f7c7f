package gosdk

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A step of the cases that every client plays: see e2e/src/lambda-cases.ts.
type step struct {
	Call    string            `json:"call"`
	With    map[string]any    `json:"with"`
	Status  int               `json:"status"`
	Gives   map[string]any    `json:"gives"`
	Keep    map[string]string `json:"keep"`
	Refused *string           `json:"refused"`
	Says    string            `json:"says"`
	Until   bool              `json:"until"`
}

func TestCases(t *testing.T) {
	client := newClient(1)
	for _, scenario := range given.Scenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			known := maps.Clone(given.Variables)
			for number, step := range scenario.Steps {
				if !knows(client, step.Call) {
					continue
				}
				if err := step.play(t.Context(), client, known); err != nil {
					t.Fatalf("step %d, %s: %.1500v", number+1, step.Call, err)
				}
			}
		})
	}
}

// knows tells whether this version of the SDK has heard of the operation.
func knows(client *lambda.Client, operation string) bool {
	return reflect.ValueOf(client).MethodByName(operation).IsValid()
}

func (s step) play(ctx context.Context, client *lambda.Client, known map[string]any) error {
	for end := time.Now().Add(patience); ; time.Sleep(25 * time.Millisecond) {
		err := s.once(ctx, client, known)
		if err == nil || !s.Until || time.Now().After(end) {
			return err
		}
	}
}

func (s step) once(ctx context.Context, client *lambda.Client, known map[string]any) error {
	answer, status, err := send(ctx, client, s.Call, filled(s.With, known).(map[string]any))
	if s.Refused != nil {
		return refusedAs(err, *s.Refused, s.Status, filled(s.Says, known).(string))
	}
	if err != nil {
		return err
	}
	if status != s.Status {
		return fmt.Errorf("status %d in place of %d", status, s.Status)
	}
	if problem := difference(answer, filled(s.Gives, known), ""); problem != "" {
		return fmt.Errorf("%s", problem)
	}
	for name, member := range s.Keep {
		if answer[member] == nil {
			return fmt.Errorf("there is no %s to keep", member)
		}
		known[name] = answer[member]
	}
	return nil
}

// send calls an operation by its name, with members by theirs; answers members and the status.
func send(ctx context.Context, client *lambda.Client, operation string, input map[string]any) (map[string]any, int, error) {
	method := reflect.ValueOf(client).MethodByName(operation)
	in := reflect.New(method.Type().In(1).Elem())
	if args, isThere := input["InvokeArgs"].(string); isThere {
		in.Elem().FieldByName("InvokeArgs").Set(reflect.ValueOf(strings.NewReader(args)))
		delete(input, "InvokeArgs")
	}
	if payload, isThere := input["Payload"].(string); isThere {
		input["Payload"] = []byte(payload)
	}
	encoded, err := json.Marshal(input)
	if err != nil {
		return nil, 0, err
	}
	if err := json.Unmarshal(encoded, in.Interface()); err != nil {
		return nil, 0, err
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	if err, _ := results[1].Interface().(error); err != nil {
		return nil, 0, err
	}
	metadata := results[0].Elem().FieldByName("ResultMetadata").Interface().(middleware.Metadata)
	response := awsmiddleware.GetRawResponse(metadata).(*smithyhttp.Response)
	answer, err := members(results[0].Interface())
	return answer, response.StatusCode, err
}

// members of an answer, by name. What a function has answered is text, whole or in pieces.
func members(output any) (map[string]any, error) {
	encoded, err := json.Marshal(output)
	if err != nil {
		return nil, err
	}
	var answer map[string]any
	if err := json.Unmarshal(encoded, &answer); err != nil {
		return nil, err
	}
	if stream, isStream := output.(*lambda.InvokeWithResponseStreamOutput); isStream {
		var pieces bytes.Buffer
		for event := range stream.GetStream().Events() {
			if chunk, isChunk := event.(*types.InvokeWithResponseStreamResponseEventMemberPayloadChunk); isChunk {
				pieces.Write(chunk.Value.Payload)
			}
		}
		answer["Payload"] = pieces.String()
		return answer, stream.GetStream().Close()
	}
	if payload, isThere := answer["Payload"].(string); isThere {
		decoded, err := base64.StdEncoding.DecodeString(payload)
		answer["Payload"] = string(decoded)
		return answer, err
	}
	return answer, nil
}

var variable = regexp.MustCompile(`<(\w+)>`)

// filled is the value with its variables; one that is nothing but a variable becomes that, whatever its type.
func filled(value any, known map[string]any) any {
	switch value := value.(type) {
	case string:
		if whole, isKnown := known[strings.Trim(value, "<>")]; isKnown && variable.FindString(value) == value {
			return whole
		}
		return variable.ReplaceAllStringFunc(value, func(found string) string {
			if text, isKnown := known[strings.Trim(found, "<>")]; isKnown {
				return fmt.Sprint(text)
			}
			return found
		})
	case []any:
		entries := make([]any, len(value))
		for at, entry := range value {
			entries[at] = filled(entry, known)
		}
		return entries
	case map[string]any:
		entries := make(map[string]any, len(value))
		for key, entry := range value {
			entries[key] = filled(entry, known)
		}
		return entries
	}
	return value
}

// difference says where an answer is not as it should be; "" = nowhere.
func difference(actual, wanted any, path string) string {
	isThere := actual != nil && actual != ""
	switch wanted := wanted.(type) {
	case nil:
		if isThere {
			return fmt.Sprintf("%s: there is %.500v", path, actual)
		}
		return ""
	case map[string]any:
		entries, _ := actual.(map[string]any)
		for key, entry := range wanted {
			if problem := difference(entries[key], entry, path+"."+key); problem != "" {
				return problem
			}
		}
		return ""
	case []any:
		entries, _ := actual.([]any)
		if len(entries) != len(wanted) {
			return fmt.Sprintf("%s: %.500v has not %d entries", path, actual, len(wanted))
		}
		for at, entry := range wanted {
			if problem := difference(entries[at], entry, fmt.Sprintf("%s[%d]", path, at)); problem != "" {
				return problem
			}
		}
		return ""
	}
	if wanted == "<any>" && isThere || wanted == actual {
		return ""
	}
	return fmt.Sprintf("%s: %.500v in place of %.500v", path, actual, wanted)
}

// Codes that the service model of Lambda does not declare: the SDK has no types for them.
var undeclared = map[string]bool{
	"AccessDeniedException":       true,
	"InvalidSignatureException":   true,
	"NotImplementedException":     true,
	"UnrecognizedClientException": true,
	"ValidationException":         true,
}

func refusedAs(err error, code string, status int, says string) error {
	var refusal smithy.APIError
	var response *awshttp.ResponseError
	if !errors.As(err, &refusal) || !errors.As(err, &response) {
		return fmt.Errorf("not refused with %s, but: %.1000v", code, err)
	}
	if refusal.ErrorCode() != code || response.HTTPStatusCode() != status || !strings.HasPrefix(refusal.ErrorMessage(), says) {
		return fmt.Errorf("refused with %s (%d) %.500s, not with %s (%d) %s",
			refusal.ErrorCode(), response.HTTPStatusCode(), refusal.ErrorMessage(), code, status, says)
	}
	if name := reflect.TypeOf(refusal).Elem().Name(); name != code && !undeclared[code] {
		return fmt.Errorf("%s is a %s to the SDK", code, name)
	}
	return nil
}

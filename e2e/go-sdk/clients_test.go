// Package gosdk tests Kappa's Lambda API with the AWS SDK for Go, which knows nothing of Kappa.
package gosdk

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// What the test that started this suite says of the platform.
var given struct {
	Variables map[string]any `json:"variables"`
	Scenarios []struct {
		Name  string `json:"name"`
		Steps []step `json:"steps"`
	} `json:"scenarios"`
}

// patience is the longest time that something may take to come true.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	text, err := os.ReadFile(os.Getenv("KAPPA_CASES"))
	if err == nil {
		err = json.Unmarshal(text, &given)
	}
	if err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// counter is an HTTP client that counts what it sends.
type counter struct {
	sent atomic.Int32
	// before hears the number of each request before it is sent; nil = nobody does.
	before func(number int32)
}

func (c *counter) Do(request *http.Request) (*http.Response, error) {
	number := c.sent.Add(1)
	if c.before != nil {
		c.before(number)
	}
	return http.DefaultClient.Do(request)
}

// newClient makes a client that sends a call at most `attempts` times.
func newClient(attempts int, options ...func(*lambda.Options)) *lambda.Client {
	key := credentials(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"))
	return lambda.New(lambda.Options{
		Region:           os.Getenv("AWS_REGION"),
		BaseEndpoint:     aws.String(os.Getenv("AWS_ENDPOINT_URL")),
		Credentials:      key,
		RetryMaxAttempts: attempts,
	}, options...)
}

func credentials(id, secret string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}, nil
	})
}

func counting(c *counter) func(*lambda.Options) {
	return func(options *lambda.Options) { options.HTTPClient = c }
}

func text(name string) string { return given.Variables[name].(string) }

func zipBytes(t *testing.T) []byte {
	t.Helper()
	bytes, err := base64.StdEncoding.DecodeString(text("zip"))
	must(t, err)
	return bytes
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// create makes a function and waits until it can be called; answers its name.
func create(t *testing.T, client *lambda.Client, name string) *string {
	t.Helper()
	_, err := client.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name,
		Runtime:      "nodejs24.x",
		Handler:      aws.String("index.handler"),
		Role:         aws.String(text("role")),
		Code:         &types.FunctionCode{ZipFile: zipBytes(t)},
	})
	must(t, err)
	active := lambda.NewFunctionActiveV2Waiter(client, func(o *lambda.FunctionActiveV2WaiterOptions) { o.MinDelay = time.Second })
	must(t, active.Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &name}, patience))
	return &name
}

// refused fails the test unless a call was refused so.
func refused(t *testing.T, err error, code string, status int) {
	t.Helper()
	must(t, refusedAs(err, code, status, ""))
}

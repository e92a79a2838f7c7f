package gosdk

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// While the API server of the cluster is away: the function `steady` was made and called before.

func TestWithoutAPIServerAChangeIsTriedAgainAndFailsAsThePlatformsFault(t *testing.T) {
	var count counter
	_, err := newClient(3, counting(&count)).PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{
		FunctionName: aws.String("steady"), ReservedConcurrentExecutions: aws.Int32(1),
	})
	refused(t, err, "ServiceException", 500)
	same(t, []int32{count.sent.Load()}, []int32{3})
}

func TestWithoutAPIServerCallsAndWhatIsKnownGoOn(t *testing.T) {
	client := newClient(1)
	answer, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("steady"), Payload: []byte(`{"edition":true}`)})
	must(t, err)
	same(t, []string{string(answer.Payload)}, []string{`"first"`})
	settings, err := client.GetAccountSettings(t.Context(), &lambda.GetAccountSettingsInput{})
	must(t, err)
	if settings.AccountUsage.FunctionCount == 0 {
		t.Error("it knows of no function")
	}
}

// Where this machine's clock is 20 minutes ahead of the platform's: the SDK learns that from the first answer.
func TestClockIsCorrectedByTheFirstAnswer(t *testing.T) {
	var count counter
	client := newClient(3, counting(&count))
	for _, sent := range []int32{2, 3} {
		_, err := client.ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
		must(t, err)
		same(t, []int32{count.sent.Load()}, []int32{sent})
	}
}

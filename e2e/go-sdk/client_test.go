package gosdk

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func TestEveryWaiterEnds(t *testing.T) {
	client := newClient(1)
	name := create(t, client, "waited-for")
	function := &lambda.GetFunctionInput{FunctionName: name}
	configuration := &lambda.GetFunctionConfigurationInput{FunctionName: name}
	must(t, lambda.NewFunctionExistsWaiter(client).Wait(t.Context(), function, patience))
	must(t, lambda.NewFunctionActiveWaiter(client).Wait(t.Context(), configuration, patience))
	_, err := client.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: name, Description: aws.String("changed")})
	must(t, err)
	must(t, lambda.NewFunctionUpdatedV2Waiter(client).Wait(t.Context(), function, patience))
	must(t, lambda.NewFunctionUpdatedWaiter(client).Wait(t.Context(), configuration, patience))
	published, err := client.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: name})
	must(t, err)
	version := &lambda.GetFunctionConfigurationInput{FunctionName: name, Qualifier: published.Version}
	must(t, lambda.NewPublishedVersionActiveWaiter(client).Wait(t.Context(), version, patience))
}

func TestPagesOfOneEntry(t *testing.T) {
	client := newClient(1)
	var names []string
	for at := range 3 {
		names = append(names, *create(t, client, fmt.Sprintf("paged-%d", at)))
	}
	var found []string
	functions := lambda.NewListFunctionsPaginator(client, &lambda.ListFunctionsInput{}, func(o *lambda.ListFunctionsPaginatorOptions) { o.Limit = 1 })
	for functions.HasMorePages() {
		page, err := functions.NextPage(t.Context())
		must(t, err)
		for _, function := range page.Functions {
			if slices.Contains(names, *function.FunctionName) {
				found = append(found, *function.FunctionName)
			}
		}
	}
	same(t, found, names)
	for _, description := range []string{"one", "two"} {
		_, err := client.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: &names[0], Description: &description})
		must(t, err)
		updated := lambda.NewFunctionUpdatedV2Waiter(client, func(o *lambda.FunctionUpdatedV2WaiterOptions) { o.MinDelay = time.Second })
		must(t, updated.Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &names[0]}, patience))
		published, err := client.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: &names[0]})
		must(t, err)
		_, err = client.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: &names[0], Name: &description, FunctionVersion: published.Version})
		must(t, err)
	}
	var numbers, aliases []string
	versions := lambda.NewListVersionsByFunctionPaginator(client, &lambda.ListVersionsByFunctionInput{FunctionName: &names[0]},
		func(o *lambda.ListVersionsByFunctionPaginatorOptions) { o.Limit = 1 })
	for versions.HasMorePages() {
		page, err := versions.NextPage(t.Context())
		must(t, err)
		for _, version := range page.Versions {
			numbers = append(numbers, *version.Version)
		}
	}
	same(t, numbers, []string{"$LATEST", "1", "2"})
	named := lambda.NewListAliasesPaginator(client, &lambda.ListAliasesInput{FunctionName: &names[0]}, func(o *lambda.ListAliasesPaginatorOptions) { o.Limit = 1 })
	for named.HasMorePages() {
		page, err := named.NextPage(t.Context())
		must(t, err)
		for _, alias := range page.Aliases {
			aliases = append(aliases, *alias.Name)
		}
	}
	same(t, aliases, []string{"one", "two"})
}

func TestPagesOfLayersAndMappings(t *testing.T) {
	client := newClient(1)
	for range 2 {
		_, err := client.PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{
			LayerName: aws.String("paged"), Content: &types.LayerVersionContentInput{ZipFile: zipBytes(t)},
		})
		must(t, err)
	}
	var numbers []int64
	versions := lambda.NewListLayerVersionsPaginator(client, &lambda.ListLayerVersionsInput{LayerName: aws.String("paged")},
		func(o *lambda.ListLayerVersionsPaginatorOptions) { o.Limit = 1 })
	for versions.HasMorePages() {
		page, err := versions.NextPage(t.Context())
		must(t, err)
		for _, version := range page.LayerVersions {
			numbers = append(numbers, version.Version)
		}
	}
	same(t, numbers, []int64{2, 1})
	name := create(t, client, "paged-fed")
	var made, found []string
	for at := range 3 {
		mapping, err := client.CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{
			FunctionName: name, EventSourceArn: aws.String(fmt.Sprintf("%s-%d", text("queue"), at)), Enabled: aws.Bool(false),
		})
		must(t, err)
		made = append(made, *mapping.UUID)
	}
	mappings := lambda.NewListEventSourceMappingsPaginator(client, &lambda.ListEventSourceMappingsInput{FunctionName: name},
		func(o *lambda.ListEventSourceMappingsPaginatorOptions) { o.Limit = 1 })
	for mappings.HasMorePages() {
		page, err := mappings.NextPage(t.Context())
		must(t, err)
		for _, mapping := range page.EventSourceMappings {
			found = append(found, *mapping.UUID)
		}
	}
	slices.Sort(made)
	same(t, found, made)
}

func same[Entry comparable](t *testing.T, found, wanted []Entry) {
	t.Helper()
	if !slices.Equal(found, wanted) {
		t.Fatalf("%v in place of %v", found, wanted)
	}
}

func TestAThrottledCallIsSentAgainAsOftenAsAsked(t *testing.T) {
	client := newClient(1)
	name := create(t, client, "throttled")
	_, err := client.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: name, ReservedConcurrentExecutions: aws.Int32(0)})
	must(t, err)
	var count counter
	_, err = newClient(3, counting(&count)).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: name})
	refused(t, err, "TooManyRequestsException", 429)
	var throttle *types.TooManyRequestsException
	if errors.As(err, &throttle); throttle.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
		t.Errorf("the reason is %s", throttle.Reason)
	}
	same(t, []int32{count.sent.Load()}, []int32{3})
}

func TestAThrottledCallSucceedsWhenThereIsRoomAgain(t *testing.T) {
	client := newClient(1)
	name := create(t, client, "throttled-once")
	_, err := client.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: name, ReservedConcurrentExecutions: aws.Int32(0)})
	must(t, err)
	count := counter{before: func(number int32) {
		if number == 2 {
			_, err := client.DeleteFunctionConcurrency(t.Context(), &lambda.DeleteFunctionConcurrencyInput{FunctionName: name})
			must(t, err)
		}
	}}
	answer, err := newClient(5, counting(&count)).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: name, Payload: []byte(`{"edition":true}`)})
	must(t, err)
	same(t, []string{string(answer.Payload)}, []string{`"first"`})
	same(t, []int32{count.sent.Load()}, []int32{2})
}

func TestWhatCannotBecomeBetterIsSentOnce(t *testing.T) {
	var count counter
	retrying := newClient(5, counting(&count))
	_, err := retrying.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("missing")})
	refused(t, err, "ResourceNotFoundException", 404)
	_, err = retrying.ListCapacityProviders(t.Context(), &lambda.ListCapacityProvidersInput{})
	refused(t, err, "NotImplementedException", 501)
	same(t, []int32{count.sent.Load()}, []int32{2})
}

func TestAnAnswerInPiecesHasAnEndWithItsLog(t *testing.T) {
	client := newClient(1)
	name := create(t, client, "streamed")
	pieces, end := stream(t, client, &lambda.InvokeWithResponseStreamInput{FunctionName: name, LogType: types.LogTypeTail, Payload: []byte(`{"grow":100000}`)})
	same(t, []int{pieces.Len()}, []int{100_002})
	if end.LogResult == nil || end.ErrorCode != nil {
		t.Errorf("it ended with %+v", end)
	}
	_, end = stream(t, client, &lambda.InvokeWithResponseStreamInput{FunctionName: name, Payload: []byte(`{"fail":"on purpose"}`)})
	if aws.ToString(end.ErrorCode) != "Unhandled" {
		t.Errorf("it ended with %+v", end)
	}
}

func stream(t *testing.T, client *lambda.Client, input *lambda.InvokeWithResponseStreamInput) (pieces bytes.Buffer, end types.InvokeWithResponseStreamCompleteEvent) {
	t.Helper()
	answer, err := client.InvokeWithResponseStream(t.Context(), input)
	must(t, err)
	for event := range answer.GetStream().Events() {
		switch event := event.(type) {
		case *types.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
			pieces.Write(event.Value.Payload)
		case *types.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
			end = event.Value
		}
	}
	must(t, answer.GetStream().Close())
	return pieces, end
}

func TestNobodyAndAWrongSecretAreRefused(t *testing.T) {
	signedBy := func(id, secret string) error {
		client := newClient(1, func(o *lambda.Options) { o.Credentials = credentials(id, secret) })
		_, err := client.ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
		return err
	}
	refused(t, signedBy("AKNOBODY", "none"), "UnrecognizedClientException", 403)
	refused(t, signedBy(text("accessKeyId"), "wrong"), "InvalidSignatureException", 403)
}

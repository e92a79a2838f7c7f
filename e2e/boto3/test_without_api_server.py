"""While the API server of the cluster is away: the function `steady` was made and called before."""

import json

from clients import ClientTest, lambda_client


class WithoutApiServer(ClientTest):
    def test_a_change_is_tried_again_and_fails_as_the_platforms_fault(self):
        change = lambda_client(attempts=3).put_function_concurrency
        error = self.refusal(change, FunctionName="steady", ReservedConcurrentExecutions=1)
        self.assert_refused(error, "ServiceException", 500, retries=2)

    def test_calls_and_what_is_known_go_on(self):
        answer = self.client.invoke(FunctionName="steady", Payload=b'{"edition":true}')
        self.assertEqual(json.load(answer["Payload"]), "first")
        self.assertGreater(self.client.get_account_settings()["AccountUsage"]["FunctionCount"], 0)

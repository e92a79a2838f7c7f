"""What boto3 does besides sending: it waits, turns pages, tries again, reads streams, signs."""

import json

from clients import ClientTest, ZIP, create, lambda_client, variables

PATIENT = {"Delay": 1, "MaxAttempts": 30}


class Waiters(ClientTest):
    def wait(self, name, **arguments):
        self.client.get_waiter(name).wait(**arguments, WaiterConfig=PATIENT)

    def test_every_waiter_ends(self):
        name = {"FunctionName": create(self.client, "waited-for")}
        for waiter in ("function_exists", "function_active", "function_active_v2"):
            self.wait(waiter, **name)
        self.client.update_function_configuration(**name, Description="changed")
        for waiter in ("function_updated", "function_updated_v2"):
            self.wait(waiter, **name)
        version = self.client.publish_version(**name)["Version"]
        self.wait("published_version_active", **name, Qualifier=version)
        self.assertEqual(self.client.get_function_configuration(**name)["LastUpdateStatus"], "Successful")


class Pages(ClientTest):
    """With one entry each, every paginator that the model of boto3 has of what this install serves."""

    def all(self, operation, members, **arguments):
        pages = list(self.client.get_paginator(operation).paginate(**arguments, PaginationConfig={"PageSize": 1}))
        self.assertTrue(all(len(page[members]) <= 1 for page in pages))
        return [entry for page in pages for entry in page[members]]

    def test_functions_versions_and_aliases(self):
        names = [create(self.client, f"paged-{at}") for at in range(3)]
        found = [fn["FunctionName"] for fn in self.all("list_functions", "Functions")]
        self.assertEqual([name for name in found if name in names], names)
        of = {"FunctionName": names[0]}
        for description in ("one", "two"):
            self.client.update_function_configuration(**of, Description=description)
            self.client.get_waiter("function_updated_v2").wait(**of, WaiterConfig=PATIENT)
            version = self.client.publish_version(**of)["Version"]
            self.client.create_alias(**of, Name=description, FunctionVersion=version)
            self.client.put_function_event_invoke_config(**of, Qualifier=description, MaximumRetryAttempts=1)
            self.client.create_function_url_config(**of, Qualifier=description, AuthType="AWS_IAM")
        versions = self.all("list_versions_by_function", "Versions", **of)
        self.assertEqual([version["Version"] for version in versions], ["$LATEST", "1", "2"])
        for operation, members in (
            ("list_aliases", "Aliases"),
            ("list_function_event_invoke_configs", "FunctionEventInvokeConfigs"),
            ("list_function_url_configs", "FunctionUrlConfigs"),
        ):
            self.assertEqual(len(self.all(operation, members, **of)), 2, operation)

    def test_layers_and_mappings(self):
        for name in ("paged-a", "paged-b", "paged-b"):
            self.client.publish_layer_version(LayerName=name, Content={"ZipFile": ZIP})
        found = [layer["LayerName"] for layer in self.all("list_layers", "Layers")]
        self.assertEqual([name for name in found if name.startswith("paged-")], ["paged-a", "paged-b"])
        versions = self.all("list_layer_versions", "LayerVersions", LayerName="paged-b")
        self.assertEqual([version["Version"] for version in versions], [2, 1])
        of = {"FunctionName": create(self.client, "paged-fed")}
        made = {
            self.client.create_event_source_mapping(**of, EventSourceArn=f"{variables['queue']}-{at}", Enabled=False)["UUID"]
            for at in range(3)
        }
        mappings = self.all("list_event_source_mappings", "EventSourceMappings", **of)
        self.assertEqual({mapping["UUID"] for mapping in mappings}, made)


class Retries(ClientTest):
    def test_a_throttled_call_is_sent_again_as_often_as_asked(self):
        name = create(self.client, "throttled")
        self.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        for mode in ("legacy", "standard"):
            with self.subTest(mode=mode):
                error = self.refusal(lambda_client(attempts=3, mode=mode).invoke, FunctionName=name)
                self.assert_refused(error, "TooManyRequestsException", 429, retries=2)
                self.assertEqual(error.response["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded")

    def test_a_throttled_call_succeeds_when_there_is_room_again(self):
        name = create(self.client, "throttled-once")
        self.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        retrying = lambda_client(attempts=5)
        sent = []

        def before_send(**_):
            sent.append(1)
            if len(sent) == 2:
                self.client.delete_function_concurrency(FunctionName=name)

        retrying.meta.events.register("before-send.lambda.Invoke", before_send)
        answer = retrying.invoke(FunctionName=name, Payload=b'{"edition":true}')
        self.assertEqual(json.load(answer["Payload"]), "first")
        self.assertEqual(answer["ResponseMetadata"]["RetryAttempts"], 1)

    def test_what_cannot_become_better_is_sent_once(self):
        retrying = lambda_client(attempts=5)
        error = self.refusal(retrying.get_function, FunctionName="missing")
        self.assert_refused(error, "ResourceNotFoundException", 404)
        self.assert_refused(self.refusal(retrying.list_capacity_providers), "NotImplementedException", 501)


class Streams(ClientTest):
    def test_an_answer_in_pieces_has_an_end_with_its_log(self):
        name = create(self.client, "streamed")
        answer = self.client.invoke_with_response_stream(FunctionName=name, LogType="Tail", Payload=b'{"grow":100000}')
        *pieces, end = answer["EventStream"]
        self.assertEqual(len(b"".join(piece["PayloadChunk"]["Payload"] for piece in pieces)), 100_002)
        self.assertEqual(sorted(end), ["InvokeComplete"])
        self.assertIn("LogResult", end["InvokeComplete"])
        failed = self.client.invoke_with_response_stream(FunctionName=name, Payload=b'{"fail":"on purpose"}')
        *_, end = failed["EventStream"]
        self.assertEqual(end["InvokeComplete"]["ErrorCode"], "Unhandled")


class Signing(ClientTest):
    def test_nobody_and_a_wrong_secret_are_refused(self):
        nobody = lambda_client(aws_access_key_id="AKNOBODY", aws_secret_access_key="none")
        self.assert_refused(self.refusal(nobody.list_functions), "UnrecognizedClientException", 403)
        wrong = lambda_client(aws_secret_access_key="wrong", aws_access_key_id=variables["accessKeyId"])
        self.assert_refused(self.refusal(wrong.list_functions), "InvalidSignatureException", 403)

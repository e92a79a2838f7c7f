"""Clients of the platform under test, and what the test that started this suite says of it."""

import base64
import json
import os
import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

with open(os.environ["KAPPA_CASES"], encoding="utf-8") as file:
    given = json.load(file)

variables = given["variables"]
scenarios = given["scenarios"]
ZIP = base64.b64decode(variables["zip"])


def lambda_client(attempts=1, mode="standard", **more):
    """A client that sends a call at most `attempts` times."""
    config = Config(retries={"mode": mode, "total_max_attempts": attempts}, read_timeout=60)
    return boto3.client("lambda", config=config, **more)


def create(client, name, **more):
    """Makes a function and waits until it can be called; answers its name."""
    usual = {"Runtime": "nodejs24.x", "Handler": "index.handler", "Role": variables["role"], "Code": {"ZipFile": ZIP}}
    client.create_function(FunctionName=name, **{**usual, **more})
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    return name


class ClientTest(unittest.TestCase):
    """A test with a client that tries once."""

    @classmethod
    def setUpClass(cls):
        cls.client = lambda_client()

    def refusal(self, call, **arguments):
        """What `call` is refused with."""
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        return caught.exception

    def assert_refused(self, error, code, status, retries=0):
        """By code, status and the number of times that it was sent again."""
        answered = error.response["ResponseMetadata"]
        self.assertEqual(
            (error.response["Error"]["Code"], answered["HTTPStatusCode"], answered["RetryAttempts"]),
            (code, status, retries),
        )

"""The second argument of a handler.

See https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

import json
import os
import sys
import time
from typing import Any, Dict, Optional

from .errors import RuntimeFault


class _Record:
    """Named fields of a JSON object; what is missing is None."""

    __slots__ = ()

    def __init__(self, fields: Dict[str, Any]) -> None:
        for name in self.__slots__:
            setattr(self, name, fields.get(name))

    def __repr__(self) -> str:
        fields = ",".join("%s=%s" % (name, getattr(self, name)) for name in self.__slots__)
        return "%s([%s])" % (type(self).__name__, fields)


class Client(_Record):
    """The mobile application that made the call."""

    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext(_Record):
    """What the caller sent as X-Amz-Client-Context."""

    __slots__ = ("custom", "env", "client")

    def __init__(self, fields: Dict[str, Any]) -> None:
        super().__init__(fields)
        if self.client is not None:
            self.client = Client(self.client)


class CognitoIdentity(_Record):
    """The caller's identity; both fields are None without one."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, fields: Dict[str, Any]) -> None:
        super().__init__(
            {
                "cognito_identity_id": fields.get("cognitoIdentityId"),
                "cognito_identity_pool_id": fields.get("cognitoIdentityPoolId"),
            }
        )


class LambdaContext:
    """About this invocation and the function. memory_limit_in_mb is a text, as in Lambda."""

    def __init__(self, headers: Dict[str, str]) -> None:
        self.aws_request_id = headers.get("lambda-runtime-aws-request-id")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        client_context = _parse(headers, "lambda-runtime-client-context", "Client Context")
        self.client_context: Optional[ClientContext] = None if client_context is None else ClientContext(client_context)
        self.identity = CognitoIdentity(_parse(headers, "lambda-runtime-cognito-identity", "Cognito Identity") or {})
        self._deadline_ms = int(headers.get("lambda-runtime-deadline-ms", 0))

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation times out, never below 0."""
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message: Any) -> None:
        """Writes to the log as it is, without a line end."""
        sys.stdout.write(str(message))

    def __repr__(self) -> str:
        shown = (
            "aws_request_id",
            "log_group_name",
            "log_stream_name",
            "function_name",
            "memory_limit_in_mb",
            "function_version",
            "invoked_function_arn",
            "client_context",
            "identity",
            "tenant_id",
        )
        return "%s([%s])" % (type(self).__name__, ",".join("%s=%s" % (name, getattr(self, name)) for name in shown))


def _parse(headers: Dict[str, str], header: str, what: str) -> Any:
    text = headers.get(header)
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise RuntimeFault("LambdaContextUnmarshalError", "Unable to parse %s JSON: %s" % (what, error)) from None

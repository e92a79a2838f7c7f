"""The Python runtime: starts before it belongs to a function (KAPPA_BOOT=generic), runs one invocation of its own through the
same code to warm it, waits for the claim, and becomes that function. Without KAPPA_BOOT it has the complete environment already.
docs/internals.md, "Agent and runtime process: pre-boot".
"""

import gc
import os
import sys

from kappa_runtime.context import LambdaContext
from kappa_runtime.environment import module_path, own_environment, replace_environment
from kappa_runtime.errors import error_body
from kappa_runtime.handler_loader import load_handler
from kappa_runtime.logs import LogScope, log_error, set_up_logging
from kappa_runtime.marshaller import marshal, to_json, unmarshal
from kappa_runtime.rehearsal import rehearse
from kappa_runtime.runtime_api import Claim, RuntimeApi


def main() -> None:
    """Runs until the agent ends the process."""
    api = RuntimeApi(os.environ.get("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"))
    scope = LogScope()
    opt_dir = os.environ.get("KAPPA_OPT_DIR", "/opt")
    # Whole lines at once, and none kept back: the process may be killed at any time.
    sys.stdout.reconfigure(line_buffering=True)
    claim = wait_for_claim(api, scope) if os.environ.get("KAPPA_BOOT") == "generic" else own_claim()
    replace_environment(claim.environment)
    os.chdir(claim.task_root)
    sys.path[:] = module_path(claim.task_root, opt_dir, sys.path)
    set_up_logging(scope)
    handler = load_or_exit(api, claim.handler)
    while True:
        serve_one(api, handler, scope)


def own_claim() -> Claim:
    """The environment that the agent started this process with is complete."""
    environment = own_environment()
    return Claim(environment, environment.get("_HANDLER", ""), environment.get("LAMBDA_TASK_ROOT", "/var/task"))


def wait_for_claim(api: RuntimeApi, scope: LogScope) -> Claim:
    """Warms every step that the first real invocation takes, then waits to be claimed."""
    serve_one(api, lambda event, _context: event, scope)
    scope.request_id = None
    rehearse()
    # What is loaded now lives as long as the process: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    return api.claim()


def load_or_exit(api: RuntimeApi, name: str):
    """The handler; when it cannot be had, the agent is told why and the process ends."""
    try:
        return load_handler(name)
    except Exception as error:
        body = error_body(error)
        log_error(body)
        api.fail_init(to_json(body).encode("utf-8", "surrogatepass"), body["errorType"])
        sys.exit(1)


def serve_one(api: RuntimeApi, handler, scope: LogScope) -> None:
    """Takes one invocation, runs it, answers it. SystemExit passes: it ends the process, as the user wanted."""
    headers, event = api.next()
    request_id = headers["lambda-runtime-aws-request-id"]
    scope.request_id = request_id
    scope.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
    trace_id = headers.get("lambda-runtime-trace-id")
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    try:
        context = LambdaContext(headers)
        result = handler(unmarshal(event, headers.get("content-type", "application/json")), context)
        body, content_type = marshal(result)
    except Exception as error:
        failure = error_body(error, request_id)
        log_error(failure)
        sys.stdout.flush()
        api.fail(request_id, to_json(failure).encode("utf-8", "surrogatepass"), failure["errorType"])
    else:
        sys.stdout.flush()
        api.respond(request_id, body, content_type)


if __name__ == "__main__":
    main()

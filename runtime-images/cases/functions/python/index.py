import os
import sys
import tempfile
import time

if os.environ.get("INIT") == "fail":
    raise ValueError("not today")
if os.environ.get("INIT") == "exit":
    sys.exit(3)


class OwnError(Exception):
    pass


count = 0


def echo(event, context):
    return event


def about(event, context):
    return {
        "requestId": context.aws_request_id,
        "functionName": context.function_name,
        "functionVersion": context.function_version,
        "memory": int(context.memory_limit_in_mb),
        "arn": context.invoked_function_arn,
        "logGroup": context.log_group_name,
        "logStream": context.log_stream_name,
        "remainingMs": context.get_remaining_time_in_millis(),
        "caller": context.client_context.custom["name"],
        "folder": os.getcwd(),
    }


def environment(event, context):
    return dict(os.environ)


def throw(event, context):
    raise OwnError("on purpose: ü")


def end(event, context):
    sys.exit(3)


def sleep(event, context):
    time.sleep(60)


def log(event, context):
    print("printed ü")
    print("to standard error", file=sys.stderr)


def large(event, context):
    return "x" * (event["bytes"] - 2)


def layer(event, context):
    import greeting

    return greeting.TEXT


def tmp(event, context):
    with open(os.path.join(tempfile.gettempdir(), "lines"), "a+", encoding="utf-8") as lines:
        lines.write("line\n")
        lines.seek(0)
        return len(lines.readlines())


def counted(event, context):
    global count
    count += 1
    return count


DOES = {
    "echo": echo, "context": about, "environment": environment, "throw": throw, "exit": end, "sleep": sleep, "log": log,
    "large": large, "layer": layer, "tmp": tmp, "count": counted,
}  # fmt: skip


def handler(event, context):
    return DOES[event["do"]](event, context)

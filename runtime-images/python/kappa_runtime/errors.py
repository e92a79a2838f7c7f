"""What the caller of a failed function gets, and the log line about it."""

import os
import sys
import traceback
from typing import Any, Dict, List, Optional

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
# Log readers strip ordinary leading blanks.
_NO_BREAK_SPACE = "\u00a0"


class RuntimeFault(Exception):
    """An error that the runtime itself reports. Its type carries the prefix `Runtime.`: a promise, never reworded."""

    def __init__(self, kind: str, message: str, stack_trace: Optional[List[str]] = None) -> None:
        super().__init__(message)
        self.error_type = "Runtime." + kind
        self.stack_trace = stack_trace or []


def error_body(error: BaseException, request_id: str = "") -> Dict[str, Any]:
    """The error object on the wire. The stack trace starts at the first frame that is not this package's."""
    if isinstance(error, RuntimeFault):
        return _body(str(error), error.error_type, error.stack_trace, request_id)
    frames = traceback.extract_tb(error.__traceback__)
    first = next((at for at, frame in enumerate(frames) if not is_own(frame.filename)), 0)
    # As plain tuples, which have no columns: Lambda's traces carry no ^^^^ lines.
    plain = [(frame.filename, frame.lineno, frame.name, frame.line) for frame in frames[first:]]
    return _body(str(error), type(error).__name__, traceback.format_list(plain), request_id)


def is_own(filename: str) -> bool:
    """Whether a file belongs to the runtime."""
    return filename.startswith(_OWN_FOLDER) or filename == sys.modules["__main__"].__dict__.get("__file__")


def error_log_text(body: Dict[str, Any]) -> str:
    """One log line; the lines inside it are divided by carriage returns."""
    about = ": ".join(text for text in (body["errorType"], body["errorMessage"]) if text)
    lines = ["[ERROR] " + about if about else "[ERROR]", "Traceback (most recent call last):"]
    for entry in body["stackTrace"]:
        lines += [_indent_firmly(line) for line in entry.splitlines()] or [""]
    return "\r".join(lines) + "\n"


def _body(message: str, error_type: str, stack_trace: List[str], request_id: str) -> Dict[str, Any]:
    return {"errorMessage": message, "errorType": error_type, "requestId": request_id, "stackTrace": stack_trace}


def _indent_firmly(line: str) -> str:
    text = line.lstrip(" ")
    return _NO_BREAK_SPACE * (len(line) - len(text)) + text

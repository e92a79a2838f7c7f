"""Log lines as Lambda writes them, on standard output."""

import json
import logging
import os
import sys
import time
import traceback
from typing import Any, Dict, Optional

from .errors import error_log_text
from .marshaller import to_json

_SECONDS = "%Y-%m-%dT%H:%M:%S"
# What a record carries anyway; the rest came from `extra`.
_KNOWN = frozenset(logging.makeLogRecord({}).__dict__) | {"aws_request_id", "tenant_id", "taskName"}


class LogScope:
    """What each line says about where it came from; changes with each invocation."""

    def __init__(self) -> None:
        self.request_id: Optional[str] = None
        self.tenant_id: Optional[str] = None


class _Handler(logging.Handler):
    def __init__(self, scope: LogScope) -> None:
        super().__init__()
        self._scope = scope

    def emit(self, record: logging.LogRecord) -> None:
        record.aws_request_id = self._scope.request_id or ""
        record.tenant_id = self._scope.tenant_id
        sys.stdout.write(self.format(record))


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # Custom levels count as the standard one below them.
        level = logging.getLevelName(min(50, max(0, record.levelno)) // 10 * 10)
        message = record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage()
        line: Dict[str, Any] = {
            "timestamp": self.formatTime(record, _SECONDS + "Z"),
            "level": level,
            "message": message,
            "logger": record.name,
            **_exception_fields(record),
            "requestId": record.aws_request_id,
            "location": "%s:%s:%s" % (record.pathname, record.funcName, record.lineno) if record.exc_info else None,
            "tenantId": record.tenant_id,
        }
        for key, value in record.__dict__.items():
            if key not in _KNOWN and key not in line:
                line[key] = value
        shown = {key: value for key, value in line.items() if value is not None}
        # What JSON cannot say is said as text: a log line is never lost for it.
        return json.dumps(shown, ensure_ascii=False, default=str) + "\n"


def _exception_fields(record: logging.LogRecord) -> Dict[str, Any]:
    if not record.exc_info:
        return {}
    kind, error, frames = record.exc_info
    return {
        "stackTrace": traceback.format_tb(frames),
        "errorType": getattr(kind, "__name__", None),
        "errorMessage": str(error),
    }


def set_up_logging(scope: LogScope) -> None:
    """Gives the root logger Lambda's handler, with format and level of the environment."""
    logging.Formatter.converter = time.gmtime
    handler = _Handler(scope)
    if is_json():
        handler.setFormatter(_JsonFormatter())
    else:
        text = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
        handler.setFormatter(logging.Formatter(text, _SECONDS))
    root = logging.getLogger()
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper().replace("TRACE", "DEBUG")
    if isinstance(logging.getLevelName(level), int):
        root.setLevel(level)
    root.addHandler(handler)


def is_json() -> bool:
    """Whether the function wants JSON lines."""
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"


def log_error(body: Dict[str, Any]) -> None:
    """Logs an error object, as it goes to the caller."""
    if is_json():
        line = {"timestamp": time.strftime(_SECONDS + "Z", time.gmtime()), "level": "ERROR", **body}
        sys.stdout.write(to_json(line) + "\n")
    else:
        sys.stdout.write(error_log_text(body))

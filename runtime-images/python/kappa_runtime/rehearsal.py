"""Runs once what a claimed process does outside the Runtime API's loop."""

import logging

from .errors import RuntimeFault, error_body, error_log_text
from .handler_loader import load_handler
from .marshaller import to_json


def rehearse() -> None:
    """The first run of each step costs time that the first caller would wait. Prints nothing."""
    load_handler("kappa_runtime.rehearsal.rehearse")
    try:
        raise RuntimeFault("Rehearsal", "rehearsal")
    except RuntimeFault as error:
        error_log_text(error_body(error))
    record = logging.makeLogRecord({"msg": "rehearsal %s", "args": ("x",), "levelname": "INFO"})
    logging.Formatter("%(asctime)s.%(msecs)03dZ %(message)s", "%Y-%m-%dT%H:%M:%S").format(record)
    to_json({"rehearsal": [1, 1.5, None, "x"]})

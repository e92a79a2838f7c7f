"""Events and results as JSON, with the rules of Lambda's encoder (which is simplejson's) on the standard library's."""

import json
import math
import os
import sys
from typing import Any, Dict, Tuple

from .errors import RuntimeFault

# From 3.12 on Lambda sends characters beyond ASCII as they are.
_FIRST_WITH_UNICODE = (3, 12)
_PLAIN = frozenset((str, int, float, bool, type(None)))


def _refuse(constant: str) -> Any:
    raise ValueError("%s is not JSON" % constant)


# NaN and the infinities are Python's own extension; Lambda refuses them in events.
_DECODER = json.JSONDecoder(parse_constant=_refuse)


def unmarshal(event: bytes, content_type: str) -> Any:
    """The handler's first argument. Only JSON is decoded."""
    if content_type != "application/json":
        return event
    try:
        return _DECODER.decode(event.decode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise RuntimeFault("UnmarshalError", "Unable to unmarshal input: %s" % error) from None


def marshal(result: Any) -> Tuple[bytes, str]:
    """Body and content type of a result; bytes go out as they are."""
    if isinstance(result, bytes):
        return result, "application/unknown"
    try:
        return to_json(result).encode("utf-8", "surrogatepass"), "application/json"
    except Exception as error:
        raise RuntimeFault("MarshalError", "Unable to marshal response: %s" % error) from None


def to_json(value: Any) -> str:
    """JSON as Lambda writes it: Decimal as a number with all its digits, named tuples as objects, bytes as text."""
    encoder = _Encoder(ensure_ascii=_escapes_unicode())
    return encoder.encode(_without_named_tuples(value))


def _escapes_unicode() -> bool:
    name = os.environ.get("AWS_EXECUTION_ENV", "").rpartition("AWS_Lambda_python")[2]
    version = tuple(int(part) for part in name.split(".") if part.isdigit()) or sys.version_info[:2]
    return version < _FIRST_WITH_UNICODE


class _Encoder(json.JSONEncoder):
    """The C encoder has no way to emit a number as text: a Decimal leaves a mark, put right afterwards."""

    def __init__(self, ensure_ascii: bool) -> None:
        super().__init__(ensure_ascii=ensure_ascii)
        # Unguessable, so that no text of the user can be taken for a mark.
        self._mark = ""
        self._numbers: Dict[str, str] = {}

    def encode(self, o: Any) -> str:
        text = super().encode(o)
        if not self._numbers:
            return text
        parts = text.split('"' + self._mark)
        return parts[0] + "".join(self._numbers[part[:8]] + part[9:] for part in parts[1:])

    def default(self, o: Any) -> Any:
        if isinstance(o, bytes):
            return o.decode("utf-8")
        decimal = sys.modules.get("decimal")
        if decimal is None or not isinstance(o, decimal.Decimal):
            return super().default(o)
        if o.is_nan():
            return math.nan
        self._mark = self._mark or os.urandom(16).hex()
        key = "%08d" % len(self._numbers)
        self._numbers[key] = str(o)
        return self._mark + key


def _without_named_tuples(value: Any) -> Any:
    try:
        return _replace(value)
    except RecursionError:
        return value  # the encoder finds the right words for a circular reference


def _replace(value: Any) -> Any:
    """`value` itself when nothing in it is a named tuple."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, dict):
        changed = {}
        for key, item in value.items():
            if type(item) not in _PLAIN:
                replaced = _replace(item)
                if replaced is not item:
                    changed[key] = replaced
        return {**value, **changed} if changed else value
    if isinstance(value, (list, tuple)):
        if kind is not tuple and callable(getattr(value, "_asdict", None)):
            return _replace(value._asdict())
        items = [item if type(item) in _PLAIN else _replace(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value)) else value
    return value

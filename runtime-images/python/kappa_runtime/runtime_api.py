"""The agent's Runtime API over one kept-alive connection.

Own HTTP/1.1 code over a socket: http.client imports ssl and email, which cost each waiting pod 6 to 7 MB and 25 to 40 ms (ADR 0003).
"""

import json
import re
import socket
from typing import Dict, NamedTuple, Optional

_INVOCATION = "/2018-06-01/runtime/invocation/"
# Below this size head and body go out in one write.
_ONE_WRITE_BYTES = 65536


class Invocation(NamedTuple):
    """headers: names in lower case; event: the bytes as sent."""

    headers: Dict[str, str]
    event: bytes


class Claim(NamedTuple):
    """What a generic process becomes. environment is complete: nothing else may remain."""

    environment: Dict[str, str]
    handler: str
    task_root: str


class RuntimeApi:
    """One request at a time. Raises OSError or ValueError when the agent is gone or talks nonsense.

    See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._socket: Optional[socket.socket] = None
        self._reader = None

    def next(self) -> Invocation:
        """Waits for the next invocation, without a time limit."""
        status, headers, body = self._call("GET", _INVOCATION + "next")
        if status != 200:
            raise ValueError("runtime API: next answered %d" % status)
        return Invocation(headers, body)

    def respond(self, request_id: str, body: bytes, content_type: str) -> None:
        """Posts the answer. A refusal (too large, too late) is the agent's to report, so the status is not looked at."""
        self._call("POST", "%s%s/response" % (_INVOCATION, request_id), body, content_type)

    def fail(self, request_id: str, body: bytes, error_type: str) -> None:
        """Posts an error as the answer."""
        self._call("POST", "%s%s/error" % (_INVOCATION, request_id), body, error_type=error_type)

    def fail_init(self, body: bytes, error_type: str) -> None:
        """Says that the handler could not be loaded."""
        self._call("POST", "/2018-06-01/runtime/init/error", body, error_type=error_type)

    def claim(self) -> Claim:
        """Waits until this generic process is given a function, without a time limit."""
        status, _, body = self._call("GET", "/kappa/v1/claim")
        if status != 200:
            raise ValueError("runtime API: claim answered %d" % status)
        claim = json.loads(body)
        return Claim(claim["environment"], claim["handler"], claim["taskRoot"])

    def _call(self, method, path, body=None, content_type="application/json", error_type=None):
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: " + self._address]
        if error_type is not None:
            # A header takes visible ASCII only; an error's name can be anything.
            lines.append("Lambda-Runtime-Function-Error-Type: " + re.sub(r"[^\x20-\x7e]", "?", error_type)[:256])
        if body is not None:
            lines += ["Content-Type: " + content_type, "Content-Length: %d" % len(body)]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")
        connection = self._connected()
        if body is None or len(body) < _ONE_WRITE_BYTES:
            connection.sendall(head + (body or b""))
        else:
            connection.sendall(head)
            connection.sendall(body)
        return self._read()

    def _connected(self):
        if self._socket is None:
            host, port = self._address.rsplit(":", 1)
            self._socket = socket.create_connection((host, int(port)))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._reader = self._socket.makefile("rb")
        return self._socket

    def _read(self):
        status_line = self._line()
        if status_line[:9] != "HTTP/1.1 ":
            raise ValueError("runtime API: not an HTTP/1.1 response")
        headers = {}
        line = self._line()
        while line:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
            line = self._line()
        is_chunked = headers.get("transfer-encoding") == "chunked"
        body = self._chunks() if is_chunked else self._exactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            self._reader.close()
            self._socket.close()
            self._socket = None
        return int(status_line[9:12]), headers, body

    def _line(self):
        line = self._reader.readline(65536)
        if line[-2:] != b"\r\n":
            raise ConnectionError("runtime API: connection closed")
        return line[:-2].decode("utf-8")

    def _exactly(self, size):
        data = self._reader.read(size)
        if len(data) != size:
            raise ConnectionError("runtime API: connection closed")
        return data

    def _chunks(self):
        pieces = []
        size = int(self._line().partition(";")[0], 16)
        while size > 0:
            pieces.append(self._exactly(size))
            self._line()
            size = int(self._line().partition(";")[0], 16)
        while self._line():
            pass  # trailers
        return b"".join(pieces)

"""A real agent with the real bootstrap below it, for the tests: the gateway's side of the link, as little of it as they need.

The frame table is runtime-images/link/frames.yaml; the exchanges are in docs/internals.md.
"""

import base64
import hashlib
import io
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from typing import Any, Dict, NamedTuple, Optional, Sequence

_HERE = os.path.dirname(os.path.abspath(__file__))
_AGENT_FOLDER = os.path.join(os.path.dirname(_HERE), "agent")
_RUNTIME = "python%d.%d" % sys.version_info[:2]
_FRESH_PROCESS = "PYTHON*,LANG,LANGUAGE,LC_*,LD_*,MALLOC_*,GLIBC_TUNABLES,OPENSSL_*,AWS_LAMBDA_EXEC_WRAPPER"
_CHUNK_BYTES = 262144
_END = 1
_HELLO, _AUTH, _WELCOME, _SPECIALIZE, _SPECIALIZED = 0x01, 0x02, 0x03, 0x10, 0x11
_INVOKE, _DATA, _RESPONSE, _REPORT, _PING, _PONG, _ERROR = 0x20, 0x21, 0x22, 0x23, 0x30, 0x31, 0x3F


class Outcome(NamedTuple):
    """What came back for one invocation."""

    kind: str
    payload: bytes
    report: Dict[str, Any]

    @property
    def body(self) -> Any:
        """The payload as JSON."""
        return json.loads(self.payload)


class Pod:
    """Starts when constructed, on a loopback address of its own; stop() ends it and returns its log."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="kappa-runtime-")
        self.task_root = os.path.join(self._folder, "task")
        for name in ("task", "opt", "tmp"):
            os.mkdir(os.path.join(self._folder, name))
        self._key = SigningKey(os.urandom(32))
        self._uid = str(uuid.uuid4())
        self._host = "127.%d.%d.%d" % tuple(random.randint(1, 254) for _ in range(3))
        self._log = open(os.path.join(self._folder, "log"), "wb")
        command = [_agent(), "--", sys.executable, os.path.join(_HERE, "bootstrap.py")]
        self._process = subprocess.Popen(command, env=self._environment(), stdout=self._log, stderr=self._log)
        self._stream = 0
        self._connection = self._connect()
        self._shake_hands()

    def _environment(self) -> Dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "KAPPA_POD_UID": self._uid,
            "KAPPA_POD_NAME": "test",
            "KAPPA_POD_IP": self._host,
            "KAPPA_RUNTIME": _RUNTIME,
            "KAPPA_RUNTIME_API": self._host + ":9001",
            "KAPPA_TASK_DIR": self.task_root,
            "KAPPA_OPT_DIR": os.path.join(self._folder, "opt"),
            "KAPPA_TMP_DIR": os.path.join(self._folder, "tmp"),
            "KAPPA_FRESH_PROCESS": _FRESH_PROCESS,
            "KAPPA_GATEWAY_PUBLIC_KEY": self._key.public_spki,
        }

    def claim(self, files: Dict[str, str], handler: str, environment: Optional[Dict[str, str]] = None, log_format: str = "Text", layers: Sequence[Dict[str, Any]] = ()) -> None:
        """Makes the pod a function. `layers` are files by name, too. Raises RuntimeError when the agent refuses."""
        code, zips = _zip_of(files), [_zip_of(layer) for layer in layers]
        head = {
            "versionUid": str(uuid.uuid4()),
            "functionName": "my-function",
            "functionNamespace": "default",
            "version": "$LATEST",
            "handler": handler,
            "runtime": _RUNTIME,
            "memoryMiB": 128,
            "timeoutMs": 20000,
            "initTimeoutMs": 10000,
            "perInstance": 1,
            "environment": environment or {},
            "accountId": "000000000000",
            "region": "us-east-1",
            "logFormat": log_format,
            "codeSha256": hashlib.sha256(code).hexdigest(),
            "codeBytes": len(code),
            "maxUnpackedBytes": 262144000,
            "epoch": 1,
            "layers": [{"sha256": hashlib.sha256(each).hexdigest(), "bytes": len(each)} for each in zips],
        }
        self._send_message(_SPECIALIZE, head, b"".join([code, *zips]))
        self._expect(_SPECIALIZED)

    def invoke(self, event: Any = None, raw: Optional[bytes] = None, **head: Any) -> Outcome:
        """Runs one invocation until its report. `raw` is sent instead of the event's JSON."""
        arn = "arn:aws:lambda:us-east-1:000000000000:function:my-function"
        full = {"requestId": str(uuid.uuid4()), "invokedFunctionArn": arn, **head}
        self._send_message(_INVOKE, full, json.dumps(event).encode() if raw is None else raw)
        flags, body = self._expect(_RESPONSE)
        size = struct.unpack(">I", body[:4])[0]
        kind, pieces = json.loads(body[4 : 4 + size])["kind"], [body[4 + size :]]
        while not flags & _END:
            flags, body = self._expect(_DATA)
            pieces.append(body)
        return Outcome(kind, b"".join(pieces), json.loads(self._expect(_REPORT)[1]))

    def stop(self) -> str:
        """Ends the pod, removes its files and returns all it has logged."""
        self._connection.close()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)
        self._log.close()
        with open(self._log.name, encoding="utf-8", newline="") as log:
            text = log.read()
        shutil.rmtree(self._folder, ignore_errors=True)
        return text

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + 10
        while True:
            try:
                return socket.create_connection((self._host, 9100), timeout=30)
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.005)

    def _shake_hands(self) -> None:
        nonce = json.loads(self._expect(_HELLO)[1])["nonce"]
        text = "kappa-link\n%s\n%s\n%s\n%d" % (nonce, self._uid, "test", 1)
        signature = base64.b64encode(self._key.sign(text.encode())).decode()
        auth = {"protocol": 1, "podUid": self._uid, "gatewayId": "test", "epoch": 1, "signature": signature}
        self._send(_AUTH, 0, json.dumps(auth).encode(), 0)
        self._expect(_WELCOME)

    def _send_message(self, kind: int, head: Dict[str, Any], data: bytes) -> None:
        self._stream += 1
        text = json.dumps(head).encode()
        first, rest = data[:_CHUNK_BYTES], data[_CHUNK_BYTES:]
        self._send(kind, self._stream, struct.pack(">I", len(text)) + text + first, 0 if rest else _END)
        while rest:
            piece, rest = rest[:_CHUNK_BYTES], rest[_CHUNK_BYTES:]
            self._send(_DATA, self._stream, piece, 0 if rest else _END)

    def _send(self, kind: int, stream: int, body: bytes, flags: int) -> None:
        self._connection.sendall(struct.pack(">IBBHI", 8 + len(body), kind, flags, 0, stream) + body)

    def _expect(self, wanted: int):
        while True:
            size, kind, flags, _, _ = struct.unpack(">IBBHI", self._receive(12))
            body = self._receive(size - 8)
            if kind == wanted:
                return flags, body
            if kind == _PING:
                self._send(_PONG, 0, b"", 0)
            elif kind == _ERROR:
                raise RuntimeError(body.decode())

    def _receive(self, size: int) -> bytes:
        pieces = []
        while size > 0:
            piece = self._connection.recv(min(size, 1 << 20))
            if not piece:
                raise ConnectionError("the agent has closed the link")
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


def _zip_of(files: Dict[str, Any]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return archive.getvalue()


def _agent() -> str:
    binary = os.path.join(_AGENT_FOLDER, "bin", "agent")
    if not os.path.exists(binary):
        subprocess.run(["go", "build", "-o", binary, "."], cwd=_AGENT_FOLDER, check=True)
    return binary


class SigningKey:
    """Ed25519, which the standard library lacks. For tests only: slow, and its timing gives the key away.

    See https://www.rfc-editor.org/rfc/rfc8032#section-5.1
    """

    _P = 2**255 - 19
    _ORDER = 2**252 + 27742317777372353535851937790883648493
    _D = -121665 * pow(121666, 2**255 - 21, 2**255 - 19) % (2**255 - 19)
    _BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
    _BASE_Y = 46316835694926478169428394003475163141307993866256225615783033603165251855960

    def __init__(self, seed: bytes) -> None:
        digest = hashlib.sha512(seed).digest()
        self._scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | (1 << 254)
        self._prefix = digest[32:]
        self._public = self._times_base(self._scalar)

    @property
    def public_spki(self) -> str:
        """base64 of the SPKI DER form."""
        return base64.b64encode(bytes.fromhex("302a300506032b6570032100") + self._public).decode()

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature."""
        nonce = self._number(self._prefix + message)
        point = self._times_base(nonce)
        challenge = self._number(point + self._public + message)
        return point + ((nonce + challenge * self._scalar) % self._ORDER).to_bytes(32, "little")

    def _number(self, data: bytes) -> int:
        return int.from_bytes(hashlib.sha512(data).digest(), "little") % self._ORDER

    def _times_base(self, scalar: int) -> bytes:
        result, power = (0, 1, 1), (self._BASE_X, self._BASE_Y, 1)
        while scalar:
            if scalar & 1:
                result = self._add(result, power)
            power = self._add(power, power)
            scalar >>= 1
        inverse = pow(result[2], self._P - 2, self._P)
        x, y = result[0] * inverse % self._P, result[1] * inverse % self._P
        return (y | (x & 1) << 255).to_bytes(32, "little")

    def _add(self, a, b):
        # Projective coordinates: one division at the end instead of two per addition.
        z = a[2] * b[2] % self._P
        xx, yy = a[0] * b[0] % self._P, a[1] * b[1] % self._P
        mixed = self._D * xx * yy % self._P
        minus, plus = z * z - mixed, z * z + mixed
        x = z * minus * ((a[0] + a[1]) * (b[0] + b[1]) - xx - yy)
        return x % self._P, z * plus * (yy + xx) % self._P, minus * plus % self._P

"""The cases that every client plays: e2e/lambda-api-cases."""

import base64
import re
import time

from botocore import xform_name

from clients import ClientTest, scenarios, variables

PATIENCE_SECONDS = 30


class Cases(ClientTest):
    def play(self, steps):
        known = dict(variables)
        for number, step in enumerate(steps, 1):
            try:
                self.until(step, known) if step["until"] else self.once(step, known)
            except Exception as problem:
                raise AssertionError(f"step {number}, {step['call']}: {problem}") from problem

    def until(self, step, known):
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.once(step, known)
            except AssertionError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.025)

    def once(self, step, known):
        call = getattr(self.client, xform_name(step["call"]))
        arguments = with_bytes(filled(step["with"], known))
        if step["refused"] is not None:
            error = self.refusal(call, **arguments)
            self.assert_refused(error, step["refused"], step["status"])
            self.assertIsInstance(error, getattr(self.client.exceptions, step["refused"], Exception))
            says = filled(step["says"], known)
            return self.assertEqual(error.response["Error"]["Message"][: len(says)], says)
        answer = as_text(call(**arguments))
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], step["status"])
        self.assertIsNone(difference(answer, filled(step["gives"], known)))
        for name, member in step["keep"].items():
            self.assertIn(member, answer)
            known[name] = answer[member]


def filled(value, known):
    """The value with its variables; one that is nothing but a variable becomes that, whatever its type."""
    if isinstance(value, str):
        whole = re.fullmatch(r"<(\w+)>", value)
        if whole and whole[1] in known:
            return known[whole[1]]
        return re.sub(r"<(\w+)>", lambda found: str(known.get(found[1], found[0])), value)
    if isinstance(value, list):
        return [filled(entry, known) for entry in value]
    if isinstance(value, dict):
        return {key: filled(entry, known) for key, entry in value.items()}
    return value


def with_bytes(arguments):
    """Zips as bytes; a text is one to boto3, too."""
    if "ZipFile" in arguments:
        return {**arguments, "ZipFile": base64.b64decode(arguments["ZipFile"])}
    return {
        name: with_bytes(value) if name in ("Code", "Content") else value for name, value in arguments.items()
    }


def as_text(answer):
    """What a function has answered as text, whole or in pieces."""
    if "EventStream" in answer:
        pieces = [event["PayloadChunk"]["Payload"] for event in answer["EventStream"] if "PayloadChunk" in event]
        return {**answer, "Payload": b"".join(pieces).decode()}
    if "Payload" in answer:
        return {**answer, "Payload": answer["Payload"].read().decode()}
    return answer


def difference(actual, wanted, path=""):
    """Where an answer is not as it should be; None = nowhere."""
    if wanted == "<any>":
        return f"{path}: there is nothing" if actual in (None, "") else None
    if wanted is None:
        return None if actual in (None, "") else f"{path}: there is {actual!r:.500}"
    if isinstance(wanted, dict) and isinstance(actual, dict):
        found = (difference(actual.get(key), entry, f"{path}.{key}") for key, entry in wanted.items())
        return next(filter(None, found), None)
    if isinstance(wanted, list) and isinstance(actual, list) and len(actual) == len(wanted):
        found = (difference(*pair, f"{path}[{at}]") for at, pair in enumerate(zip(actual, wanted)))
        return next(filter(None, found), None)
    return None if actual == wanted else f"{path}: {actual!r:.500} in place of {wanted!r:.500}"


for scenario in scenarios:
    setattr(Cases, f"test_{scenario['name']}", lambda self, steps=scenario["steps"]: self.play(steps))

"""What the caller gets when the function fails."""

import unittest

from pod_testing import Pod


class FailuresTest(unittest.TestCase):
    def claimed(self, files, handler="fn.handler") -> Pod:
        pod = Pod()
        self.addCleanup(pod.stop)
        pod.claim(files, handler)
        return pod

    def test_init_fails_as_in_lambda(self):
        good = "def handler(e, c):\n    return 1"
        for reason, files, handler, kind, message in [
            ("no file", {"x.py": good}, "fn.handler", "Runtime.ImportModuleError", "Unable to import module 'fn': No module named 'fn'"),
            (
                "no dependency",
                {"fn.py": "import nope"},
                "fn.handler",
                "Runtime.ImportModuleError",
                "Unable to import module 'fn': No module named 'nope'",
            ),
            ("bad syntax", {"fn.py": "def handler(:"}, "fn.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'fn': "),
            ("no function", {"fn.py": good}, "fn.other", "Runtime.HandlerNotFound", "Handler 'other' missing on module 'fn'"),
            ("no module", {"fn.py": good}, "fn", "Runtime.MalformedHandlerName", "Bad handler 'fn': not enough values to unpack"),
            ("built in", {"fn.py": good}, "sys.x", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
            ("module raises", {"fn.py": "raise KeyError('k')"}, "fn.handler", "KeyError", "'k'"),
        ]:
            with self.subTest(reason):
                outcome = self.claimed(files, handler).invoke()
                body = outcome.body
                self.assertEqual([outcome.kind, body["errorType"], body["requestId"]], ["error", kind, ""])
                self.assertTrue(body["errorMessage"].startswith(message), body["errorMessage"])

    def test_a_syntax_error_shows_the_line(self):
        body = self.claimed({"fn.py": "x = 1\ndef handler(:\n"}).invoke().body
        self.assertRegex(body["stackTrace"][0], r'^  File ".*/fn\.py" Line 2\n    def handler\(:')

    def test_what_a_handler_raises_becomes_the_body_and_the_next_call_works(self):
        code = """
import datetime
class Own(Exception):
    pass
def inner():
    raise Own('mine ü')
def handler(event, context):
    if event == 'own':
        inner()
    if event == 'no message':
        raise RuntimeError
    if event == 'cause':
        try:
            1 / 0
        except ZeroDivisionError as error:
            raise ValueError('outer') from error
    if event == 'date':
        return datetime.datetime(2020, 1, 1)
    if event == 'circle':
        circle = []
        circle.append(circle)
        return circle
    return event
"""
        pod = self.claimed({"fn.py": code})
        body = pod.invoke("own", requestId="r-1").body
        self.assertEqual([body["errorType"], body["errorMessage"], body["requestId"]], ["Own", "mine ü", "r-1"])
        self.assertEqual(len(body["stackTrace"]), 2, "the trace begins at the user's code")
        self.assertRegex(body["stackTrace"][0], r'^  File ".*/fn\.py", line 9, in handler\n    inner\(\)\n$')
        self.assertEqual(pod.invoke("no message").body["errorMessage"], "")
        self.assertEqual(pod.invoke("cause").body["errorType"], "ValueError")
        for event, words in (("date", "Object of type datetime is not JSON serializable"), ("circle", "Circular reference detected")):
            body = pod.invoke(event).body
            self.assertEqual(body["errorType"], "Runtime.MarshalError")
            self.assertEqual(body["errorMessage"], "Unable to marshal response: " + words)
        self.assertEqual(pod.invoke("fine").body, "fine")

    def test_an_event_that_is_no_json_is_refused(self):
        pod = self.claimed({"fn.py": "def handler(e, c):\n    return e"})
        for raw in (b"{bad", b"[NaN]", b""):
            with self.subTest(raw):
                body = pod.invoke(raw=raw).body
                self.assertEqual(body["errorType"], "Runtime.UnmarshalError")
                self.assertTrue(body["errorMessage"].startswith("Unable to unmarshal input: "))
        self.assertEqual(pod.invoke(1).body, 1)

    def test_an_invocation_that_takes_the_process_with_it_is_reported(self):
        for reason, code, message in [
            ("exit 0", "import sys; sys.exit(0)", "Runtime exited without providing a reason"),
            ("exit 3", "import sys; sys.exit(3)", "Runtime exited with error: exit status 3"),
            ("hard exit", "import os; os._exit(4)", "Runtime exited with error: exit status 4"),
            ("killed", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "Runtime exited with error: signal: killed"),
        ]:
            with self.subTest(reason):
                pod = self.claimed({"fn.py": "def handler(e, c):\n    %s" % code})
                outcome = pod.invoke(requestId="r-1")
                self.assertEqual(outcome.body, {"errorType": "Runtime.ExitError", "errorMessage": "RequestId: r-1 Error: " + message})
                self.assertIs(outcome.report["reusable"], True)


if __name__ == "__main__":
    unittest.main()

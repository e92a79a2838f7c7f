"""What a handler gets, and how what it returns reaches the caller."""

import ctypes
import json
import re
import sys
import unittest

from pod_testing import Pod


def libm() -> bytes:
    """Any shared library will do, as long as the name that it is given is found nowhere else."""
    ctypes.CDLL("libm.so.6")
    with open("/proc/self/maps", encoding="utf-8") as maps:
        (path, *_) = (line.split()[-1] for line in maps if "/libm" in line)
    with open(path, "rb") as library:
        return library.read()


class HandlersTest(unittest.TestCase):
    def claimed(self, files, handler, **more) -> Pod:
        pod = Pod()
        self.addCleanup(pod.stop)
        pod.claim(files, handler, **more)
        return pod

    def test_a_handler_is_found_in_modules_and_packages(self):
        code = "def handler(event, context):\n    return [__name__, event]"
        for handler in ("fn.handler", "pkg/sub.handler", "pkg.sub.handler"):
            with self.subTest(handler):
                module = handler.rsplit(".", 1)[0]
                pod = self.claimed({module.replace(".", "/") + ".py": code}, handler)
                self.assertEqual(pod.invoke({"n": 1}).body, [module.replace("/", "."), {"n": 1}])

    def test_modules_named_like_the_runtimes_own_are_the_users(self):
        files = {
            "fn.py": "import bootstrap, errors, context, logs\ndef handler(e, c):\n    return [m.X for m in (bootstrap, errors, context, logs)]",
            **{name + ".py": "X = '%s'" % name for name in ("bootstrap", "errors", "context", "logs")},
        }
        pod = self.claimed(files, "fn.handler")
        self.assertEqual(pod.invoke().body, ["bootstrap", "errors", "context", "logs"])

    def test_code_comes_first_then_layers(self):
        code = "import os, sys\ndef handler(e, c):\n    return [os.getcwd()] + sys.path[:3]"
        pod = self.claimed({"fn.py": code}, "fn.handler")
        layer = "/python/lib/python%d.%d/site-packages" % sys.version_info[:2]
        where = pod.invoke().body
        self.assertEqual(where[:2], [pod.task_root, pod.task_root])
        self.assertTrue(where[2].endswith(layer), where[2])
        self.assertTrue(where[3].endswith("/python"), where[3])

    def test_modules_and_libraries_of_layers_are_found(self):
        code = """
import ctypes, both, one, versioned
def handler(event, context):
    library = ctypes.CDLL("libof-a-layer.so")
    library.cos.restype, library.cos.argtypes = ctypes.c_double, [ctypes.c_double]
    return [both.X, one.X, versioned.X, library.cos(0)]
"""
        site = "python/lib/python%d.%d/site-packages/" % sys.version_info[:2]
        first = {"python/one.py": "X = 1", "python/both.py": "X = 'first'", "python/versioned.py": "X = 'any'"}
        second = {"python/both.py": "X = 'second'", site + "versioned.py": "X = 'own'", "lib/libof-a-layer.so": libm()}
        for environment in ({}, {"PYTHONHASHSEED": "0"}):
            with self.subTest(environment):
                pod = self.claimed({"fn.py": code}, "fn.handler", environment=environment, layers=[first, second])
                self.assertEqual(pod.invoke().body, ["second", 1, "own", 1.0])

    def test_the_context_says_what_lambda_says(self):
        code = """
import os
def handler(event, c):
    return [c.aws_request_id, c.function_name, c.function_version, c.memory_limit_in_mb, c.invoked_function_arn, c.log_group_name,
            c.log_stream_name, c.client_context.custom, c.client_context.client.app_title, c.identity.cognito_identity_id,
            c.get_remaining_time_in_millis(), os.environ.get('_X_AMZN_TRACE_ID')]
"""
        pod = self.claimed({"fn.py": code}, "fn.handler")
        client_context = json.dumps({"custom": {"name": "Zoë"}, "client": {"app_title": "T"}}, ensure_ascii=False)
        got = pod.invoke(requestId="abc-1", clientContext=client_context, traceId="Root=1-2-3").body
        arn = "arn:aws:lambda:us-east-1:000000000000:function:my-function"
        self.assertEqual(got[:6], ["abc-1", "my-function", "$LATEST", "128", arn, "/aws/lambda/my-function"])
        self.assertRegex(got[6], r"^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$")
        self.assertEqual(got[7:10], [{"name": "Zoë"}, "T", None])
        self.assertTrue(15000 < got[10] <= 20000, got[10])
        self.assertEqual(got[11], "Root=1-2-3")

    def test_results_are_encoded_as_lambda_does(self):
        code = """
import collections, decimal, enum
Point = collections.namedtuple('Point', 'x y')
class Level(enum.IntEnum):
    HIGH = 3
D = decimal.Decimal
results = {
    'none': None, 'decimals': [D('1.10'), D('NaN'), {'x': D('1E+5')}], 'named tuples': [Point(1, Point(2, 3)), {'k': (Point(0, 0),)}],
    'tuple': (1, 'a'), 'floats': [1.0, float('inf')], 'enum': Level.HIGH, 'bytes inside': {'a': b'xy'}, 'keys': {1: 1, None: 2, True: 3},
    'unicode': 'ü', 'big': 10 ** 20,
}
def handler(event, context):
    return results[event]
"""
        pod = self.claimed({"fn.py": code}, "fn.handler")
        unicode = '"ü"' if sys.version_info >= (3, 12) else '"\\u00fc"'
        for name, want in {
            "none": "null",
            "decimals": '[1.10, NaN, {"x": 1E+5}]',
            "named tuples": '[{"x": 1, "y": {"x": 2, "y": 3}}, {"k": [{"x": 0, "y": 0}]}]',
            "tuple": '[1, "a"]',
            "floats": "[1.0, Infinity]",
            "enum": "3",
            "bytes inside": '{"a": "xy"}',
            "keys": '{"1": 3, "null": 2}',
            "unicode": unicode,
            "big": "100000000000000000000",
        }.items():
            with self.subTest(name):
                self.assertEqual(pod.invoke(name).payload.decode(), want)

    def test_payloads_of_6_mb_go_both_ways(self):
        pod = self.claimed({"fn.py": "def handler(e, c):\n    return e"}, "fn.handler")
        text = ("☃ü𝄞" * 700000).encode()[: 6 * 1024 * 1024 - 2].decode("utf-8", "ignore")
        if sys.version_info < (3, 12):
            text = "x" * (6 * 1024 * 1024 - 2)
        outcome = pod.invoke(raw=('"%s"' % text).encode())
        self.assertEqual(outcome.kind, "response")
        self.assertTrue(outcome.body == text)
        self.assertEqual(pod.invoke("next").body, "next")

    def test_an_answer_above_the_limit_is_refused_and_the_next_call_works(self):
        pod = self.claimed({"fn.py": "def handler(e, c):\n    return 'x' * e"}, "fn.handler")
        outcome = pod.invoke(6 * 1024 * 1024 + 200)
        self.assertEqual([outcome.kind, outcome.body["errorType"]], ["error", "Function.ResponseSizeTooLarge"])
        self.assertEqual(pod.invoke(3).body, "xxx")


class EnvironmentTest(unittest.TestCase):
    NAMES = set(
        "AWS_DEFAULT_REGION AWS_EXECUTION_ENV AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION "
        "AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_FORMAT AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME "
        "AWS_LAMBDA_RUNTIME_API AWS_REGION AWS_XRAY_CONTEXT_MISSING AWS_XRAY_DAEMON_ADDRESS LAMBDA_RUNTIME_DIR LAMBDA_TASK_ROOT LANG "
        "LD_LIBRARY_PATH PATH PYTHONPATH TMPDIR TZ _HANDLER".split()
    )
    CODE = "import os, subprocess, sys, time\ndef handler(e, c):\n    return eval(e)"

    def run_in(self, environment, *expressions):
        pod = Pod()
        self.addCleanup(pod.stop)
        pod.claim({"fn.py": self.CODE}, "fn.handler", environment=environment)
        return [pod.invoke(expression).body for expression in expressions]

    def test_the_environment_is_exactly_the_functions(self):
        for reason, variables in {
            "taken over by the waiting process": {"MY_NAME": "välue"},
            "given to a fresh process": {"MY_NAME": "välue", "PYTHONHASHSEED": "7"},
        }.items():
            with self.subTest(reason):
                children = "dict(l.split('=', 1) for l in subprocess.check_output('env', text=True).splitlines())"
                own, childs = self.run_in(variables, "dict(os.environ)", children)
                self.assertEqual(set(own), self.NAMES | set(variables))
                self.assertEqual(own["MY_NAME"], "välue")
                childs.pop("_", None)
                self.assertEqual({name: value for name, value in childs.items() if name not in ("PWD", "SHLVL")}, own)

    def test_settings_of_the_interpreter_work_because_a_fresh_process_takes_them(self):
        (flags,) = self.run_in({"PYTHONHASHSEED": "0", "PYTHONOPTIMIZE": "2"}, "[sys.flags.hash_randomization, sys.flags.optimize]")
        self.assertEqual(flags, [0, 2])

    def test_the_time_zone_is_taken_over(self):
        hour, name = self.run_in({"TZ": "Asia/Tokyo"}, "time.localtime(0).tm_hour", "time.tzname[0]")
        self.assertEqual([hour, name], [9, "JST"])


class LogsTest(unittest.TestCase):
    def lines_of(self, code, log_format="Text"):
        pod = Pod()
        pod.claim({"fn.py": code}, "fn.handler", log_format=log_format)
        pod.invoke(requestId="r-1")
        platform = re.compile(r'^(INIT_START|START|END|REPORT) |"type":\s*"platform\.')
        lines = [line for line in pod.stop().split("\n") if line and not platform.search(line)]
        return [re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", "T", line) for line in lines]

    def test_text_lines(self):
        code = """
import logging
logging.getLogger().setLevel('INFO')
logging.info('starting')
def handler(event, context):
    print('printed', 'ü')
    logging.info('a %s', 'b'); logging.debug('dropped'); logging.getLogger('x').error('e')
    context.log('own\\n')
    print('no line end', end='')
"""
        want = ["[INFO]\tT\t\tstarting", "printed ü", "[INFO]\tT\tr-1\ta b", "[ERROR]\tT\tr-1\te", "own", "no line end"]
        self.assertEqual(self.lines_of(code), want)

    def test_a_failure_leaves_one_line(self):
        code = "def handler(event, context):\n    raise ValueError('bad')"
        (line,) = self.lines_of(code)
        parts = line.split("\r")
        self.assertEqual(parts[:2], ["[ERROR] ValueError: bad", "Traceback (most recent call last):"])
        self.assertRegex(parts[2], r'^\u00a0\u00a0File ".*/fn\.py", line 2, in handler$')

    def test_json_lines(self):
        code = """
import logging
def handler(event, context):
    logging.info('text %s', 1, extra={'k': {1}}); logging.debug('dropped'); logging.warning({'a': 1})
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception('failed')
"""
        first, second, third = [json.loads(line) for line in self.lines_of(code, "JSON")]
        self.assertEqual(
            first, {"timestamp": "T", "level": "INFO", "message": "text 1", "logger": "root", "requestId": "r-1", "k": "{1}"}
        )
        self.assertEqual(second["message"], {"a": 1})
        self.assertEqual([third["errorType"], third["errorMessage"]], ["ZeroDivisionError", "division by zero"])
        self.assertRegex(third["location"], r"/fn\.py:handler:\d+$")


if __name__ == "__main__":
    unittest.main()

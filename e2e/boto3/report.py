"""Runs the test modules that are named, and writes what becomes of each test as `go test -json` does: a line of JSON each."""

import json
import sys
import unittest


def tell(action, test, output=None):
    event = {"Action": action, "Test": test.id()}
    if output is not None:
        event["Output"] = output
    print(json.dumps(event), flush=True)


class Report(unittest.TestResult):
    def addSuccess(self, test):
        tell("pass", test)

    def addFailure(self, test, err):
        self.fails(test, err)

    def addError(self, test, err):
        self.fails(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.fails(test, err)

    def fails(self, test, err):
        tell("output", test, self._exc_info_to_string(err, test))
        tell("fail", test)


unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:]).run(Report())

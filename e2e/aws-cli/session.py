"""Runs `aws` commands, each in a process of its own that finds all that is imported ready.

First a line of JSON out: the operations of Lambda that this version knows. Then a line in, the arguments of a command, and a line out: its exit
code and what it wrote.
"""

import json
import os
import sys
import tempfile

from awscli.clidriver import create_clidriver


def run(driver, arguments):
    """Forks, so that no command sees what one before it has left in memory."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            code = 1
            try:
                code = driver.main(arguments)
            except SystemExit as ended:
                code = ended.code
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code or 0)
        _, status = os.waitpid(child, 0)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode())
    return {"code": os.waitstatus_to_exitcode(status), "stdout": texts[0], "stderr": texts[1]}


def main():
    driver = create_clidriver()
    driver.session.create_client("lambda")  # what that reads and imports is there for all commands
    print(json.dumps(driver.session.get_service_model("lambda").operation_names), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(driver, json.loads(line))), flush=True)


main()

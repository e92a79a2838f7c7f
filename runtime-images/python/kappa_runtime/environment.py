"""The process's environment and module path."""

import os
import sys
import time
from typing import Dict, List

# Names with this prefix are the platform's own and never reach user code.
_PLATFORM_PREFIX = "KAPPA_"


def own_environment() -> Dict[str, str]:
    """The environment that this process was started with.

    Not os.environ: in a C locale the interpreter itself adds LC_CTYPE to that (PEP 538).
    """
    try:
        with open("/proc/self/environ", "rb") as file:
            started_with = {os.fsdecode(entry.partition(b"=")[0]) for entry in file.read().split(b"\0") if entry}
    except OSError:
        started_with = set(os.environ)
    return {name: value for name, value in os.environ.items() if name in started_with}


def replace_environment(wanted: Dict[str, str]) -> None:
    """Makes os.environ exactly `wanted`, without the platform's own names."""
    timezone = os.environ.get("TZ")
    for name in list(os.environ):
        if name not in wanted or name.startswith(_PLATFORM_PREFIX):
            del os.environ[name]
    for name, value in wanted.items():
        if not name.startswith(_PLATFORM_PREFIX) and os.environ.get(name) != value:
            os.environ[name] = value
    if os.environ.get("TZ") != timezone:
        time.tzset()


def module_path(task_root: str, opt_dir: str, current: List[str]) -> List[str]:
    """Where imports look: the function's code, its layers, then what was there."""
    version = _language_version(os.environ.get("AWS_EXECUTION_ENV", ""))
    first = [task_root, os.path.join(opt_dir, "python", "lib", version, "site-packages"), os.path.join(opt_dir, "python")]
    return first + [entry for entry in current if entry not in first]


def _language_version(execution_environment: str) -> str:
    """`python3.13`: the function's version and not the interpreter's, since a machine without the exact one runs it on another."""
    prefix = "AWS_Lambda_"
    if execution_environment.startswith(prefix + "python3."):
        return execution_environment[len(prefix):]
    return "python%d.%d" % sys.version_info[:2]

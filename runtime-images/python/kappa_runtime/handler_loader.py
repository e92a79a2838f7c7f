"""Finds and imports the user's handler.

See https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

import importlib
import sys
from typing import Any, Callable

from .errors import RuntimeFault


def load_handler(handler: str) -> Callable[[Any, Any], Any]:
    """`pkg/sub.name` and `pkg.sub.name` both mean `name` of the module pkg.sub.

    Raises RuntimeFault for what Lambda has a name for; what the module itself raises passes through.
    """
    try:
        module_name, function_name = handler.rsplit(".", 1)
    except ValueError as error:
        raise RuntimeFault("MalformedHandlerName", "Bad handler '%s': %s" % (handler, error)) from None
    module = _import_module(module_name)
    try:
        return getattr(module, function_name)
    except AttributeError:
        message = "Handler '%s' missing on module '%s'" % (function_name, module_name)
        raise RuntimeFault("HandlerNotFound", message) from None


def _import_module(name: str) -> Any:
    if name.split(".")[0] in sys.builtin_module_names:
        raise RuntimeFault("BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % name)
    # The code folder is read-only in a cluster: compiled files could not be kept anyway.
    writes_bytecode = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        return importlib.import_module(name.replace("/", "."))
    except ImportError as error:
        raise RuntimeFault("ImportModuleError", "Unable to import module '%s': %s" % (name, error)) from None
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        raise RuntimeFault("UserCodeSyntaxError", "Syntax error in module '%s': %s" % (name, error), trace) from None
    finally:
        sys.dont_write_bytecode = writes_bytecode

"""What a forked child does: becomes the attempt, runs the user's file, function or notebook, and ends the process."""

import atexit
import importlib
import importlib.util
import os
import runpy
import sys
import threading
import traceback

import python_notebook
from python_context import Context, RetryAfter, Skip

SKIP, DEFER = 99, 75
MAX_REASON_CHARS = 65536  # far more than is kept: secrets are masked before the rest is cut off


def run(order, marker):
    """Never returns. The exit code says how it went; the reason of a failure goes to order["failureFile"]."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update(order["env"])
        os.environ["SLUICE_PROCESS"] = marker
        os.chdir(order["env"]["SLUICE_SCRATCH"])
        code = _outcome(order)
        _finish_threads()
    except BaseException:
        _write_traceback()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
    os._exit(code)


def _outcome(order):
    try:
        _perform(order)
        return 0
    except Skip as skip:
        _reason(order, str(skip))
        return SKIP
    except RetryAfter as retry:
        _reason(order, str(retry))
        return DEFER
    except python_notebook.Failed as failure:
        _reason(order, str(failure))
        return 1
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 0xFF
        sys.stderr.write("%s\n" % (end.code,))
        _reason(order, str(end.code))
        return 1
    except BaseException as error:
        _write_traceback()
        _reason(order, "%s: %s%s" % (type(error).__name__, error, _place(error, order["releaseDir"])))
        return 1


def _perform(order):
    root = order["releaseDir"]
    if order["kind"] == "notebook":
        return python_notebook.execute(order)
    if order["module"] is not None:
        sys.path.insert(0, root)
        return _call(importlib.import_module(order["module"]), order)
    file = os.path.join(root, order["file"])
    sys.argv = [file]
    sys.path.insert(0, os.path.dirname(file))
    if order["function"] is None:
        runpy.run_path(file, run_name="__main__")
        return None
    name = os.path.splitext(os.path.basename(file))[0]
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return _call(module, order)


def _call(module, order):
    function = getattr(module, order["function"], None)
    if not callable(function):
        names = ", ".join(sorted(name for name in vars(module) if not name.startswith("_"))) or "nothing"
        raise AttributeError("%s has no function %r (it has: %s)" % (module.__name__, order["function"], names))
    context = Context(order)
    result = function(context)
    if result is None:
        return
    if not isinstance(result, dict):
        raise TypeError("%s() returned %s: expected a dict of outputs, or None" % (order["function"], type(result).__name__))
    for name, value in result.items():
        context.output(name, value)


def _write_traceback():
    kind, error, place = sys.exc_info()
    while place is not None and place.tb_frame.f_code.co_filename in (__file__, runpy.__file__, "<frozen runpy>"):
        place = place.tb_next
    try:
        traceback.print_exception(kind, error, place)
    except OSError:
        pass


def _place(error, root):
    """` (churn/train.py:12)`: the innermost place in the user's own files."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith(root + os.sep):
            return " (%s:%d)" % (os.path.relpath(frame.filename, root), frame.lineno)
    return ""


def _reason(order, text):
    with open(order["failureFile"], "w", encoding="utf-8", errors="replace") as file:
        file.write(text[:MAX_REASON_CHARS])


def _finish_threads():
    """As at the end of any interpreter; os._exit leaves out the slow rest."""
    threading._shutdown()
    atexit._run_exitfuncs()

"""The one argument of `python:` functions, which notebooks have as `ctx`. Also loaded in the kernel of a notebook."""

import json
import math
import os
from types import SimpleNamespace


class Skip(Exception):
    """The task skips itself."""


class RetryAfter(Exception):
    """The task asks to be tried again later."""


class Context(SimpleNamespace):
    """The only argument of a function: values as attributes, and ways to say something."""

    def __init__(self, order):
        given = order["context"]
        interval = given["interval"]
        super().__init__(
            params=given["params"],
            matrix=given["matrix"],
            interval=None if interval is None else SimpleNamespace(**interval),
            ds=given["ds"],
            environment=given["environment"],
            vars=given["vars"],
            run_id=given["runId"],
            attempt=SimpleNamespace(**order["attempt"]),
            env=order["values"],
            paths=order["paths"],
            out=order["out"],
            secrets=order["secrets"],
            scratch=order["env"]["SLUICE_SCRATCH"],
            release_dir=order["releaseDir"],
        )

    def log(self, *values):
        print(*values, flush=True)

    def metric(self, name, value, step=None):
        number = float(value)
        # JSON has no NaN: as text it reaches the check that refuses it by name.
        point = {"name": str(name), "value": number if math.isfinite(number) else str(number)}
        if step is not None:
            point["step"] = int(step)
        _append("SLUICE_METRICS", json.dumps(point))

    def output(self, name, value):
        _append("SLUICE_OUTPUT", json.dumps({str(name): value}, default=_plain))

    def progress(self, done, total, label=""):
        print("::progress %d/%d %s::" % (done, total, " ".join(str(label).split())), flush=True)

    def summary(self, markdown):
        with open(os.environ["SLUICE_SUMMARY"], "w", encoding="utf-8") as file:
            file.write(str(markdown))

    def skip(self, message="the task skipped itself"):
        raise Skip(message)

    def retry_after(self, duration, message="try again later"):
        print("::retry-after %s::" % duration, flush=True)
        raise RetryAfter(message)


def _append(variable, line):
    with open(os.environ[variable], "a", encoding="utf-8") as file:
        file.write(line + "\n")


def _plain(value):
    """numpy's scalars and arrays, dates and paths."""
    for name in ("tolist", "isoformat", "__fspath__"):
        if hasattr(value, name):
            return getattr(value, name)()
    raise TypeError("%s is not JSON" % type(value).__name__)

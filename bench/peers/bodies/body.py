"""What a task of a Python engine does: its work, then one line in the file of effects, in one write."""

import os
import subprocess
import time


def fibo(n):
    return n if n < 2 else fibo(n - 1) + fibo(n - 2)


def shell_text(effects, engine, run, task, attempt, work="true"):
    """A script for bash, whose clock is CLOCK_REALTIME: its stamps begin with r. Run and task may be variables of the shell."""
    line = f"{engine},{run},{task},{attempt},r$s,r$EPOCHREALTIME,$$"
    return f"s=$EPOCHREALTIME; {work}; echo \"{line}\" >> '{effects}'"


def watched_text(effects, engine, run, task, attempt, n):
    """The work for `shell_text` that says that it begins."""
    return f"echo \"{engine},{run},{task},{attempt},r$s,r$s,$$\" >> '{effects}.begun'; sleep {n}"


def append(path, line):
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(file, line.encode())
    os.close(file)


def perform(effects, engine, run, task, kind, n, attempt=1):
    if kind == "shell":
        subprocess.run(["bash", "-c", shell_text(effects, engine, run, task, attempt)], check=True)
        return
    start = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    if kind == "watched":
        append(effects + ".begun", f"{engine},{run},{task},{attempt},{start},{start},{os.getpid()}\n")
    if kind == "fibo":
        fibo(int(n))
    elif kind in ("sleep", "watched"):
        time.sleep(n)
    end = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    append(effects, f"{engine},{run},{task},{attempt},{start},{end},{os.getpid()}\n")


if __name__ == "__main__":
    import sys

    perform(*sys.argv[1:6], float(sys.argv[6]))

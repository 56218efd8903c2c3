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


def perform(effects, engine, run, task, kind, n, attempt=1):
    if kind == "shell":
        subprocess.run(["bash", "-c", shell_text(effects, engine, run, task, attempt)], check=True)
        return
    start = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    if kind == "fibo":
        fibo(int(n))
    elif kind == "sleep":
        time.sleep(n)
    end = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    line = f"{engine},{run},{task},{attempt},{start},{end},{os.getpid()}\n"
    file = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(file, line.encode())
    os.close(file)


if __name__ == "__main__":
    import sys

    perform(*sys.argv[1:6], float(sys.argv[6]))

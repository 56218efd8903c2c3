"""Prefect: a flow that submits each task with what it waits for, called in one process against a server of its own."""

import os
import socket
import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from serve import PIPELINES, SPEC, TUNED, serve


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


PORT = free_port()
os.environ.update(
    PREFECT_HOME=SPEC["folder"] + "/prefect",
    PREFECT_API_URL=f"http://127.0.0.1:{PORT}/api",
    PREFECT_LOGGING_LEVEL="ERROR",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
)
if TUNED:
    os.environ["PREFECT_API_DATABASE_CONNECTION_URL"] = SPEC["databaseUrl"].replace("postgres://", "postgresql+asyncpg://")
subprocess.Popen(["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(PORT)])
while True:
    try:
        socket.create_connection(("127.0.0.1", PORT)).close()
        break
    except OSError:
        time.sleep(0.1)

from body import perform  # noqa: E402
from prefect import flow, task  # noqa: E402
from prefect.task_runners import ThreadPoolTaskRunner  # noqa: E402


@task
def node(run, spec):
    perform(SPEC["effects"], SPEC["engine"], run, spec["id"], spec["kind"], spec["n"])


def execute(name, workers):
    @flow(name=name, task_runner=ThreadPoolTaskRunner(max_workers=workers))
    def body():
        run = f"{name}#{uuid.uuid4()}"
        done = {}
        for spec in PIPELINES[name]["tasks"]:
            done[spec["id"]] = node.submit(run, spec, wait_for=[done[need] for need in spec["needs"]])
        for future in done.values():
            future.result()

    body()


def run_round(names):
    # The thread pool is a flow's own: several flows share the tasks at once among them.
    flows = min(len(names), SPEC["parallelism"])
    with ThreadPoolExecutor(flows) as pool:
        list(pool.map(lambda name: execute(name, SPEC["parallelism"] // flows), names))


serve(run_round)

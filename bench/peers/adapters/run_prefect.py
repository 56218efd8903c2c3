"""Prefect: a flow that submits each task with what it waits for, called in one process against a server of its own."""

import json
import os
import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from serve import PIPELINES, SPEC, TUNED, WATCHED, kept, serve, service


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


PORT = kept("port", free_port)
os.environ.update(
    PREFECT_HOME=SPEC["folder"] + "/prefect",
    PREFECT_API_URL=f"http://127.0.0.1:{PORT}/api",
    PREFECT_LOGGING_LEVEL="ERROR",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
)
if TUNED:
    os.environ["PREFECT_API_DATABASE_CONNECTION_URL"] = SPEC["databaseUrl"].replace("postgres://", "postgresql+asyncpg://")
service(["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(PORT)])
while True:
    try:
        socket.create_connection(("127.0.0.1", PORT)).close()
        break
    except OSError:
        time.sleep(0.1)

from body import perform  # noqa: E402
from prefect import flow, task  # noqa: E402
from prefect.cache_policies import INPUTS  # noqa: E402
from prefect.task_runners import ThreadPoolTaskRunner  # noqa: E402


# What is done is found in the cache when the flow is called once more, where it is to be.
@task(**({"persist_result": True, "cache_policy": INPUTS} if WATCHED else {}))
def node(run, spec):
    perform(SPEC["effects"], SPEC["engine"], run, spec["id"], spec["kind"], spec["n"])


def execute(run, workers):
    name = run.rpartition("#")[0]

    @flow(name=name, task_runner=ThreadPoolTaskRunner(max_workers=workers))
    def body():
        done = {}
        for spec in PIPELINES[name]["tasks"]:
            done[spec["id"]] = node.submit(run, spec, wait_for=[done[need] for need in spec["needs"]])
        for future in done.values():
            future.result()

    body()


ASKED = SPEC["folder"] + "/asked.json"


def run_round(names):
    with open(ASKED, "w") as file:
        json.dump([f"{name}#{uuid.uuid4()}" for name in names], file)
    execute_all()


def execute_all():
    runs = json.load(open(ASKED))
    # The thread pool is a flow's own: several flows share the tasks at once among them.
    flows = min(len(runs), SPEC["parallelism"])
    with ThreadPoolExecutor(flows) as pool:
        list(pool.map(lambda run: execute(run, SPEC["parallelism"] // flows), runs))


serve(run_round, lambda names: execute_all())

"""Luigi: a build of all runs of a round, against a central scheduler; each task leaves a file that says it is done."""

import os
import socket
import time

from serve import PIPELINES, SPEC, serve, service

import luigi
from body import perform


class Node(luigi.Task):
    run_id = luigi.Parameter()
    task = luigi.Parameter()

    def spec(self):
        return TASKS[self.run_id.rpartition("#")[0]][self.task]

    def requires(self):
        return [Node(self.run_id, need) for need in self.spec()["needs"]]

    def output(self):
        return luigi.LocalTarget(os.path.join(SPEC["folder"], "done", self.run_id, self.task))

    def run(self):
        spec = self.spec()
        perform(SPEC["effects"], SPEC["engine"], self.run_id, self.task, spec["kind"], spec["n"])
        with self.output().open("w"):
            pass


TASKS = {name: {task["id"]: task for task in pipeline["tasks"]} for name, pipeline in PIPELINES.items()}
ENDS = {
    name: sorted(set(tasks) - {need for task in tasks.values() for need in task["needs"]}) for name, tasks in TASKS.items()
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


PORT = free_port()
service(["luigid", "--address", "127.0.0.1", "--port", str(PORT), "--state-path", SPEC["folder"] + "/state"])
while True:
    try:
        socket.create_connection(("127.0.0.1", PORT)).close()
        break
    except OSError:
        time.sleep(0.05)

count = 0
roots = []


def run_round(names):
    global count
    roots.clear()
    for name in names:
        count += 1
        roots.extend(Node(f"{name}#{count}", end) for end in ENDS[name])
    build()


def build():
    done = luigi.build(
        roots,
        workers=SPEC["parallelism"],
        scheduler_host="127.0.0.1",
        scheduler_port=PORT,
        log_level="ERROR",
        # Its default is to look for a task once a second where there was none.
        **({"wait_interval": 0.05} if SPEC["settings"] == "tuned" else {}),
    )
    if not done:
        raise RuntimeError("luigi says that not all tasks succeeded")


# The same build again: what has left its file is done.
serve(run_round, lambda names: build())

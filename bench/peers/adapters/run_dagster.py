"""Dagster: a job of ops whose only inputs are the ends of those before them."""

import os
import sys

from serve import SPEC, PIPELINES, TUNED, serve

os.environ["DAGSTER_HOME"] = SPEC["folder"]
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
with open(os.path.join(SPEC["folder"], "dagster.yaml"), "w") as file:
    file.write("telemetry:\n  enabled: false\n")

from body import perform  # noqa: E402
from dagster import (  # noqa: E402
    DagsterInstance,
    DependencyDefinition,
    GraphDefinition,
    In,
    MultiDependencyDefinition,
    Nothing,
    OpDefinition,
    Out,
    ReexecutionOptions,
    execute_job,
    in_process_executor,
    multiprocess_executor,
    reconstructable,
)


def name_of(text):
    return text.replace("-", "__")


def op_of(pipeline, task):
    def compute(context, _inputs):
        run = f"{pipeline}#{context.run_id}"
        perform(SPEC["effects"], SPEC["engine"], run, task["id"], task["kind"], task["n"], context.retry_number + 1)
        yield from ()

    return OpDefinition(
        name=name_of(f"{pipeline}__{task['id']}"),
        ins={"after": In(Nothing)} if task["needs"] else {},
        outs={"result": Out(Nothing)},
        compute_fn=compute,
    )


def job_of(name):
    tasks = PIPELINES[name]["tasks"]
    op_name = {task["id"]: name_of(f"{name}__{task['id']}") for task in tasks}
    dependencies = {
        op_name[task["id"]]: {
            "after": MultiDependencyDefinition([DependencyDefinition(op_name[need]) for need in task["needs"]])
        }
        for task in tasks
        if task["needs"]
    }
    graph = GraphDefinition(
        name=name_of(name), node_defs=[op_of(name, task) for task in tasks], dependencies=dependencies
    )
    executor = in_process_executor if TUNED else multiprocess_executor.configured({"max_concurrent": SPEC["parallelism"]})
    return graph.to_job(name=name_of(name), executor_def=executor)


if __name__ == "__main__":
    import run_dagster
    from dagster import build_reconstructable_job

    instance = DagsterInstance.get()
    jobs = {}

    def execute(name, options=None):
        if name not in jobs:
            jobs[name] = build_reconstructable_job(
                "run_dagster", "job_of", (name,), {}, reconstructor_working_directory=os.path.dirname(__file__)
            )
        with execute_job(jobs[name], instance, reexecution_options=options) as result:
            if not result.success:
                raise RuntimeError(f"{name} did not succeed")

    def run_round(names):
        for name in names:
            execute(name)

    def resume(names):
        """What its daemon does by run monitoring, and then by run retries from failure."""
        [name] = names
        [run] = instance.get_runs(limit=1)
        if not run.is_finished:
            instance.report_run_failed(run)
        execute(name, ReexecutionOptions.from_failure(run.run_id, instance))

    serve(run_round, resume)

"""The DAG file of Airflow: every pipeline of the specification; what fans out is mapped."""

import json
import os
import sys
from datetime import timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, task_group

SPEC = json.load(open(os.environ["PEER_SPEC"]))
sys.path.insert(0, SPEC["bodies"])

from body import perform, shell_text  # noqa: E402


def node(pipeline, task, kind, n, run_id, ti, item=None):
    id = task if item is None else f"{task}_{item}"
    perform(SPEC["effects"], SPEC["engine"], f"{pipeline}#{run_id}", id, kind, n, ti.try_number)


def shell(pipeline, id):
    return shell_text(SPEC["effects"], SPEC["engine"], pipeline + "#{{ run_id }}", id, "{{ ti.try_number }}")


def again(spec):
    """Of a body that may be killed."""
    return {"retries": 3, "retry_delay": timedelta(0)} if spec["kind"] == "watched" else {}


def operator(pipeline, id, spec, item=None):
    if spec["kind"] == "shell":
        return BashOperator(task_id=id, bash_command=shell(pipeline, id))
    told = {"pipeline": pipeline, "task": id, "kind": spec["kind"], "n": spec["n"], "item": item}
    return PythonOperator(task_id=id, python_callable=node, op_kwargs=told, **again(spec))


def mapped(pipeline, id, spec, width):
    if spec["kind"] == "shell":
        commands = [shell(pipeline, f"{id}_{i}") for i in range(width)]
        return BashOperator.partial(task_id=id).expand(bash_command=commands)
    told = {"pipeline": pipeline, "task": id, "kind": spec["kind"], "n": spec["n"]}
    items = [{**told, "item": i} for i in range(width)]
    return PythonOperator.partial(task_id=id, python_callable=node, **again(spec)).expand(op_kwargs=items)


def write(name, shape, tasks):
    if shape["kind"] == "diamond":
        first, last = (operator(name, id, tasks[0]) for id in ("first", "last"))
        first >> mapped(name, "each", tasks[0], shape["width"]) >> last
    elif shape["kind"] == "groups":

        @task_group(group_id="each", prefix_group_id=False)
        def each(item):
            before = None
            for i in range(shape["length"]):
                step = operator(name, f"step{i}", tasks[0], item)
                if before is not None:
                    before >> step
                before = step

        each.expand(item=list(range(shape["width"])))
    else:
        made = {task["id"]: operator(name, task["id"], task) for task in tasks}
        for task in tasks:
            if task["needs"]:
                made[task["id"]].set_upstream([made[need] for need in task["needs"]])


for pipeline in SPEC["pipelines"]:
    with DAG(dag_id=pipeline["name"], schedule=None, catchup=False) as dag:
        write(pipeline["name"], pipeline["shape"], pipeline["tasks"])
    globals()[pipeline["name"]] = dag

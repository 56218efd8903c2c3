"""Metaflow: a flow is a program that is started for each run; branches are joined in steps without a body where a tree has none."""

import os
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from serve import PIPELINES, SPEC, WATCHED, command, serve

HEAD = f"""import sys
sys.path.insert(0, {SPEC["bodies"]!r})
from metaflow import FlowSpec, current, step
from body import perform

"""


def body(pipeline, task, id=None):
    told = f"{SPEC['effects']!r}, {SPEC['engine']!r}, f'{pipeline}#{{current.run_id}}'"
    return f"perform({told}, {repr(task['id']) if id is None else id}, {task['kind']!r}, {task['n']}, current.retry_count + 1)"


def step_text(name, lines, joins=False):
    inner = "".join(f"        {line}\n" for line in lines or ["pass"])
    return f"    @step\n    def {name}(self{', inputs' if joins else ''}):\n{inner}\n"


def mapped(name, shape, tasks):
    items = f"self.items = list(range({shape['width']}))"
    if shape["kind"] == "diamond":
        first, last = tasks[0], tasks[-1]
        yield step_text("start", [body(name, first), items, "self.next(self.each, foreach='items')"])
        yield step_text("each", [body(name, first, "f'each_{self.input}'"), "self.next(self.last)"])
        yield step_text("last", [body(name, last), "self.next(self.end)"], joins=True)
        yield step_text("end", [])
        return
    yield step_text("start", [items, "self.next(self.step0, foreach='items')"])
    for i in range(shape["length"]):
        after = f"step{i + 1}" if i + 1 < shape["length"] else "joined"
        own = ["self.item = self.input"] if i == 0 else []
        yield step_text(f"step{i}", [*own, body(name, tasks[0], f"f'step{i}_{{self.item}}'"), f"self.next(self.{after})"])
    yield step_text("joined", ["self.next(self.end)"], joins=True)
    yield step_text("end", [])


def tree(name, tasks):
    """Of tasks that need at most one other each."""
    after = defaultdict(list)
    for task in tasks:
        if len(task["needs"]) > 1:
            raise ValueError(f"{name} is no tree: Metaflow joins every branch in its turn")
        after[task["needs"][0] if task["needs"] else None].append(task)
    steps = []

    def emit(task, label, then):
        """The steps from this one on, up to one that goes on with `then`."""
        own = [] if task is None else [body(name, task)]
        children = after[None if task is None else task["id"]]
        if len(children) == 0:
            steps.append(step_text(label, own + ([f"self.next(self.{then})"] if then else [])))
        elif len(children) == 1:
            last = then == "end" and not after[children[0]["id"]] and joined[0] == 0
            child = "end" if last else "s_" + children[0]["id"]
            steps.append(step_text(label, [*own, f"self.next(self.{child})"]))
            emit(children[0], child, None if last else then)
        else:
            joined[0] += 1
            join = f"join_{label}"
            steps.append(step_text(label, [*own, f"self.next({', '.join('self.s_' + c['id'] for c in children)})"]))
            for child in children:
                emit(child, "s_" + child["id"], join)
            steps.append(step_text(join, [f"self.next(self.{then})"], joins=True))

    joined = [0]
    roots = after[None]
    emit(roots[0] if len(roots) == 1 else None, "start", "end")
    if joined[0]:
        steps.append(step_text("end", []))
    return steps


def write(pipeline):
    name, shape, tasks = pipeline["name"], pipeline["shape"], pipeline["tasks"]
    flow = "Flow_" + name.replace("-", "_")
    steps = tree(name, tasks) if shape["kind"] == "graph" else mapped(name, shape, tasks)
    path = os.path.join(SPEC["folder"], name + ".py")
    with open(path, "w") as file:
        file.write(f"{HEAD}class {flow}(FlowSpec):\n{''.join(steps)}\nif __name__ == '__main__':\n    {flow}()\n")


for pipeline in PIPELINES.values():
    write(pipeline)
ENVIRONMENT = {**os.environ, "USERNAME": "bench", "METAFLOW_USER": "bench"}


def execute(name, workers, verb="run"):
    options = ["--max-workers", str(workers), "--max-num-splits", "10000"]
    retries = ["--with", "retry:times=3,minutes_between_retries=0"] if WATCHED else []
    command([sys.executable, name + ".py", "--quiet", "--no-pylint", *retries, verb, *options], env=ENVIRONMENT)


def run_round(names):
    flows = min(len(names), SPEC["parallelism"])
    with ThreadPoolExecutor(flows) as pool:
        list(pool.map(lambda name: execute(name, SPEC["parallelism"] // flows), names))


def resume(names):
    """The last run is taken up: steps that are done are cloned."""
    for name in names:
        execute(name, SPEC["parallelism"], "resume")


serve(run_round, resume)

import { isMap, TypedValue } from './typed-value.ts';

/** How a task uses what its function returns. */
export type ReturnUse = 'value' | 'branch' | 'proceed';

export interface PythonCall {
  /** Sluice's id of the task. */
  readonly task: string;
  /** Null: its code has to be put into callables.py. */
  readonly module: string | null;
  readonly name: string;
  /** Python expressions. */
  readonly args: string;
  readonly kwargs: string;
  readonly use: ReturnUse;
}

/** Writes what a Python value looks like; `textOf` decides about texts, `specialOf` about other tasks' outputs and the like. */
export function pythonLiteral(
  value: unknown,
  textOf: (text: string) => string,
  specialOf: (value: TypedValue) => string,
): string {
  if (value instanceof TypedValue) return specialOf(value);
  if (typeof value === 'string') return textOf(value);
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map((item) => pythonLiteral(item, textOf, specialOf)).join(', ')}]`;
  if (isMap(value)) {
    const members = Object.entries(value).map(
      ([key, item]) => `${pythonText(key)}: ${pythonLiteral(item, textOf, specialOf)}`,
    );
    return `{${members.join(', ')}}`;
  }
  return String(value);
}

/** JSON's texts are Python's too. */
export function pythonText(text: string): string {
  return JSON.stringify(text);
}

/** The file whose functions the Python tasks of a pipeline name. */
export function tasksFile(dagId: string, calls: readonly PythonCall[]): string {
  const functions = calls.map(({ task, module, name, args, kwargs, use }) => {
    const what = [module ?? 'callables', name].map(pythonText).join(', ');
    return `def ${functionOf(task)}(ctx):\n    return ${RETURNS[use]}(call(ctx, ${what}, ${args}, ${kwargs}))\n`;
  });
  return `"""The Python tasks of Airflow's DAG ${pythonText(dagId).replaceAll('"""', '')}, called as Airflow called them."""

import inspect
import json
from importlib import import_module


${functions.join('\n\n')}
${HELPERS}`;
}

/** The file that code has to be moved into, because the source holds only its name. */
export function callablesFile(dagId: string, calls: readonly PythonCall[]): string {
  const names = [...new Set(calls.filter(({ module }) => module === null).map(({ name }) => name))];
  const functions = names.map(
    (name) =>
      `def ${name}(*args, **kwargs):\n    raise NotImplementedError("move the function ${name} here, from the file of the Airflow DAG")\n`,
  );
  return `"""Functions of Airflow's DAG ${pythonText(dagId).replaceAll('"""', '')}. An export of Airflow holds their names, not their code."""


${functions.join('\n\n')}`;
}

/** `run_transform`: no keyword of Python, and no name of the file itself. */
export function functionOf(task: string): string {
  return `run_${task}`;
}

const RETURNS: Readonly<Record<ReturnUse, string>> = { value: 'value', branch: 'branch', proceed: 'proceed' };

const HELPERS = `
def call(ctx, module, name, args, kwargs):
    function = getattr(import_module(module), name)
    return function(*args, **kwargs, **context_for(function, ctx, args, kwargs))


def context_for(function, ctx, args, kwargs):
    """What Airflow gives a function that asks for it by name, or takes **kwargs."""
    interval = ctx.interval
    context = {"params": ctx.params, "run_id": ctx.run_id}
    if interval is not None:
        context.update(
            ds=ctx.ds,
            ds_nodash=ctx.ds.replace("-", ""),
            ts=interval.start,
            data_interval_start=interval.start,
            data_interval_end=interval.end,
            logical_date=interval.start,
        )
    parameters = list(inspect.signature(function).parameters.values())
    given = {each.name for each in parameters[: len(args)]} | set(kwargs)
    takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters)
    names = {each.name for each in parameters}
    return {key: value for key, value in context.items() if key not in given and (takes_all or key in names)}


def output(text):
    """An output of another task, which arrives as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def as_list(values):
    return values if isinstance(values, list) else [values]


def not_carried(template):
    raise RuntimeError("Airflow's template %s has no counterpart: write the value here" % template)


def value(result):
    return None if result is None else {"return_value": result}


def branch(result):
    chosen = [] if result is None else [result] if isinstance(result, str) else list(result)
    return {"return_value": result, "branch": chosen}


def proceed(result):
    return {"return_value": result, "proceed": bool(result)}
`;

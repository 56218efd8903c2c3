import { quote } from '../source/quote.ts';
import type { AirflowTask } from './airflow-dag.ts';
import { expressionOf, templateScope, type Conversion, type TaskBody } from './conversion.ts';
import type { FanOut } from './fan-out.ts';
import { kindOf } from './operators.ts';
import { functionOf, pythonLiteral, pythonText, type PythonCall, type ReturnUse } from './python-file.ts';
import { convertTemplate, joinTemplate } from './template.ts';
import { textOf, type TypedValue } from './typed-value.ts';

const USES: Readonly<Record<string, ReturnUse>> = { branch: 'branch', short_circuit: 'proceed' };

/** A task that calls Python, as a function of the pipeline's tasks.py that calls the same with the same arguments. */
export function pythonBody(
  task: AirflowTask,
  fanOut: Extract<FanOut, { ok: true }> | null,
  conversion: Conversion,
): TaskBody {
  const { callable, args, expand } = task;
  const id = conversion.taskNames.give(task.id);
  const values = new PythonArguments(task, conversion);
  const [ofArgs, ofKwargs] = [args.list('op_args'), args.map('op_kwargs')];
  let positional = values.literal(ofArgs);
  const named = Object.entries(ofKwargs).map(([key, value]) => `${pythonText(key)}: ${values.literal(value)}`);
  let rest = '';
  for (const [name, axis] of fanOut?.axes ?? []) {
    const member = `ctx.matrix[${pythonText(axis)}]`;
    if (expand?.ofFunction) named.push(`${pythonText(name)}: ${member}`);
    else if (name === 'op_args') positional = `as_list(${member})`;
    else if (name === 'op_kwargs') rest = `**${member}`;
    else values.say(`is mapped over "${name}"`, 'Map over `op_args` or `op_kwargs`, or write `matrix` yourself.');
  }
  const call: PythonCall = {
    task: id,
    module: callable?.module ?? null,
    name: callable?.name ?? functionOf(id),
    args: positional,
    kwargs: `{${[...named, ...(rest === '' ? [] : [rest])].join(', ')}}`,
    use: USES[kindOf(task.operator)] ?? 'value',
  };
  conversion.calls.push(call);
  sayWhereCodeGoes(task, call, conversion);
  return {
    python: `${conversion.folder}/tasks.py:${functionOf(id)}`,
    env: values.env,
    ...(fanOut === null ? {} : { matrix: fanOut.matrix }),
    ...(fanOut?.maxFanout === undefined ? {} : { max_fanout: fanOut.maxFanout }),
  };
}

function sayWhereCodeGoes(task: AirflowTask, { module, name }: PythonCall, { folder, report }: Conversion): void {
  if (/virtualenv|external_python|Virtualenv|ExternalPython/.test(task.operator)) {
    for (const key of [
      'requirements',
      'python_version',
      'python',
      'system_site_packages',
      'expect_airflow',
      'use_dill',
      'serializer',
      'venv_cache_path',
      'pip_install_options',
    ])
      task.args.take(key);
    const message = `Task "${task.id}" had an interpreter of its own.`;
    report.changed(
      task.place,
      message,
      'Install what it requires for the Python that SLUICE_PYTHON names, or call that interpreter from `run:`.',
    );
  }
  if (module === null)
    report.lost(
      task.place,
      `The code of "${name}" is not in an export of Airflow; task "${task.id}" fails until it is there.`,
      `Move the function into dags/${folder}/callables.py.`,
    );
  else {
    const file = `dags/${folder}/${module.replaceAll('.', '/')}.py`;
    report.changed(
      task.place,
      `Task "${task.id}" calls "${name}" of the module ${module}.`,
      `Copy the module to ${file}; it must not import Airflow.`,
    );
  }
}

/** Arguments as Python; templates in them are variables of the task, so that they are checked with the file. */
class PythonArguments {
  readonly env: Record<string, string> = {};
  readonly #task: AirflowTask;
  readonly #conversion: Conversion;

  constructor(task: AirflowTask, conversion: Conversion) {
    this.#task = task;
    this.#conversion = conversion;
  }

  literal(value: unknown): string {
    return pythonLiteral(
      value,
      (text) => this.#text(text),
      (special) => this.#special(special),
    );
  }

  say(what: string, hint: string): void {
    this.#conversion.report.lost(this.#task.place, `Task "${this.#task.id}" ${what}.`, hint);
  }

  #text(text: string): string {
    const templated = convertTemplate(text, templateScope(this.#task, this.#conversion));
    if (!templated.ok) {
      this.say(`is given ${quote(templated.written)}; it fails until you write the value in tasks.py`, templated.hint);
      return `not_carried(${pythonText(templated.written)})`;
    }
    const { parts } = templated;
    if (parts.every((part) => part.kind === 'text')) return pythonText(parts.map(({ text: plain }) => plain).join(''));
    const [only, more] = parts;
    const variable = this.#variable(joinTemplate(parts));
    // An output keeps its type when it is the whole value.
    const isOutput = more === undefined && only?.kind === 'expression' && only.expression.startsWith('tasks.');
    return isOutput ? `output(${variable})` : variable;
  }

  #special(value: TypedValue): string {
    const { type, members } = value;
    if (type === 'timedelta') return `import_module("datetime").timedelta(seconds=${Number(textOf(members.seconds))})`;
    const found = expressionOf(value, this.#task, this.#conversion);
    if (found !== undefined && type === 'mapped') return `ctx.matrix[${pythonText(found.slice('matrix.'.length))}]`;
    if (found !== undefined) return `output(${this.#variable(`\${{ ${found} }}`)})`;
    this.say(
      `is given a value of the type ${type}; it fails until you write the value in tasks.py`,
      'Write it in Python.',
    );
    return `not_carried(${pythonText(type)})`;
  }

  #variable(text: string): string {
    const name = `AIRFLOW_${Object.keys(this.env).length + 1}`;
    this.env[name] = text;
    return `ctx.env[${pythonText(name)}]`;
  }
}

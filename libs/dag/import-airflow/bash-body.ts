import { RESERVED_VARIABLES } from '../compile/variables.ts';
import { quote } from '../source/quote.ts';
import type { AirflowTask } from './airflow-dag.ts';
import { expressionOf, templateScope, type Conversion, type TaskBody } from './conversion.ts';
import type { FanOut } from './fan-out.ts';
import { convertShell, failingScript, singleQuoted } from './shell-text.ts';
import { convertTemplate, joinTemplate, type TemplatePart } from './template.ts';
import { isMap, TypedValue } from './typed-value.ts';

/** A variable for a command that comes from a matrix or another task: an expression can be no code. */
const COMMAND = 'AIRFLOW_COMMAND';

/** A BashOperator as `run:`. What cannot be carried becomes a script that says so and fails. */
export function bashBody(
  task: AirflowTask,
  fanOut: Extract<FanOut, { ok: true }> | null,
  conversion: Conversion,
): TaskBody {
  const { report } = conversion;
  const { args } = task;
  const written = args.peek('bash_command');
  const known = written instanceof TypedValue ? expressionOf(written, task, conversion) : undefined;
  if (known !== undefined) args.take('bash_command');
  const command = known === undefined ? (args.text('bash_command') ?? '') : '';
  const skipOn = args.take('skip_on_exit_code');
  if (skipOn !== undefined && ![skipOn].flat().includes(99))
    report.lost(
      args.placeOf('skip_on_exit_code'),
      `Task "${task.id}" is skipped by exit code ${String(skipOn)}.`,
      'Exit with 99.',
    );
  const variables = environmentOf(task, fanOut, conversion);
  const axis = fanOut?.axes.get('bash_command');
  const fromElsewhere = axis === undefined ? known : `matrix.${axis}`;
  const strange = [...(fanOut?.axes.keys() ?? [])].find((name) => name !== 'bash_command' && name !== 'env');
  const matrix =
    fanOut === null ? {} : { matrix: fanOut.matrix, ...(fanOut.maxFanout ? { max_fanout: fanOut.maxFanout } : {}) };
  const failing = (why: string, hint: string): TaskBody => {
    report.lost(task.place, `The command of task "${task.id}" ${why}; it fails until you write it.`, hint);
    return { run: failingScript(`not carried over from Airflow: the command ${why}`, command), env: variables };
  };
  if (strange !== undefined)
    return failing(`is mapped over "${strange}"`, 'Map over `bash_command` or `env`, or write `matrix` yourself.');
  if (fromElsewhere !== undefined)
    return {
      run: `bash -c "$${COMMAND}"`,
      env: { ...variables, [COMMAND]: `\${{ ${fromElsewhere} }}` },
      ...matrix,
    };
  if (command.trim() === '') return failing('is empty', 'Write `run:`.');
  const templated = convertTemplate(command, templateScope(task, conversion));
  if (!templated.ok) return failing(`holds ${quote(templated.written)}`, templated.hint);
  const converted = convertShell([...directoryOf(task, conversion), ...scriptOf(task, templated.parts, conversion)]);
  if (!converted.ok) return failing(converted.message, converted.hint);
  return { run: converted.script, env: { ...variables, ...converted.env }, ...matrix };
}

/** A command that ends in `.sh` names a file, which Jinja would render. */
function scriptOf(task: AirflowTask, parts: readonly TemplatePart[], { report }: Conversion): readonly TemplatePart[] {
  const [only] = parts;
  if (parts.length !== 1 || only?.kind !== 'text' || !/^[^\n]*\.(sh|bash)$/.test(only.text)) return parts;
  const message = `Task "${task.id}" runs the file ${quote(only.text)}, in which templates are not replaced.`;
  report.changed(
    task.args.placeOf('bash_command'),
    message,
    'Put it below dags/ under that path; use variables such as $DS in it.',
  );
  return [{ kind: 'text', text: `bash ${only.text}` }];
}

function directoryOf(task: AirflowTask, conversion: Conversion): TemplatePart[] {
  const folder = task.args.text('cwd');
  if (folder === undefined || folder === '') return [];
  const templated = convertTemplate(folder, templateScope(task, conversion));
  if (!templated.ok) {
    conversion.report.lost(
      task.args.placeOf('cwd'),
      `cwd of task "${task.id}" holds ${quote(templated.written)}.`,
      templated.hint,
    );
    return [];
  }
  return [
    { kind: 'text', text: 'cd ' },
    ...templated.parts.map((part): TemplatePart =>
      part.kind === 'text' ? { ...part, text: singleQuoted(part.text) } : part,
    ),
    { kind: 'text', text: '\n' },
  ];
}

function environmentOf(
  task: AirflowTask,
  fanOut: Extract<FanOut, { ok: true }> | null,
  conversion: Conversion,
): Record<string, unknown> {
  const env: Record<string, unknown> = {};
  const place = task.args.placeOf('env');
  const axis = fanOut?.axes.get('env');
  const values: Record<string, unknown> = { ...task.args.map('env') };
  if (axis !== undefined)
    for (const name of sharedKeys(fanOut?.matrix[axis])) values[name] = new MatrixMember(`matrix.${axis}.${name}`);
  for (const [name, value] of Object.entries(values)) {
    if (!/^[A-Za-z_]\w{0,127}$/.test(name) || RESERVED_VARIABLES.test(name)) {
      conversion.report.lost(
        place,
        `The variable ${quote(name)} of task "${task.id}" cannot be set.`,
        'Choose another name.',
      );
      continue;
    }
    const expression =
      value instanceof MatrixMember
        ? value.expression
        : value instanceof TypedValue
          ? expressionOf(value, task, conversion)
          : undefined;
    if (expression !== undefined) {
      env[name] = `\${{ ${expression} }}`;
      continue;
    }
    if (value instanceof TypedValue) {
      const message = `The variable ${name} of task "${task.id}" is a value of the type ${value.type}.`;
      conversion.report.lost(place, message, 'Write the value itself.');
      continue;
    }
    const text =
      typeof value === 'string' ? value : isPlainValue(value) ? String(value) : JSON.stringify(value ?? null);
    const templated = convertTemplate(text, templateScope(task, conversion));
    const problem = templated.ok ? null : templated.written;
    if (templated.ok) env[name] = joinTemplate(templated.parts);
    else
      conversion.report.lost(
        place,
        `The variable ${name} of task "${task.id}" holds ${quote(problem)}.`,
        templated.hint,
      );
  }
  return env;
}

class MatrixMember {
  readonly expression: string;

  constructor(expression: string) {
    this.expression = expression;
  }
}

/** Keys that all maps of a list have: CEL refuses a member that is not there. */
function sharedKeys(list: unknown): string[] {
  const maps = Array.isArray(list) ? list.filter(isMap) : [];
  const [first = {}, ...others] = maps;
  return Object.keys(first).filter((key) => others.every((each) => Object.hasOwn(each, key)));
}

function isPlainValue(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

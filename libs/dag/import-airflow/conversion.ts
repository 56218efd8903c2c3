import type { AirflowDag, AirflowTask } from './airflow-dag.ts';
import type { MappedGroup } from './mapped-groups.ts';
import type { Names } from './names.ts';
import { kindOf } from './operators.ts';
import type { Project } from './project.ts';
import type { PythonCall } from './python-file.ts';
import type { Report } from './report.ts';
import type { TemplateScope } from './template.ts';
import { textOf, type TypedValue } from './typed-value.ts';

/** What the parts of one DAG's conversion share. */
export interface Conversion {
  readonly dag: AirflowDag;
  readonly report: Report;
  readonly project: Project;
  /** `params:` of the pipeline; filled before its tasks are converted. */
  readonly declared: Record<string, unknown>;
  /** Folder below dags/ for the files of its tasks. */
  readonly folder: string;
  readonly params: Names;
  readonly taskNames: Names;
  readonly byId: ReadonlyMap<string, AirflowTask>;
  /** Every task that runs before, by task. */
  readonly before: ReadonlyMap<string, ReadonlySet<string>>;
  /** Groups that are mapped as a whole, by their ids; filled before tasks are converted. */
  readonly mapped: Map<string, MappedGroup>;
  /** Filled by the tasks that call Python. */
  readonly calls: PythonCall[];
  /** Where notebooks were, by the file that each is now; filled by the tasks that execute them. */
  readonly notebooks: Map<string, string>;
}

/** The body of a task: one of its kinds, with what belongs to it. */
export interface TaskBody {
  readonly wait?: Readonly<Record<string, unknown>>;
  readonly call?: unknown;
  readonly http?: unknown;
  readonly notebook?: unknown;
  readonly run?: string;
  readonly python?: string;
  readonly env?: Readonly<Record<string, unknown>>;
  readonly matrix?: Readonly<Record<string, unknown>>;
  readonly max_fanout?: number;
}

/** CEL for what another task hands on; undefined when it does not run before this one. */
export function outputOf(
  task: AirflowTask,
  conversion: Conversion,
): (other: string, key: string) => string | undefined {
  const { byId, before, taskNames, report } = conversion;
  return (other, key) => {
    const source = byId.get(other);
    if (source === undefined || !before.get(task.id)?.has(other) || !/^[A-Za-z_]\w*$/.test(key)) return undefined;
    if (kindOf(source.operator) === 'bash') {
      const message = `Task "${other}" hands on its last line to "${task.id}"; here it has to say so.`;
      report.changed(source.place, message, `Let it write \`${key}=VALUE\` to "$SLUICE_OUTPUT".`);
    }
    if (kindOf(source.operator) === 'http') {
      const message = `Task "${other}" hands on its answer to "${task.id}"; here it has to say so.`;
      report.changed(source.place, message, `Write \`outputs: { ${key}: response.body }\` below its \`http:\`.`);
    }
    const of = (outputs: string): string =>
      source.expand === null ? `${outputs}.${key}` : `${outputs}.map(one, one.${key})`;
    const outputs = `tasks.${taskNames.give(other)}.outputs`;
    const isInside = source.mappedGroup?.id === task.mappedGroup?.id;
    return groupOf(source, conversion) === null || isInside ? of(outputs) : `${outputs}.map(item, ${of('item')})`;
  };
}

/** The group with a `matrix` that the task is in; null: it is in none. */
export function groupOf(
  { mappedGroup }: AirflowTask,
  { mapped }: Conversion,
): Extract<MappedGroup, { ok: true }> | null {
  const group = mapped.get(mappedGroup?.id ?? '');
  return group?.ok ? group : null;
}

/** CEL for a value that is known only when it runs; undefined: it is none. */
export function expressionOf(
  { type, members }: TypedValue,
  task: AirflowTask,
  conversion: Conversion,
): string | undefined {
  if (type === 'xcom') return outputOf(task, conversion)(textOf(members.task), textOf(members.key));
  const axis = type === 'mapped' ? groupOf(task, conversion)?.fanOut.axes.get(textOf(members.key)) : undefined;
  return axis === undefined ? undefined : `matrix.${axis}`;
}

export function templateScope(task: AirflowTask, conversion: Conversion): TemplateScope {
  const { dag, params, report } = conversion;
  return {
    dagId: dag.id,
    taskId: task.id,
    paramOf: (name) => params.of(name),
    outputOf: outputOf(task, conversion),
    onVariable: (name) =>
      report.changed(
        task.place,
        `Task "${task.id}" uses Airflow's Variable "${name}" as env.vars.${name}.`,
        `Set it in each environments/<name>.yaml: \`vars: { ${name}: … }\`.`,
      ),
  };
}

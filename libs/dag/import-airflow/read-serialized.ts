import { labelOf } from '../shape/label.ts';
import type { Path } from '../source/source-map.ts';
import type { AirflowDag, AirflowSchedule, AirflowTask, Expand } from './airflow-dag.ts';
import { Args } from './args.ts';
import { decode } from './decode.ts';
import { scheduleOf, timetableOf } from './read-timetable.ts';
import { readRepr } from './python-repr.ts';
import { Report, type Place } from './report.ts';
import { isMap, textOf, TypedValue } from './typed-value.ts';

type Json = Readonly<Record<string, unknown>>;

/** How Airflow shows and finds its own objects; nothing that a run depends on. */
const NOISE =
  /^(_|ui_|template_|operator_extra_links|edge_info|fileloc|relative_fileloc|dag_dependencies|start_trigger_args|start_from_trigger|label|task_type|task_group|timetable|disable_bundle_versioning|default_args|dag_display_name|downstream_task_ids|on_failure_fail_dagrun|has_)/;
/** …and what begins like noise and is none. */
const MEANT: Readonly<Record<string, string>> = {
  _description: 'description',
  _max_active_tasks: 'max_active_tasks',
  _concurrency: 'max_active_tasks',
  has_on_failure_callback: 'on_failure_callback',
  has_on_success_callback: 'on_success_callback',
  has_on_retry_callback: 'on_retry_callback',
  has_on_execute_callback: 'on_execute_callback',
  has_on_skipped_callback: 'on_skipped_callback',
  on_failure_fail_dagrun: 'on_failure_fail_dagrun',
};

/** The DAGs of a JSON document of Airflow's `SerializedDAG`, or of a list of them. Never throws; what is none is reported. */
export function readSerialized(text: string, report: Report): AirflowDag[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    report.lost(placeIn(text, message), `The file is not JSON: ${message}.`, 'Export the DAG again.');
    return [];
  }
  const entries: [Path, unknown][] = Array.isArray(document)
    ? document.map((entry, index): [Path, unknown] => [[index], entry])
    : [[[], document]];
  return entries.flatMap(([path, entry]) => {
    // A row of the table `serialized_dag` keeps the document in its column `data`.
    const inData = isMap(entry) && isMap(entry.data);
    const holder = inData ? entry.data : entry;
    const at = inData ? [...path, 'data'] : path;
    if (isMap(holder) && isMap(holder.dag)) return [new SerializedReader(holder, at, new Report(report.file)).dag()];
    const hint = 'Export it with SerializedDAG.to_dict, as docs/from-airflow.md shows.';
    report.lost(jsonPlace(at), `${labelOf(at)} is not a serialized DAG: it has no member "dag".`, hint);
    return [];
  });
}

class SerializedReader {
  readonly #document: Json;
  readonly #dag: Json;
  readonly #path: Path;
  readonly #report: Report;

  constructor(document: Json, path: Path, report: Report) {
    this.#document = document;
    this.#dag = document.dag as Json;
    this.#path = [...path, 'dag'];
    this.#report = report;
  }

  dag(): AirflowDag {
    const dag = this.#dag;
    const id = textOf(dag.dag_id ?? dag._dag_id ?? 'dag');
    // Airflow 2 leaves out what is True unless told otherwise.
    const silent = this.#document.__version === 1 ? { catchup: true } : {};
    return {
      id,
      place: jsonPlace(this.#path),
      args: new Args(
        meant({ ...silent, ...dag }, ['tasks', 'dag_id', 'timezone', 'schedule_interval']),
        this.#placeOf(this.#path),
        this.#report,
      ),
      schedule: this.#schedule(),
      schedulePlace: jsonPlace([...this.#path, 'timetable' in dag ? 'timetable' : 'schedule_interval']),
      timezone: typeof dag.timezone === 'string' ? dag.timezone : null,
      tasks: this.#tasks(),
      report: this.#report,
    };
  }

  #schedule(): AirflowSchedule {
    const { timetable } = this.#dag;
    if (!isMap(timetable)) return scheduleOf(decode(this.#dag.schedule_interval), 2);
    const members = decode(timetable.__var);
    return timetableOf(textOf(timetable.__type), isMap(members) ? members : {});
  }

  #tasks(): AirflowTask[] {
    const written = Array.isArray(this.#dag.tasks) ? (this.#dag.tasks as unknown[]) : [];
    const entries = written.map((entry, index) => {
      const path = [...this.#path, 'tasks', index, ...(isMap(entry) && isMap(entry.__var) ? ['__var'] : [])];
      const task = isMap(entry) && isMap(entry.__var) ? entry.__var : isMap(entry) ? entry : {};
      return { path, task, id: textOf(task.task_id ?? `task_${index}`) };
    });
    const upstream = new Map<string, string[]>();
    for (const { task, id } of entries)
      if (Array.isArray(task.downstream_task_ids))
        for (const child of task.downstream_task_ids)
          upstream.set(textOf(child), [...(upstream.get(textOf(child)) ?? []), id]);
    const root = 'task_group' in this.#dag ? 'task_group' : '_task_group';
    const groups = groupsOf(this.#dag[root], [...this.#path, root]);
    const defaults = this.#clientDefaults();
    return entries.map(({ path, task, id }) => {
      const decorator = typeof task._operator_name === 'string' && task._operator_name.startsWith('@');
      const own = withReprs(decode(task) as Json);
      const values = { ...defaults, ...this.#partialOf(task), ...own };
      return {
        id,
        place: jsonPlace(path),
        operator: decorator ? textOf(task._operator_name) : textOf(task.task_type ?? task._task_type ?? 'unknown'),
        args: new Args(
          meant(values, [...NOT_ARGUMENTS, ...this.#inherited(values)]),
          this.#placeOf(path),
          this.#report,
        ),
        upstream: upstream.get(id) ?? [],
        callable: callableOf(task, id),
        expand: expandOf(task, path),
        group: groups.get(id)?.id ?? null,
        mappedGroup: groups.get(id)?.mapped ?? null,
      };
    });
  }

  /** What a mapped task is given once for all; Airflow 2 leaves some of it to the DAG. */
  #partialOf(task: Json): Json {
    const [partial, shared] = [decode(task.partial_kwargs), decode(this.#dag.default_args)];
    return isMap(partial) ? { ...(isMap(shared) ? shared : {}), ...partial } : {};
  }

  /** Airflow 3.1 leaves out what all tasks have in common with these. */
  #clientDefaults(): Json {
    const { client_defaults: defaults } = this.#document;
    const decoded = isMap(defaults) ? decode(defaults.tasks) : null;
    return isMap(decoded) ? decoded : {};
  }

  /** Times of a task that are those of the DAG. */
  #inherited(values: Json): string[] {
    return ['start_date', 'end_date'].filter((key) => values[key] === this.#dag[key]);
  }

  #placeOf(path: Path): (key: string) => Place {
    return (key) => jsonPlace([...path, key]);
  }
}

const NOT_ARGUMENTS = [
  'task_id',
  'params',
  'partial_kwargs',
  'expand_input',
  'op_kwargs_expand_input',
  'python_callable_name',
  'deps',
  'dag',
];

/** The members that mean something, by the names that Airflow's users know. */
function meant(values: Json, without: readonly string[]): Json {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const name = Object.hasOwn(MEANT, key) ? MEANT[key] : NOISE.test(key) ? undefined : key;
    if (name !== undefined && !without.includes(key)) kept[name] = decode(value);
  }
  return kept;
}

function callableOf(task: Json, id: string): AirflowDag['tasks'][number]['callable'] {
  const written = task.python_callable_name;
  if (typeof written === 'string' && written !== '')
    return { module: null, name: written.split('.').at(-1) ?? id, file: null };
  const isPython = /Python|ShortCircuit/.test(textOf(task.task_type ?? task._task_type));
  return isPython ? { module: null, name: id.split('.').at(-1) ?? id, file: null } : null;
}

function expandOf(task: Json, path: Path): Expand | null {
  if (task._is_mapped !== true) return null;
  const attribute = textOf(task._expand_input_attr ?? 'expand_input');
  const place = jsonPlace([...path, attribute]);
  const input = task[attribute];
  const value = isMap(input) ? decode(input.value) : null;
  const ofFunction = attribute.startsWith('op_kwargs');
  if (isMap(input) && input.type === 'dict-of-lists' && isMap(value)) return { axes: value, ofFunction, place };
  return { axes: { expand_kwargs: new TypedValue('expand_kwargs', {}) }, ofFunction, place };
}

interface GroupAround {
  readonly id: string | null;
  /** The outermost one that is mapped as a whole. */
  readonly mapped: AirflowTask['mappedGroup'];
}

/** By task, the groups that it stands in. */
function groupsOf(root: unknown, place: Path): Map<string, GroupAround> {
  const found = new Map<string, GroupAround>();
  const walk = (group: unknown, mapped: GroupAround['mapped'], depth: number): void => {
    if (!isMap(group) || !isMap(group.children) || depth > 40) return;
    const written = group._group_id ?? group.group_id;
    const name = typeof written === 'string' && written !== '' ? written : null;
    const here =
      mapped ?? (group.is_mapped === true && name !== null ? { id: name, expand: mappedBy(group, place) } : null);
    for (const [id, child] of Object.entries(group.children)) {
      const [kind, inner] = Array.isArray(child) ? (child as unknown[]) : [];
      if (kind === 'taskgroup') walk(inner, here, depth + 1);
      else found.set(id, { id: name, mapped: here });
    }
  };
  walk(root, null, 0);
  return found;
}

function mappedBy(group: Json, path: Path): Expand | null {
  const { expand_input: input } = group;
  const value = isMap(input) ? decode(input.value) : null;
  if (!isMap(input) || input.type !== 'dict-of-lists' || !isMap(value)) return null;
  return { axes: value, ofFunction: true, place: jsonPlace(path) };
}

/** What a template field is given is a text where JSON has no form for it. */
function withReprs(task: Json): Json {
  const fields = Array.isArray(task.template_fields) ? (task.template_fields as unknown[]) : [];
  return Object.fromEntries(
    Object.entries(task).map(([key, value]) => {
      const isRepr = fields.includes(key) && typeof value === 'string' && /\b(XComArg|MappedArgument)\(/.test(value);
      return [key, isRepr ? (readRepr(value) ?? value) : value];
    }),
  );
}

function jsonPlace(path: Path): Place {
  return { path: path.length === 0 ? '$' : labelOf(path), line: null, column: null };
}

/** JSON.parse says how many characters in it stopped. */
function placeIn(text: string, message: string): Place {
  const before = text.slice(0, Number(/position (\d+)/.exec(message)?.[1] ?? 0)).split('\n');
  return { path: '$', line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

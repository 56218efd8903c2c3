import { ProblemList } from '../source/problem-list.ts';
import { readYaml } from '../source/read-yaml.ts';
import type { Path, SourceMap } from '../source/source-map.ts';
import { labelOf } from '../shape/label.ts';
import type { AirflowCallable, AirflowDag, AirflowSchedule, AirflowTask, Expand } from './airflow-dag.ts';
import { Args } from './args.ts';
import { FactoryGraph, factoryNodes, type FactoryNode } from './factory-graph.ts';
import { factoryOutput, factoryValue, withDefaults } from './factory-values.ts';
import { BASE_ARGUMENTS } from './known-keys.ts';
import { scheduleOf, type AirflowVersion } from './read-timetable.ts';
import { Report, type Place } from './report.ts';
import { isMap, textOf, TypedValue } from './typed-value.ts';

type Json = Readonly<Record<string, unknown>>;

/** Values with the path of the map they stand in. */
interface Layer {
  readonly values: Json;
  readonly path: Path;
}

/** The DAGs of a dag-factory file; `defaults` is the text of the `defaults.yml` beside it. Never throws; what cannot be read is reported. */
export function readDagFactory(
  text: string,
  defaults: string | null,
  version: AirflowVersion,
  report: Report,
): AirflowDag[] {
  const problems = new ProblemList(report.file);
  const source = readYaml(text, problems, { mergeKeys: true });
  for (const { line, column, message, hint } of problems.toArray())
    report.lost({ path: '', line, column }, message, hint ?? 'Mend it and import again.');
  if (source === null) return [];
  if (!isMap(source.value)) {
    report.lost({ path: '', line: 1, column: 1 }, 'The file holds no map of DAGs.', 'Name a dag-factory file.');
    return [];
  }
  const global =
    defaults === null ? {} : (readYaml(defaults, new ProblemList('defaults'), { mergeKeys: true })?.value ?? {});
  const { default: shared, ...dags } = source.value;
  return Object.entries(dags).flatMap(([id, config]) => {
    if (isMap(config) && Object.hasOwn(config, 'tasks'))
      return [new FactoryReader(source.map, id, config, [shared, global], version, new Report(report.file)).dag()];
    // Anchors are often kept in a map of their own.
    if (isMap(config) && !id.startsWith('x-') && !id.startsWith('.'))
      report.lost(placeIn(source.map, [id]), `${id} has no tasks, so it is not a DAG.`, 'Leave it out.');
    return [];
  });
}

class FactoryReader {
  readonly #map: SourceMap;
  readonly #id: string;
  readonly #own: Json;
  readonly #dag: Json;
  readonly #defaultArgs: readonly Layer[];
  readonly #version: AirflowVersion;
  readonly #report: Report;

  constructor(
    map: SourceMap,
    id: string,
    own: Json,
    around: readonly unknown[],
    version: AirflowVersion,
    report: Report,
  ) {
    this.#map = map;
    this.#id = id;
    this.#own = own;
    this.#dag = around.reduce<Json>(withDefaults, own);
    const layers: Layer[] = [own, ...around].map((holder, index) => ({
      values: isMap(holder) && isMap(holder.default_args) ? holder.default_args : {},
      path: [index === 0 ? id : 'default', 'default_args'],
    }));
    this.#defaultArgs = layers;
    this.#version = version;
    this.#report = report;
  }

  dag(): AirflowDag {
    const { tasks: _tasks, task_groups: _groups, default_args: _args, dag_id: _id, ...rest } = this.#dag;
    const { schedule, schedule_interval: interval, timetable, timezone, ...args } = rest;
    // What Airflow takes from default_args for the DAG itself.
    const inherited = Object.assign({}, ...this.#defaultArgs.map(({ values }) => values).reverse()) as Json;
    const { start_date: start = inherited.start_date, end_date: end = inherited.end_date } = args;
    const zone = timezone ?? inherited.timezone;
    const key = ['schedule', 'schedule_interval', 'timetable'].find((name) => rest[name] !== undefined) ?? 'schedule';
    const catchup = args.catchup ?? this.#version === 2;
    return {
      id: this.#id,
      place: placeIn(this.#map, [this.#id]),
      args: this.#args([{ values: { ...args, catchup, start_date: start, end_date: end }, path: [this.#id] }]),
      schedule: this.#schedule(schedule ?? interval ?? timetable),
      schedulePlace: this.#place(key),
      timezone: typeof zone === 'string' ? zone : null,
      tasks: this.#tasks(),
      report: this.#report,
    };
  }

  #schedule(written: unknown): AirflowSchedule {
    // Airflow 2 runs daily what has no schedule at all.
    const silent =
      this.#version === 2 && !['schedule', 'schedule_interval', 'timetable'].some((key) => key in this.#dag);
    return scheduleOf(silent ? '@daily' : factoryValue(written), this.#version);
  }

  #tasks(): AirflowTask[] {
    const tasks = factoryNodes(this.#dag.tasks, 'task_id', 'task_group_name', (member) => this.#place('tasks', member));
    const groups = factoryNodes(this.#dag.task_groups, 'group_name', 'parent_group_name', (member) =>
      this.#place('task_groups', member),
    );
    const graph = new FactoryGraph(tasks, groups, this.#report);
    const upstream = graph.upstream();
    const isList = Array.isArray(this.#dag.tasks);
    const members = new Map(tasks.map(({ name }, index): [string, string | number] => [name, isList ? index : name]));
    const unique = [...new Map(tasks.map((task) => [task.name, task])).values()];
    return unique.map((task) =>
      this.#task(
        task,
        [this.#id, 'tasks', members.get(task.name) ?? task.name],
        graph,
        upstream.get(task.name) ?? new Set(),
      ),
    );
  }

  #task(task: FactoryNode, path: Path, graph: FactoryGraph, before: ReadonlySet<string>): AirflowTask {
    const group = graph.groupOf(task);
    const groupArgs = isMap(group?.config.default_args) ? group.config.default_args : {};
    const { expand, partial, operator, decorator, ...own } = task.config;
    const kind = decorator === undefined ? shortName(operator) : `@${decoratorName(decorator)}`;
    const { given, ofFunction } = splitArguments({ ...own, ...(isMap(partial) ? partial : {}) }, kind);
    // Of what a function is given, only the other tasks' outputs need another look: they make edges too.
    const outputs = Object.fromEntries(Object.entries(ofFunction).map(([key, value]) => [key, factoryOutput(value)]));
    const values = Object.keys(outputs).length > 0 ? { ...given, op_kwargs: outputs } : given;
    const expanded = isMap(expand) ? this.#expand(expand, kind, [...path, 'expand']) : null;
    const named = (value: unknown): unknown =>
      value instanceof TypedValue && value.type === 'xcom'
        ? new TypedValue('xcom', { ...value.members, task: graph.idOf(textOf(value.members.task)) })
        : value;
    const outputsOf = [...Object.values(outputs), ...Object.values(expanded?.axes ?? {})]
      .filter((value): value is TypedValue => value instanceof TypedValue && value.type === 'xcom')
      .map((value) => textOf(value.members.task));
    return {
      id: graph.idOf(task.name),
      place: task.place,
      operator: kind,
      args: this.#args(
        [
          { values: mapValues(values, (value) => (isMap(value) ? mapValues(value, named) : value)), path },
          { values: groupArgs, path: [this.#id, 'task_groups', group?.name ?? '', 'default_args'] },
          ...this.#defaultArgs.map((layer) => ({ ...layer, values: withoutDates(layer.values) })),
        ],
        NOT_ARGUMENTS,
      ),
      upstream: [...new Set([...before, ...outputsOf])].map((name) => graph.idOf(name)),
      callable: callableOf(task.config),
      expand: expanded === null ? null : { ...expanded, axes: mapValues(expanded.axes, named) },
      group: graph.groupIdOf(task),
      mappedGroup: null,
    };
  }

  #expand(expand: Json, kind: string, path: Path): Expand {
    const axes = mapValues(expand, (value) => factoryOutput(factoryValue(value)));
    return { axes, ofFunction: kind.startsWith('@'), place: placeIn(this.#map, path) };
  }

  /** The first layer that has a key decides. */
  #args(layers: readonly Layer[], without: readonly string[] = []): Args {
    const values: Record<string, unknown> = {};
    for (const layer of [...layers].reverse())
      for (const [key, value] of Object.entries(layer.values))
        if (!without.includes(key)) values[key] = factoryValue(value);
    const placeOf = (key: string): Place => {
      const layer = layers.find((each) => Object.hasOwn(each.values, key) && this.#map.has([...each.path, key]));
      return placeIn(this.#map, layer === undefined ? (layers[0]?.path ?? []) : [...layer.path, key]);
    };
    return new Args(values, placeOf, this.#report);
  }

  #place(...members: Path): Place {
    const [first = ''] = members;
    return placeIn(this.#map, [Object.hasOwn(this.#own, first) ? this.#id : 'default', ...members]);
  }
}

const NOT_ARGUMENTS = [
  'dependencies',
  'task_id',
  'task_group_name',
  'python_callable',
  'python_callable_name',
  'python_callable_file',
  'timezone',
];

/** Those in default_args are the DAG's. */
function withoutDates({ start_date: _start, end_date: _end, ...values }: Json): Json {
  return values;
}

function placeIn(map: SourceMap, path: Path): Place {
  return { path: path.length === 0 ? '' : labelOf(path), ...map.key(path) };
}

/** What a decorator's key means: an argument of the task, or of the function. */
function splitArguments(values: Json, kind: string): { given: Json; ofFunction: Json } {
  if (!kind.startsWith('@')) return { given: values, ofFunction: {} };
  const [given, ofFunction]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}];
  for (const [key, value] of Object.entries(values))
    (BASE_ARGUMENTS.has(key) || NOT_ARGUMENTS.includes(key) ? given : ofFunction)[key] = value;
  return { given, ofFunction };
}

function callableOf(config: Json): AirflowCallable | null {
  const { python_callable: path, python_callable_name: name, python_callable_file: file } = config;
  if (typeof name === 'string' && typeof file === 'string') {
    const module = /([A-Za-z_]\w*)\.py$/.exec(file)?.[1] ?? null;
    return { module, name: identifier(name), file };
  }
  const [, module, called] = typeof path === 'string' ? (/^([A-Za-z_][\w.]*)\.([A-Za-z_]\w*)$/.exec(path) ?? []) : [];
  return called === undefined ? null : { module: module ?? null, name: called, file: null };
}

function identifier(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : 'call';
}

function shortName(operator: unknown): string {
  return typeof operator === 'string' ? (operator.split('.').at(-1) ?? '') : 'unknown';
}

/** `airflow.sdk.task.branch` → `task.branch`. */
function decoratorName(decorator: unknown): string {
  const last = shortName(decorator);
  return last === 'task' ? 'task' : `task.${last}`;
}

function mapValues(values: Json, change: (value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}

import type { AirflowDag } from './airflow-dag.ts';
import { assetOf, assetsIn, type Asset } from './assets.ts';
import { Names } from './names.ts';
import { kindOf, type OperatorKind } from './operators.ts';
import { Report } from './report.ts';
import { toParams } from './to-params.ts';

/** What one DAG knows of those that are imported with it. Names of anything else are nobody's. */
export interface Project {
  /** The pipeline that stands for a DAG; undefined: it is not among them, or naming it would close a round. */
  pipelineOf(dagId: string): string | undefined;
  /** The same for a DAG whose runs are only waited for, which starts nothing. */
  waitedFor(dagId: string): string | undefined;
  /** What the called DAG calls a parameter in its file; undefined: it declares none of that name. */
  paramOf(dagId: string, param: string): string | undefined;
  /** What a call of the DAG has to give, by the names of its file. */
  needsOf(dagId: string): readonly string[];
  /** `pipeline.path` of every other pipeline that publishes the asset. */
  writersOf(asset: Asset): readonly string[];
  /** Path under which a task of this DAG publishes, by asset: the first task that has it as an outlet. */
  readonly paths: ReadonlyMap<string, OwnPath>;
}

export interface OwnPath {
  readonly path: string;
  readonly taskId: string;
}

/** Kinds that execute nothing, and so write nothing. */
const WAITING: readonly OperatorKind[] = ['sensor', 'call'];

export function keyOf({ uri }: Asset): string {
  return uri;
}

/** `pipelines`: the name of each DAG's pipeline. */
export function createProject(pipelines: ReadonlyMap<AirflowDag, string>): (of: AirflowDag) => Project {
  const byId = new Map<string, AirflowDag>();
  for (const dag of pipelines.keys()) if (!byId.has(dag.id) && dag.tasks.length > 0) byId.set(dag.id, dag);
  const paths = new Map([...pipelines.keys()].map((dag) => [dag, ownPaths(dag)]));
  const params = new Map([...byId].map(([id, dag]) => [id, paramsOf(dag)]));
  const writers = (asset: Asset): AirflowDag[] =>
    [...byId.values()].filter((dag) => paths.get(dag)?.has(keyOf(asset)) === true);
  const starts = startsOf([...byId.values()], byId, writers);
  return (of) => ({
    pipelineOf: (dagId) => {
      const dag = byId.get(dagId);
      return dag === undefined || leadsTo(dag, of, starts) ? undefined : pipelines.get(dag);
    },
    waitedFor: (dagId) => {
      const dag = byId.get(dagId);
      return dag === undefined || dag === of ? undefined : pipelines.get(dag);
    },
    paramOf: (dagId, param) => params.get(dagId)?.names.of(param),
    needsOf: (dagId) => params.get(dagId)?.needed ?? [],
    writersOf: (asset) =>
      writers(asset)
        .filter((dag) => !leadsTo(of, dag, starts))
        .map((dag) => `${pipelines.get(dag)}.${paths.get(dag)?.get(keyOf(asset))?.path}`),
    paths: paths.get(of) ?? new Map(),
  });
}

type Starts = ReadonlyMap<AirflowDag, readonly AirflowDag[]>;

/** Which DAGs each one starts, by calling them or by publishing what they wait for. */
function startsOf(
  dags: readonly AirflowDag[],
  byId: ReadonlyMap<string, AirflowDag>,
  writers: (asset: Asset) => AirflowDag[],
): Starts {
  const starts = new Map(dags.map((dag): [AirflowDag, AirflowDag[]] => [dag, []]));
  for (const dag of dags) {
    for (const { operator, args } of dag.tasks) {
      const called = operator === 'TriggerDagRunOperator' ? args.take('trigger_dag_id') : undefined;
      const other = typeof called === 'string' ? byId.get(called) : undefined;
      if (other !== undefined) starts.get(dag)?.push(other);
    }
    if (dag.schedule.kind !== 'assets') continue;
    for (const asset of assetsIn(dag.schedule.condition))
      for (const writer of writers(asset)) starts.get(writer)?.push(dag);
  }
  return starts;
}

/** Whether runs of one lead to runs of the other; each leads to itself. */
function leadsTo(from: AirflowDag, to: AirflowDag, starts: Starts): boolean {
  const [seen, open] = [new Set([from]), [from]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === to) return true;
    for (const other of starts.get(next) ?? [])
      if (!seen.has(other)) {
        seen.add(other);
        open.push(other);
      }
  }
  return false;
}

function ownPaths(dag: AirflowDag): Map<string, OwnPath> {
  const [names, paths] = [new Names('_'), new Map<string, OwnPath>()];
  for (const { id, args, operator } of dag.tasks) {
    const outlets = args.take('outlets');
    // What is mapped publishes parts, of which nobody outside knows.
    if (!Array.isArray(outlets) || WAITING.includes(kindOf(operator))) continue;
    for (const outlet of outlets as unknown[]) {
      const asset = assetOf(outlet);
      if (asset === null || paths.has(keyOf(asset))) continue;
      paths.set(keyOf(asset), { path: names.give(asset.name.replace(/^[a-z][a-z0-9+.-]*:\/+/i, '')), taskId: id });
    }
  }
  return paths;
}

function paramsOf(dag: AirflowDag): { names: Names; needed: readonly string[] } {
  const names = new Names('_');
  // What is to be said of them is said where they are converted for good.
  const schemas = Object.entries(toParams(dag, names, new Report('')));
  return { names, needed: schemas.flatMap(([name, schema]) => ('default' in schema ? [] : [name])) };
}

import type { AirflowDag } from './airflow-dag.ts';
import type { AssetCondition } from './assets.ts';
import type { Project } from './project.ts';
import type { Report } from './report.ts';

type Datasets = string | { readonly all: readonly Datasets[] } | { readonly any: readonly Datasets[] };

const BY_HAND =
  'Import the DAG that writes it together with this one, or declare it under `paths:` of its pipeline and write `schedule: { datasets: [other-pipeline.path] }`.';

/** What a schedule of assets waits for as `datasets:`; null: what it needs is published by no other imported DAG. */
export function toDatasets(
  condition: AssetCondition,
  dag: AirflowDag,
  report: Report,
  project: Project,
): Datasets | null {
  const convert = (part: AssetCondition): Datasets | null => {
    if ('unknown' in part) {
      report.lost(dag.schedulePlace, `The schedule waits for ${part.unknown}, which is left out.`, BY_HAND);
      return null;
    }
    if ('asset' in part) {
      const writers = project.writersOf(part.asset);
      const [only, another] = writers;
      if (only !== undefined) return another === undefined ? only : { any: writers };
      report.lost(
        dag.schedulePlace,
        `The schedule waits for the asset "${part.asset.name}", which no other imported DAG has as an outlet.`,
        BY_HAND,
      );
      return null;
    }
    const isAll = 'all' in part;
    const inner = (isAll ? part.all : part.any).map(convert);
    const known = inner.filter((one) => one !== null);
    const [first, more] = known;
    if (first === undefined || (isAll && known.length < inner.length)) return null;
    if (more === undefined) return first;
    return isAll ? { all: known } : { any: known };
  };
  const found = convert(condition);
  if (found === null)
    report.lost(
      dag.schedulePlace,
      'The schedule of assets (once: datasets) cannot be kept: no data starts the pipeline.',
      BY_HAND,
    );
  return found;
}

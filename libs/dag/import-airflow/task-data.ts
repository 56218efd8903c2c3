import type { AirflowTask } from './airflow-dag.ts';
import { assetOf } from './assets.ts';
import type { Conversion } from './conversion.ts';
import { keyOf } from './project.ts';

export interface TaskData {
  readonly writes?: readonly string[];
  readonly reads?: readonly unknown[];
}

/** `outlets` as `writes`, `inlets` as `reads`, where it is known who writes and what is written before. */
export function dataOf(task: AirflowTask, conversion: Conversion): TaskData {
  const [writes, reads] = [writesOf(task, conversion), readsOf(task, conversion)];
  return { ...(writes.length > 0 ? { writes } : {}), ...(reads.length > 0 ? { reads } : {}) };
}

function writesOf(task: AirflowTask, { project, report }: Conversion): string[] {
  const place = task.args.placeOf('outlets');
  const own = project.paths;
  return listOf(task, 'outlets').flatMap((outlet) => {
    const asset = assetOf(outlet);
    if (asset === null) {
      const hint = 'Declare what the task writes: `paths:` and `writes:`; pipelines that read it wait for it.';
      report.lost(place, `An outlet of task "${task.id}" is not known before it runs.`, hint);
      return [];
    }
    const found = own.get(keyOf(asset));
    if (found?.taskId !== task.id) {
      const message = `Task "${task.id}" is not the first that has "${asset.name}" as an outlet; a path has one writer.`;
      report.lost(place, message, 'Let the last task that touches it write the path.');
      return [];
    }
    const variable = `$PATH_${found.path.toUpperCase()}`;
    report.changed(
      place,
      `The asset "${asset.name}" is the path "${found.path}", of which each success of task "${task.id}" publishes a version.`,
      `Let it write to ${variable} what readers are to read; where the data lies elsewhere, the version may stay empty.`,
    );
    return [found.path];
  });
}

function readsOf(task: AirflowTask, conversion: Conversion): unknown[] {
  const { project, report, before } = conversion;
  const place = task.args.placeOf('inlets');
  return listOf(task, 'inlets').flatMap((inlet): unknown[] => {
    const asset = assetOf(inlet);
    const own = asset === null ? undefined : project.paths.get(keyOf(asset));
    // A read makes an edge: it may only say what the graph says anyway.
    if (own !== undefined && before.get(task.id)?.has(own.taskId)) return [own.path];
    const [other] = asset === null || own !== undefined ? [] : project.writersOf(asset);
    if (other !== undefined) {
      report.changed(
        place,
        `Task "${task.id}" reads "${asset?.name}" as ${other}.`,
        `Read it from $PATH_${other.split('.')[1]?.toUpperCase()}, or leave \`reads\` out.`,
      );
      return [{ path: other, missing: 'ok' }];
    }
    report.lost(
      place,
      `An inlet of task "${task.id}"${asset === null ? '' : `, "${asset.name}",`} is written by no task before it, and by no other imported DAG.`,
      'Declare what the task reads: `paths:` and `reads:`.',
    );
    return [];
  });
}

function listOf({ args }: AirflowTask, key: string): readonly unknown[] {
  const value = args.take(key);
  return Array.isArray(value) ? (value as unknown[]) : value === undefined ? [] : [value];
}

import { SluiceError } from '#core';
import { intervalAt, withOverlay } from '#dag';
import { renderLocation, runScope } from '#engine';
import { apiQueries } from '#store';
import { currentPipeline } from './environment-reads.ts';
import type { ReadContext } from './read-context.ts';

/** Where a path's data lies; `folder` (absolute, or `s3://…/`) and what follows are null while nothing was published there. */
export interface ResolvedPath {
  readonly location: string;
  readonly folder: string | null;
  readonly version: string | null;
  readonly manifestHash: string | null;
  readonly runId: string | null;
  readonly publishedAt: string | null;
}

export async function readPath(
  context: ReadContext,
  environment: string,
  pipeline: string,
  path: string,
  at: Date | null,
): Promise<ResolvedPath> {
  const rows = await apiQueries.readPointers(context.db, environment, pipeline, path, at?.toISOString() ?? null);
  const [first] = rows;
  if (!first) return unpublished(context, environment, pipeline, path, at);
  const { location, mapKey, version, manifestHash, runId, publishedAt } = first;
  if (mapKey === '') {
    const folder = await context.storageFor(environment).address(version);
    return { location, folder, version, manifestHash, runId, publishedAt };
  }
  // A fan-out publishes one version per map key; together they are the folder above.
  const parent = location.slice(0, -mapKey.length - 1);
  return { location: parent, folder: null, version: null, manifestHash: null, runId, publishedAt };
}

/** Where the data would be. Throws `not_found` for a path that the pipeline does not declare. */
async function unpublished(
  context: ReadContext,
  environment: string,
  name: string,
  path: string,
  at: Date | null,
): Promise<ResolvedPath> {
  const { entry } = await currentPipeline(context, environment, name);
  const pipeline = entry.pipeline && withOverlay(entry.pipeline, environment);
  const [plain = '', aside] = path.split('.');
  if (aside !== undefined && pipeline?.paths[plain])
    throw new SluiceError('not_found', `Nothing of ${name}.${plain} was put aside in ${environment}.`, {
      hint: 'Only checks with `on_fail: quarantine` put rows aside, for the runs that they looked at.',
    });
  const declared = pipeline?.paths[path];
  if (!pipeline || !declared)
    throw new SluiceError('not_found', `Pipeline "${name}" declares no path "${path}".`, {
      hint: pipeline ? `It declares: ${Object.keys(pipeline.paths).join(', ') || 'none'}.` : 'Its file is broken.',
    });
  const nothing = { folder: null, version: null, manifestHash: null, runId: null, publishedAt: null };
  return { location: renderedAt(context, environment, pipeline, path, at) ?? declared.at, ...nothing };
}

function renderedAt(
  context: ReadContext,
  environment: string,
  pipeline: Parameters<typeof renderLocation>[0],
  path: string,
  at: Date | null,
): string | null {
  const applied = context.environment(environment);
  const interval = at === null || pipeline.schedule.kind === 'manual' ? null : intervalAt(pipeline.schedule, at, at);
  if (applied === null || interval === null) return null;
  const record = {
    id: '0',
    environment,
    pipeline: pipeline.name,
    release: '',
    trigger: 'manual' as const,
    intervalStart: interval.start.toISOString(),
    intervalEnd: interval.end.toISOString(),
    params: {},
    originRun: null,
    shadow: false,
    state: 'queued' as const,
    cancelRequested: false,
    createdAt: interval.end.toISOString(),
    startedAt: null,
    timeoutAt: null,
  };
  const rendered = renderLocation(pipeline, path, runScope(record, pipeline, applied), '');
  return rendered.ok ? rendered.location : null;
}

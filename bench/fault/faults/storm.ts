import { SluiceError } from '#core';
import { noted } from '../catch-up.ts';
import type { Figures, Scene } from '../scene.ts';

/** Some of its tasks fail now and then, so that there is something to rerun. */
export const STORM = `
name: storm
max_active_runs: 30
tasks:
  first:
    run: |
      ${noted('start')}
      sleep 0.$((RANDOM % 5))
      if [ $((RANDOM % 4)) = 0 ]; then exit 1; fi
      ${noted('end')}
  parts:
    needs: [first]
    matrix: { n: [1, 2, 3] }
    run: |
      ${noted('start')}
      sleep 0.$((RANDOM % 3))
      ${noted('end')}
  last:
    needs: [parts]
    run: sleep 0.1
`;
const CLIENTS = 20;
const STORM_MS = 8000;
const TASKS = ['first', 'parts', 'last'];

/** A call that was answered with success. */
interface Accepted {
  readonly act: 'trigger' | 'rerun' | 'cancel' | 'mark';
  /** Of a trigger or a rerun: the new one. */
  readonly runId: string;
  readonly task?: string;
}

const accepted = new WeakMap<Scene, Accepted[]>();

/** Twenty clients who do something to a run, one call after the other each. */
export async function storm(scene: Scene): Promise<Figures> {
  const all = accepted.get(scene) ?? [];
  accepted.set(scene, all);
  const known: string[] = [];
  const figures = { accepted: 0, refused: 0, unanswered: 0 };
  const until = Date.now() + scene.lasting(STORM_MS);
  const client = async (): Promise<void> => {
    while (Date.now() < until) {
      try {
        const done = await act(scene, known);
        figures.accepted += 1;
        if (done === null) continue;
        all.push(done);
        if (done.act === 'trigger' || done.act === 'rerun') known.push(done.runId);
      } catch (error) {
        const code = error instanceof SluiceError ? error.code : 'internal';
        if (code === 'conflict') figures.refused += 1;
        // Whether it took effect nobody knows; only something else that happens meanwhile may be the reason.
        else if (code === 'unavailable' || code === 'timeout') figures.unanswered += 1;
        else scene.problems.push(`a call was answered with neither success nor 409: ${(error as Error).message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  await scene.patiently(() => scene.cluster.server.client.unpause('storm', 'dev'));
  return figures;
}

/** Null: something whose effect the next call undoes. */
async function act(scene: Scene, known: readonly string[]): Promise<Accepted | null> {
  const { client } = scene.cluster.server;
  const dice = scene.between(0, 100);
  if (known.length < 5 || dice < 15) {
    const { id } = await scene.cluster.trigger('storm');
    return { act: 'trigger', runId: id };
  }
  // The newest are the ones about which something is being decided.
  const runId = scene.pick(known.slice(-40));
  if (dice < 50) {
    await client.cancel(runId);
    return { act: 'cancel', runId };
  }
  if (dice < 65) {
    const { id } = await client.rerun(runId, { mode: scene.pick(['failed', 'all']), release: 'same' });
    return { act: 'rerun', runId: id };
  }
  if (dice < 90) {
    const as = scene.pick(['success', 'failed'] as const);
    const task = scene.pick([undefined, ...TASKS]);
    await client.mark(runId, { as, reason: 'storm', ...(task === undefined ? {} : { task }) });
    return { act: 'mark', runId, ...(task === undefined ? {} : { task }) };
  }
  await (dice < 95 ? client.pause('storm', 'dev') : client.unpause('storm', 'dev'));
  return null;
}

/** Whether each call that was accepted had its effect; at rest. */
export async function checkStorm(scene: Scene): Promise<string[]> {
  const { db } = scene.cluster;
  const runs = await db.query<{ id: string; state: string }>(
    `select id::text, state from run where pipeline = 'storm'`,
  );
  const states = new Map(runs.rows.map(({ id, state }) => [id, state]));
  const marks = await db.query<{ run: string; task: string | null }>(
    `select m.run_id::text as run, m.task_id as task from run_mark m join run r on r.id = m.run_id where r.pipeline = 'storm'`,
  );
  const marked = new Set(marks.rows.map(({ run, task }) => `${run}/${task ?? ''}`));
  const problems = (accepted.get(scene) ?? []).flatMap(({ act, runId, task }) => {
    const state = states.get(runId);
    if (state === undefined) return [`${act} of run ${runId} was accepted, and there is no such run`];
    if (act === 'cancel' && state !== 'cancelled' && !marked.has(`${runId}/`))
      return [`cancel of run ${runId} was accepted, and it ended as ${state}`];
    if (act === 'mark' && !marked.has(`${runId}/${task ?? ''}`))
      return [`mark of ${runId}/${task ?? ''} was accepted, and is not there`];
    return [];
  });
  const left = await db.query(`select 1 from inbox`);
  return [
    ...new Set(problems),
    ...(left.rowCount === 0 ? [] : [`${left.rowCount} commands are left in the inbox at rest`]),
  ];
}

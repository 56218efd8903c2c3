import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AttemptResult, EngineStore } from '#core';
import { createStore } from '#store';
import { SUCCESS } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';
import { TICKS_PER_SWEEP } from './scheduler.ts';

let world: World;
/** The connection is cut after the next runs were claimed, and before they came. */
let losesClaimed: boolean;
/** Commits the claim that the database still works on while its connection is gone already. */
let commitClaim: () => Promise<void>;
let breaksClaim: boolean;
beforeEach(async () => {
  losesClaimed = false;
  breaksClaim = false;
  const around = (store: EngineStore): EngineStore => ({
    ...store,
    claimRuns: async (...about) => {
      if (breaksClaim) {
        breaksClaim = false;
        commitClaim = await heldClaim(about);
        throw new Error('Connection terminated unexpectedly');
      }
      const claimed = await store.claimRuns(...about);
      if (!losesClaimed) return claimed;
      losesClaimed = false;
      throw new Error('Connection terminated unexpectedly');
    },
  });
  world = await World.open({ around });
  await world.release(
    `name: p\ntasks: { a: { run: "true" }, b: { needs: a, run: "true" } }`,
    `name: q\ntasks: { c: { run: "true" } }`,
  );
});
afterEach(() => world.close());

/** `task number state` of every attempt, in the order of their making. */
async function attempts(): Promise<string[]> {
  const rows = await world.db.query<{ line: string }[]>(
    `select task_id || ' ' || number || ' ' || state as line from attempt order by id`,
  );
  return rows.map((row) => row.line);
}

async function stateOf(runId: string): Promise<string> {
  return (await world.store.getRun(runId))!.state;
}

/** Claims in a transaction of its own, which is committed when the function that it resolves to is called. */
function heldClaim(about: Parameters<EngineStore['claimRuns']>): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    let commit: () => void;
    const committed = new Promise<void>((goOn) => (commit = goOn));
    const ended = world.db.transaction(async (manager) => {
      await createStore(manager).claimRuns(...about);
      resolve(() => (commit(), ended));
      await committed;
    });
    ended.catch(reject);
  });
}

/** What a worker writes beside its outputs before it reports. */
function leaveEvidence(name: string): AttemptResult {
  const { runId, taskId, mapIndex, fence, attemptId } = world.executor.find(name);
  const nothing = { outputs: {}, metrics: [], summary: null, versions: [], logLines: 0 };
  const result = { attemptId, runId, fence, outcome: SUCCESS, startedAt: 1000, finishedAt: 2000, ...nothing };
  world.evidence.set(JSON.stringify({ runId, taskId, mapIndex, fence }), result);
  return result;
}

async function endLease(): Promise<void> {
  await world.db.query(`update process set alive_until = now() - interval '1 second' where id = 'process-1'`);
}

describe('two owners', () => {
  test('the second takes over by a higher token; what the first one writes afterwards is refused as a whole', async () => {
    const id = await world.run('p');
    const first = world.executor;
    await endLease();
    const second = await world.process();
    await second.scheduler.tick();
    await world.settle(); // the retry of what was lost has its timer now
    await world.wait(0);
    expect(second.executor.names()).toEqual(['a']);
    expect(second.executor.find('a')).toMatchObject({ number: 2, fence: 3 }); // one for giving the first up
    first.end('a'); // the first one woke up
    await world.settle();
    expect(world.events.some(({ name, fields }) => name === 'leases-lost' && fields.runIds !== undefined)).toBe(true);
    expect(await attempts()).toEqual(['a 1 lost', 'a 2 queued']);
    second.executor.end('a');
    await world.settle();
    second.executor.end('b');
    await world.settle();
    expect(await stateOf(id)).toBe('success');
    expect(await attempts()).toEqual(['a 1 lost', 'a 2 success', 'b 1 success']);
    expect(first.names()).toEqual([]);
    expect(world.problems).toEqual([]);
  });

  test('a batch that waits for the lock of a run that changes hands writes nothing, of other runs neither', async () => {
    const p = await world.run('p');
    const q = await world.run('q');
    const taker = world.db.createQueryRunner();
    await taker.startTransaction();
    await taker.query(`update run set lease_owner = 'somebody', lease_token = lease_token + 1 where id = $1`, [p]);
    world.executor.end('a');
    world.executor.end('c');
    await waitingForLock();
    await taker.query(`insert into process values ('somebody', 'scheduler', 'x', 1, now(), now() + interval '1 hour')`);
    await taker.commitTransaction();
    await taker.release();
    await world.settle();
    expect(await attempts()).toEqual(['a 1 queued', 'c 1 queued']);
    await world.tick();
    // The other run was only dropped from memory: its result is not lost.
    expect(await attempts()).toEqual(['a 1 queued', 'c 1 success']);
    expect([await stateOf(p), await stateOf(q)]).toEqual(['running', 'success']);
  });

  async function waitingForLock(): Promise<void> {
    for (;;) {
      const [row] = await world.db.query<{ waits: number }[]>(
        `select count(*)::int as waits from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (row!.waits > 0) return;
    }
  }

  test('each admits only task runs of its own runs, and both go on', async () => {
    await world.run('p');
    const second = await world.process();
    await endLease();
    await second.scheduler.tick();
    await world.settle(); // the retry of what was lost has its timer now
    await world.wait(0);
    await world.tick(); // the first one lives again, and owns the next run
    await world.run('q');
    // What it executed for the run that was taken over, it ended when it noticed.
    expect(world.executor.cancelled).toEqual(['a: another process took the run over']);
    expect([world.executor.names(), second.executor.names()]).toEqual([['c'], ['a']]);
    world.executor.end('c');
    second.executor.end('a');
    await world.settle();
    expect([world.executor.names(), second.executor.names()]).toEqual([[], ['b']]);
    expect(await attempts()).toEqual(['a 1 lost', 'a 2 success', 'c 1 success', 'b 1 queued']);
  });

  test('an owner that slept so long that it was forgotten ends what it executes', async () => {
    await world.run('p');
    await world.db.query(`delete from process where id = 'process-1'`);
    await world.db.query(
      `insert into process values ('somebody', 'scheduler', 'x', 1, now(), now() + interval '1 hour')`,
    );
    await world.db.query(`update run set lease_owner = 'somebody', lease_token = lease_token + 1`);
    await world.tick();
    expect(world.executor.cancelled).toEqual(['a: another process took the run over']);
  });

  test('an owner that slept past its lease goes on when nobody took over', async () => {
    const id = await world.run('p');
    await endLease();
    world.scheduler.wake(); // claims its own run anew while the old cache is in memory
    world.executor.end('a');
    await world.settle();
    await world.tick();
    await world.endAll();
    expect(await stateOf(id)).toBe('success');
    expect(await attempts()).toEqual(['a 1 success', 'b 1 success']);
  });
});

describe('crashes', () => {
  test('between the commit and the dispatch: the next start gives the attempt up and makes exactly one success', async () => {
    world.executor.beforeDispatch = () => {
      throw new Error('killed');
    };
    const id = await world.run('p');
    expect(await attempts()).toEqual(['a 1 queued']);
    await world.restart();
    await world.endAll();
    expect(await attempts()).toEqual(['a 1 lost', 'a 2 success', 'b 1 success']);
    expect(await stateOf(id)).toBe('success');
  });

  test('a dispatch that fails in a process that lives is repeated: the same attempt', async () => {
    world.executor.beforeDispatch = () => {
      world.executor.beforeDispatch = () => undefined;
      throw new Error('the executor is busy');
    };
    const id = await world.run('p');
    const now = world.clock.now().getTime();
    for (let ticks = 1; ticks <= 11; ticks++) await world.tick(now + ticks * 3_000);
    expect(world.executor.names()).toEqual(['a']);
    await world.endAll();
    expect(await attempts()).toEqual(['a 1 success', 'b 1 success']);
    expect(await stateOf(id)).toBe('success');
  });

  test('after the outputs were published and before the report: the evidence counts, nothing runs again', async () => {
    const id = await world.run('p');
    leaveEvidence('a');
    const next = await world.restart();
    expect(next.executor.names()).toEqual(['b']);
    await world.endAll();
    expect(await attempts()).toEqual(['a 1 success', 'b 1 success']);
    expect(await stateOf(id)).toBe('success');
  });

  test('in the middle of giving an attempt up: the one after that still finds the evidence', async () => {
    await world.run('p');
    leaveEvidence('a');
    await world.store.fenceAttempts([world.executor.find('a').attemptId]); // and killed right then
    const next = await world.restart();
    expect(next.executor.names()).toEqual(['b']);
    expect(await attempts()).toEqual(['a 1 success', 'b 1 queued']);
  });

  test('with a retry pending: the next start makes it when it is due', async () => {
    await world.release(`name: r\ntasks: { a: { run: "true", retries: { max: 1, delay: 1h, jitter: 0 } } }`);
    await world.run('r');
    await world.end('a', { kind: 'failed', exitCode: 1, message: 'exit code 1' });
    const next = await world.restart();
    await world.wait(3_599_000);
    expect(next.executor.names()).toEqual([]);
    await world.wait(1000);
    expect(next.executor.names()).toEqual(['a']);
  });

  test('a run that was cancelled before the crash stays cancelled', async () => {
    const id = await world.run('p');
    await world.commands.cancel(id, 'ann');
    await world.restart();
    expect(await stateOf(id)).toBe('cancelled');
    expect(await attempts()).toEqual(['a 1 lost']);
  });
});

describe('lost words', () => {
  test('a report that is lost: the sweep finds the evidence', async () => {
    const id = await world.run('p');
    leaveEvidence('a');
    world.executor.isCutOff = true;
    world.executor.end('a');
    world.executor.isCutOff = false;
    const now = world.clock.now().getTime();
    for (let ticks = 1; ticks <= 11; ticks++) await world.tick(now + ticks * 3_000);
    expect(world.executor.names()).toEqual(['b']);
    await world.endAll();
    expect(await stateOf(id)).toBe('success');
  });

  test('a report that comes twice, and one for an attempt that nobody knows, change nothing', async () => {
    const id = await world.run('p');
    const result = world.executor.end('a');
    world.executor.report(result);
    world.executor.report({ ...result, attemptId: '999' });
    await world.settle();
    world.executor.report(result);
    await world.endAll();
    expect(await attempts()).toEqual(['a 1 success', 'b 1 success']);
    const [pool] = await world.db.query<{ used: number }[]>(`select used from pool where name = 'default'`);
    expect(pool?.used).toBe(0);
    expect(await stateOf(id)).toBe('success');
  });
});

describe('a database that refuses', () => {
  const refuse = (task: string) =>
    world.db.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
      create trigger refuse before insert on task_run for each row when (new.task_id = '${task}') execute function refuse()`);
  const relent = () => world.db.query('drop trigger refuse on task_run');

  test('one run whose rows are refused holds up no other run', async () => {
    const p = await world.run('p');
    const q = await world.run('q');
    await refuse('b');
    world.executor.end('a');
    world.executor.end('c');
    await world.settle();
    for (let ticks = 0; ticks < 3; ticks++) await world.tick();
    expect(await stateOf(q)).toBe('success');
    expect(await attempts()).toEqual(['a 1 queued', 'c 1 success']);
    await relent();
    await world.tick();
    await world.endAll();
    expect(await stateOf(p)).toBe('success');
    expect(await attempts()).toEqual(['a 1 success', 'c 1 success', 'b 1 success']);
  });

  test('a run that is to be loaded again while somebody holds its lock is loaded once it is free', async () => {
    const id = await world.run('p');
    await refuse('b');
    world.executor.end('a');
    await world.settle(); // refused: the run is no longer in memory
    await relent();
    const somebody = world.db.createQueryRunner();
    await somebody.startTransaction();
    await somebody.query('select from run where id = $1 for update', [id]);
    await world.tick();
    expect(await attempts()).toEqual(['a 1 queued']);
    await somebody.commitTransaction();
    await somebody.release();
    await world.tick();
    await world.endAll();
    expect(await stateOf(id)).toBe('success');
    expect(await attempts()).toEqual(['a 1 success', 'b 1 success']);
  });

  test('what a run executes here ends when it was dropped from memory and is somebody else’s then', async () => {
    await world.release(
      `name: two\ntasks: { a: { run: "true" }, long: { run: "true" }, b: { needs: a, run: "true" } }`,
    );
    await world.run('two');
    await refuse('b');
    world.executor.end('a');
    await world.settle();
    await world.db.query(
      `insert into process values ('somebody', 'scheduler', 'x', 1, now(), now() + interval '1 hour')`,
    );
    await world.db.query(`update run set lease_owner = 'somebody', lease_token = lease_token + 1`);
    await world.tick();
    expect(world.executor.cancelled).toEqual(['long: another process took the run over']);
  });

  test('a cancel is not forgotten when its batch is refused and the run is loaded again', async () => {
    const id = await world.run('p');
    await refuse('b');
    await world.commands.cancel(id, 'ann');
    await world.tick();
    expect(await stateOf(id)).toBe('running');
    await relent();
    await world.tick();
    await world.tick();
    expect(await stateOf(id)).toBe('cancelled');
  });

  test('runs that were claimed and of which no answer came are loaded', async () => {
    losesClaimed = true;
    const id = await world.run('p');
    expect(world.executor.names()).toEqual([]);
    await world.tick();
    await world.endAll();
    expect(await stateOf(id)).toBe('success');
  });

  test('a claim that is committed only after somebody looked for it is found with the next sweep', async () => {
    breaksClaim = true;
    const id = await world.run('p');
    await world.tick();
    await commitClaim();
    for (let ticks = 0; ticks < TICKS_PER_SWEEP; ticks++) await world.tick();
    await world.endAll();
    expect(await stateOf(id)).toBe('success');
  });

  test('runs that were claimed and could not be loaded are loaded when the database answers', async () => {
    const id = await world.commands.trigger({ pipeline: 'p', environment: 'dev', params: {}, actor: 'ann' });
    await world.db.query('alter table attempt rename to gone');
    await world.tick();
    expect(world.problems).toContainEqual(expect.stringMatching(/^taking runs: /));
    await world.db.query('alter table gone rename to attempt');
    await world.tick();
    await world.endAll();
    expect(await stateOf(id)).toBe('success');
  });
});

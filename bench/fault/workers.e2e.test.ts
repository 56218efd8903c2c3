import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createWorkerClient } from '#contracts';
import { until } from '../../apps/standalone/standalone-fixture.ts';
import { catchUp } from './catch-up.ts';
import { FaultPostgres } from './fault-postgres.ts';
import { networkFaults } from './faults/network-faults.ts';
import { postgresFaults } from './faults/postgres-faults.ts';
import { processFaults } from './faults/process-faults.ts';
import { STORM } from './faults/storm.ts';
import { STUBBORN, workFaults } from './faults/work-faults.ts';
import { loadHistory } from './history.ts';
import { LiveWatch } from './live-watch.ts';
import { Network } from './network.ts';
import { seededRandom } from './random.ts';
import { checkScene } from './round.ts';
import { Scene } from './scene.ts';
import { StartedAsShown } from './started-as-shown.ts';
import { Cluster, SECRET, TOKEN, type ClusterProcess } from './worker-cluster.ts';

// Tasks leave marks in a folder of the project, and wait for files of the test's there.
const FAN = `
name: fan
paths:
  parts: { at: parts }
  sum: { at: sum }
tasks:
  part:
    matrix: { n: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }
    secrets: [pass]
    env: { N: "\${{ matrix.n }}" }
    writes: [parts]
    run: |
      echo "the word is $pass"
      sleep 0.3
      echo "$N" > "$PATH_PARTS/n"
      echo "part $N try $SLUICE_TRY" >> "$DATA_MARKS/fan"
  sum:
    needs: [part]
    reads: [parts]
    writes: [sum]
    run: |
      cat "$PATH_PARTS"/*/n | paste -sd+ | bc > "$PATH_SUM/total"
      echo "total=$(cat "$PATH_SUM/total")" >> "$SLUICE_OUTPUT"
`;
/** Two go on while the worker is away: one ends meanwhile, the other never does by itself. */
const LONG = `
name: long
tasks:
  ends:
    run: |
      echo "$SLUICE_TRY begins" >> "$DATA_MARKS/ends"
      while [ ! -e "$DATA_MARKS/end-$SLUICE_TRY" ]; do sleep 0.05; done
      echo "$SLUICE_TRY ends" >> "$DATA_MARKS/ends"
  stays:
    run: |
      echo "$SLUICE_TRY begins" >> "$DATA_MARKS/stays"
      if [ "$SLUICE_TRY" = 1 ]; then sleep 600; fi
`;
const SHORT = `
name: short
tasks:
  one:
    matrix: { n: [1, 2, 3, 4] }
    run: |
      echo begun >> "$DATA_MARKS/short"
      sleep 1
`;

/** One of three kills itself once all are there, at the first try. */
const GANG = `
name: gang
tasks:
  train:
    replicas: 3
    retries: { max: 1, delay: 1s, jitter: 0 }
    run: |
      echo "$RANK of $WORLD_SIZE try $SLUICE_TRY" >> "$DATA_MARKS/gang"
      echo "here is $RANK"
      if [ "$SLUICE_TRY" = 1 ]; then
        if [ "$RANK" = 1 ]; then
          while [ "$(grep -c 'try 1' "$DATA_MARKS/gang")" -lt 3 ]; do sleep 0.05; done
          kill -9 $$
        fi
        sleep 600
      fi
`;

// A machine without a Redis of its own cannot run them; `npm test` says so, and with CI=true a missing one fails the run.
const redisProgram = process.env.SLUICE_TEST_REDIS ?? '';
const describeWithRedis = redisProgram === '' ? describe.skip : describe;

describeWithRedis('workers on a Redis', () => {
  let postgres: FaultPostgres;
  let network: Network;
  let cluster: Cluster;
  let [first, second]: ClusterProcess[] = [];

  beforeAll(async () => {
    postgres = await FaultPostgres.start({ durable: false });
    network = new Network(1);
    const files = { 'dags/fan.yaml': FAN, 'dags/gang.yaml': GANG, 'dags/long.yaml': LONG, 'dags/short.yaml': SHORT };
    const { place } = network;
    cluster = await Cluster.start(files, { databaseUrl: postgres.url, redisProgram, schedulers: 2, place });
    [first, second] = await Promise.all([cluster.worker(), cluster.worker()]);
  });
  afterAll(async () => {
    await cluster.close();
    await network.close();
    await postgres.close();
  });

  test('share a run; secrets are in none of the keys of Redis, and jobs hold ids only', async () => {
    const { id } = await cluster.trigger('fan');
    await until('parts', () => cluster.lines('fan').length > 0);
    const held = await cluster.redis.dump();
    const run = await cluster.server.endOf(id);
    expect(run.state).toBe('success');
    const attempts = await cluster.attempts(id);
    expect(attempts.map(({ state }) => state)).toEqual(Array(13).fill('success'));
    expect(new Set(attempts.map(({ worker }) => worker)).size).toBe(2);
    const sum = await cluster.server.client.taskRun({ runId: id, task: 'sum' });
    expect(sum.outputs).toMatchObject({ total: 78 });
    const log = await cluster.server.client.log({ runId: id, task: 'part' });
    expect(log.lines.map(({ text }) => text)).toContain('the word is ***');

    expect(held).toMatch(/a-\d+/);
    expect([...held.matchAll(/"data":"(.*?[^\\])"/g)].map(([, data]) => data?.replace(/\d+/, 'N'))).toEqual(
      expect.arrayContaining(['{\\"attempt\\":\\"N\\"}']),
    );
    const encoded = [SECRET, Buffer.from(SECRET).toString('base64'), encodeURIComponent(SECRET)];
    for (const secret of [...encoded, 'the word is']) expect(held).not.toContain(secret);
    expect((await cluster.db.query('select 1 from assignment')).rowCount).toBe(0);
  });

  test('execute all replicas of an attempt; when one is killed all of them are ended, and tried again as one', async () => {
    const { id } = await cluster.trigger('gang');
    expect((await cluster.server.endOf(id)).state).toBe('success');
    expect((await cluster.attempts(id)).map(({ number, state, message }) => [number, state, message])).toEqual([
      [1, 'failed', expect.stringMatching(/^replica 1 of 3: ended by SIGKILL/)],
      [2, 'success', null],
    ]);
    const here = [1, 2].flatMap((tried) => [0, 1, 2].map((rank) => `${rank} of 3 try ${tried}`));
    expect(cluster.lines('gang').sort()).toEqual(here.sort());
    const detail = await cluster.server.client.taskRun({ runId: id, task: 'train' });
    expect(detail.attempts.map(({ replicas }) => replicas)).toEqual([3, 3]);
    const { lines } = await cluster.server.client.log({ runId: id, task: 'train' });
    expect(lines.map(({ rank, text }) => `${rank} ${text}`).sort()).toEqual(
      [0, 1, 2].map((rank) => `${rank} here is ${rank}`),
    );
    const { rows } = await cluster.db.query<{ used: number }>("select used from pool where name = 'default'");
    expect(rows.map(({ used }) => used)).toEqual([0]);
  });

  test('lose nothing when Redis is emptied in the middle, and when it is killed and comes back with nothing', async () => {
    const before = cluster.lines('fan').length;
    const [a, b] = await Promise.all([cluster.trigger('fan'), cluster.trigger('fan')]);
    await until('parts', () => cluster.lines('fan').length > before);
    await cluster.redis.flush();
    await until('more parts', () => cluster.lines('fan').length > before + 6);
    await cluster.redis.kill();
    await until('yet more parts', () => cluster.lines('fan').length > before + 10);
    await cluster.redis.start();
    for (const { id } of [a!, b!]) {
      expect((await cluster.server.endOf(id)).state).toBe('success');
      expect((await cluster.attempts(id)).map(({ number, state }) => `${number} ${state}`)).toEqual(
        Array(13).fill('1 success'),
      );
    }
  });

  test('a job that somebody forged starts nothing, and neither does one of an attempt that ended', async () => {
    const redis = new Redis(cluster.redis.url, { maxRetriesPerRequest: null });
    const queue = new Queue('dev.default', { connection: redis, prefix: 'sluice' });
    const junk = [
      { attempt: '1' },
      { attempt: 'x; rm -rf /' },
      { attempt: { toString: 1 } },
      7,
      null,
      { __proto__: 1 },
    ];
    for (const [index, data] of junk.entries())
      await queue.add('attempt', data, { jobId: `forged-${index}`, removeOnComplete: true, removeOnFail: true });
    await until('the end of the forged jobs', async () => (await queue.getJobCountByTypes('wait', 'active')) === 0);
    await queue.close();
    redis.disconnect();
    const { id } = await cluster.trigger('short');
    expect((await cluster.server.endOf(id)).state).toBe('success');
    expect(await cluster.attempts(id)).toHaveLength(4);
  });

  test('a report of an attempt that another worker holds is refused, as is a worker without the right to work', async () => {
    const begun = cluster.lines('short').length;
    const { id } = await cluster.trigger('short');
    await until('four tasks', () => cluster.lines('short').length === begun + 4);
    const stranger = createWorkerClient({ baseUrl: cluster.server.url, token: TOKEN });
    const as = await stranger.signIn({ host: 'elsewhere', pid: 1, capacity: 1, queues: ['nothing.here'] });
    const proof = { worker: as.worker, key: as.key };
    const {
      rows: [running],
    } = await cluster.db.query<{ id: string; fence: number; worker: string }>(
      'select id::text, fence, worker from attempt where run_id = $1 and state = $2',
      [id, 'running'],
    );
    const outcome = { kind: 'failed', exitCode: 1, message: 'forged' } as const;
    const forged = { attemptId: running!.id, runId: id, fence: running!.fence, outcome, startedAt: 1, finishedAt: 2 };
    const nothing = { outputs: {}, metrics: [], summary: null, versions: [], logLines: 0 };
    expect(await stranger.report(proof, [{ ...forged, ...nothing }], [])).toEqual([]);
    expect(await stranger.claim(proof, [running!.id])).toEqual([]);
    await expect(
      stranger.report({ worker: running!.worker, key: as.key }, [{ ...forged, ...nothing }], []),
    ).rejects.toMatchObject({ code: 'forbidden' });
    await stranger.signOut(proof);
    expect((await cluster.server.endOf(id)).state).toBe('success');

    const { token } = await cluster.server.client.createToken({
      ...{ name: 'viewer', groups: [], rights: [{ right: 'view', environment: '*' }] },
    });
    const viewer = createWorkerClient({ baseUrl: cluster.server.url, token });
    await expect(viewer.signIn({ host: 'h', pid: 1, capacity: 1, queues: ['*'] })).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  test('killed and paused workers are found, and a paused scheduler; what the paused ones still say is refused', async () => {
    const { id } = await cluster.trigger('long');
    await until('both tasks', () => ['ends', 'stays'].every((task) => cluster.lines(task).length === 1));
    const owner = await ownerOf(id);
    // Whichever of the workers has them. Leases of both last eight seconds.
    second!.signal('SIGKILL');
    first!.signal('SIGSTOP');
    owner.signal('SIGSTOP');
    const since = Date.now();
    await cluster.project.write('marks/end-1', '');
    const third = await cluster.worker();
    const again = () => ['ends', 'stays'].every((task) => cluster.lines(task).includes('2 begins'));
    await until('the second tries', again, 30_000);
    expect(Date.now() - since).toBeLessThan(20_000);
    first!.signal('SIGCONT');
    owner.signal('SIGCONT');
    await cluster.project.write('marks/end-2', '');
    expect((await cluster.server.endOf(id)).state).toBe('success');
    expect(await ownerOf(id)).not.toBe(owner);
    await until('the scheduler to find out', () => /leases lost/.test(owner.text));
    const attempts = await cluster.attempts(id);
    expect(attempts.map(({ task, number, state }) => `${task} ${number} ${state}`)).toEqual([
      'ends 1 lost',
      'ends 2 success',
      'stays 1 lost',
      'stays 2 success',
    ]);
    const isLeft = () => cluster.project.processes().some(({ command }) => command.includes('sleep 600'));
    await until('the end of what was taken away', () => !isLeft());
    third.signal('SIGTERM');
    expect(await third.ended).toBe(0);
  });

  test('a worker that is told to stop ends what it began, takes nothing more and repeats nothing; the rest does one that is started as docs/workers.md shows', async () => {
    const begun = cluster.lines('short').length;
    const { id } = await cluster.trigger('short');
    const shown = StartedAsShown.start(cluster, postgres.url);
    await until('four tasks', () => cluster.lines('short').length === begun + 4);
    first!.signal('SIGTERM');
    const { id: waiting } = await cluster.trigger('short');
    expect(await first!.ended).toBe(0);
    expect((await cluster.server.endOf(id)).state).toBe('success');
    expect((await cluster.attempts(id)).map(({ number, state }) => `${number} ${state}`)).toEqual(
      Array(4).fill('1 success'),
    );
    expect((await cluster.attempts(waiting)).map(({ state }) => state)).toEqual(Array(4).fill('queued'));
    const started = await shown;
    await started.worker();
    expect((await cluster.server.endOf(waiting)).state).toBe('success');
    expect(await started.stop()).toEqual([0, 0, 0]);
  });

  // `npm run fault` does each of them hundreds of times.
  test('faults of Postgres, the network, schedulers, tasks and people lose nothing', async () => {
    const days = 20;
    const { file, expected } = catchUp(days);
    const files = { 'dags/storm.yaml': STORM, 'dags/stubborn.yaml': STUBBORN, 'dags/days.yaml': file };
    for (const [name, text] of Object.entries(files)) await cluster.project.write(name, text);
    const workers = await Promise.all([cluster.worker(), cluster.worker()]);
    const scene = new Scene({
      ...{
        cluster,
        postgres,
        network,
        workers,
        days,
        random: seededRandom(1),
        awayMs: 0,
        scale: 0.1,
        timeoutMs: 60_000,
      },
      ...{ onUpgrade: () => undefined, say: () => undefined },
    });
    const watch = new LiveWatch(cluster.db);
    try {
      await scene.endedRuns(2);
      const [{ takenOverMs }] = await Promise.all([processFaults.F2.strike(scene), strikeOthers(scene)]);
      expect(takenOverMs).toBeLessThan(processFaults.F2.limits.takenOverMs);
      for (const fault of [postgresFaults.F5, postgresFaults.F6, postgresFaults.F7]) {
        const { resumedMs } = await fault.strike(scene);
        expect(resumedMs).toBeLessThan(fault.limits.resumedMs);
      }
      await scene.endedRuns(days);
      await scene.atRest();
    } catch (error) {
      throw scene.blamed(error);
    } finally {
      await watch.close();
    }
    expect([
      ...(await checkScene(scene, await loadHistory(cluster.db), expected)),
      ...(await workFaults.F17.check(scene)),
      ...watch.problems,
    ]).toEqual([]);
  }, 240_000);

  async function strikeOthers(scene: Scene): Promise<void> {
    for (let index = 0; index < 4; index++) await networkFaults.F9.strike(scene, index);
    await workFaults.F17.strike(scene);
    // Their workers die.
    await workFaults.F13.strike(scene, 2);
  }

  /** The scheduler that has the run's lease. */
  async function ownerOf(runId: string): Promise<ClusterProcess> {
    const pid = await pidOfOwner(runId);
    const owner = cluster.schedulers.find((one) => one.pid === pid);
    if (owner === undefined) throw new Error(`process ${pid} is none of the schedulers`);
    return owner;
  }

  async function pidOfOwner(runId: string): Promise<number | null> {
    const { rows } = await cluster.db.query<{ pid: number }>(
      'select p.pid from run r join process p on p.id = r.lease_owner where r.id = $1',
      [runId],
    );
    return rows[0]?.pid ?? null;
  }
});

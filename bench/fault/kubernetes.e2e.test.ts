import { existsSync, readFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, endedStatus, KubernetesServer, type TestDatabase } from '#testing';
import { examplesOf } from '../../libs/testing/examples.ts';
import { isAlive } from '../../libs/platform/postmaster.ts';
import { PROGRAM_ROOT, until } from '../../apps/standalone/standalone-fixture.ts';
import { Cluster, ClusterProcess, SECRET, TOKEN } from './worker-cluster.ts';

// Tasks leave marks in a folder of the project, and wait for files of the test's there.
const SUM = `
name: sum
paths:
  parts: { at: parts }
tasks:
  part:
    matrix: { n: [1, 2] }
    secrets: [pass]
    resources: { cpu: 0.5, memory: 128Mi }
    env: { N: "\${{ matrix.n }}" }
    writes: [parts]
    run: |
      echo "the word is $pass"
      echo "$N" > "$PATH_PARTS/n"
  sum:
    needs: [part]
    reads: [parts]
    run: echo "total=$(cat "$PATH_PARTS"/*/n | paste -sd+ | bc)" >> "$SLUICE_OUTPUT"
`;
const LONG = `
name: long
tasks:
  stays:
    retries: { max: 1, delay: 0s }
    run: |
      echo "$SLUICE_TRY begins $$" >> "$DATA_MARKS/stays"
      while [ ! -e "$DATA_MARKS/go" ]; do sleep 0.05; done
      echo "$SLUICE_TRY ends" >> "$DATA_MARKS/stays"
`;

const TRIAL = `
name: trial
storage: file://./.sluice/storage/trial
pools: { default: 4 }
secrets: { pass: { env: TEST_PASS } }
`;
/** Keeps the token that a Secret is made of; there is no cluster to send it to. */
const KUBECTL = '#!/bin/sh\n[ "$1 $2" = "create secret" ] && printf %s "${5#*token=}" > "$4"\n';

describe('attempts as pods of Kubernetes', () => {
  let database: TestDatabase;
  let kubernetes: KubernetesServer;
  let cluster: Cluster;

  beforeAll(async () => {
    database = await createTestDatabase();
    const project = await Cluster.project({
      ...{ 'dags/sum.yaml': SUM, 'dags/long.yaml': LONG },
      'environments/trial.yaml': TRIAL,
    });
    kubernetes = await KubernetesServer.start({
      run: {
        programs: { sluice: [process.execPath, join(PROGRAM_ROOT, 'dist', 'cli.js')] },
        secrets: {
          'sluice-work': {
            get token() {
              const made = join(project.folder, 'sluice-work');
              return existsSync(made) ? readFileSync(made, 'utf8') : TOKEN;
            },
          },
        },
        envOf: (pod) => ({
          SLUICE_URL: cluster.server.url,
          SLUICE_HOME: join(project.folder, pod),
          HOME: project.folder,
        }),
        cwd: project.folder,
      },
    });
    await project.write('kubeconfig', kubernetes.kubeconfig());
    const settings = {
      ...{ image: 'registry.example/sluice:1', url: 'http://sluice-api:7460', drain: '1s' },
      token_secret: { name: 'sluice-work', key: 'token' },
    };
    await project.write('kubernetes.yaml', JSON.stringify(settings));
    const env = { SLUICE_KUBERNETES: 'kubernetes.yaml', KUBECONFIG: 'kubeconfig' };
    cluster = await Cluster.startOn(project, env, { databaseUrl: database.url });
  });
  afterAll(async () => {
    await kubernetes.close();
    await cluster.close();
    await database.drop();
    expect(kubernetes.refused).toEqual([]);
  });

  const lines = () => cluster.lines('stays');
  const jobsOf = (runId: string) =>
    [...kubernetes.world.jobs.values()].filter(({ metadata }) => metadata?.labels?.['sluice/run'] === runId);
  const jobNames = (runId: string) => jobsOf(runId).map(({ metadata }) => metadata!.name!);
  const begins = async (count: number) =>
    until('an attempt', () => lines().filter((line) => line.includes('begins')).length >= count);
  /** What a pod executed goes with it, in a moment. */
  const allGone = () =>
    until('the end of what pods executed', async () => {
      const begun = lines().filter((line) => line.includes('begins'));
      const alive = await Promise.all(begun.map((line) => isAlive(Number(line.split(' ').at(-1)))));
      return alive.length > 0 && !alive.includes(true);
    });

  test('execute a run: data, outputs, secrets and logs come as from every worker, and no secret is in a job', async () => {
    const run = await cluster.server.run('sum');
    expect(run.state).toBe('success');
    const attempts = await cluster.attempts(run.id);
    expect(attempts.map(({ state }) => state)).toEqual(Array(3).fill('success'));
    expect(new Set(attempts.map(({ worker }) => worker)).size).toBe(3);
    expect((await cluster.server.client.taskRun({ runId: run.id, task: 'sum' })).outputs).toMatchObject({ total: 3 });
    const log = await cluster.server.client.log({ runId: run.id, task: 'part' });
    expect(log.lines.map(({ text }) => text)).toContain('the word is ***');
    const jobs = jobsOf(run.id);
    expect(jobs).toHaveLength(3);
    expect(
      jobs.filter(({ spec }) => spec?.template.spec?.containers[0]?.resources?.limits?.['memory'] === String(2 ** 27)),
    ).toHaveLength(2);
    for (const secret of [SECRET, TOKEN, database.url]) expect(JSON.stringify(jobs)).not.toContain(secret);
    await until('the end of the pods', () => kubernetes.processes.size === 0);
    expect([...kubernetes.world.pods.values()].map(({ status }) => status?.phase)).toEqual(Array(3).fill('Succeeded'));
  });

  test('an evicted one is lost and made again, one that is killed for its memory fails as the task says', async () => {
    const { id } = await cluster.trigger('long');
    await begins(1);
    const [first] = jobNames(id);
    await kubernetes.kill(first!, {
      phase: 'Failed',
      reason: 'Evicted',
      message: 'The node was low on resource: memory.',
    });
    await begins(2);
    const second = jobNames(id).find((name) => name !== first);
    await kubernetes.kill(second!, endedStatus(kubernetes.pod(second!), 137, undefined, 'OOMKilled'));
    await begins(3);
    await cluster.project.write('marks/go', '');
    expect((await cluster.server.endOf(id)).state).toBe('success');
    expect((await cluster.attempts(id)).map(({ state, message }) => `${state}: ${message ?? ''}`)).toEqual([
      'lost: its pod ended: Evicted: The node was low on resource: memory.',
      'failed: out of memory: it was killed (OOMKilled)',
      'success: ',
    ]);
    await allGone();
  });

  test('goes on while no scheduler runs, and is neither lost nor made twice', async () => {
    await cluster.project.remove('marks/go', 'marks/stays');
    const { id } = await cluster.trigger('long');
    await begins(1);
    // In order, so that nobody waits for its lease; that it may be killed is seen with all other workers.
    cluster.schedulers[0]!.signal('SIGTERM');
    await cluster.schedulers[0]!.ended;
    await cluster.project.write('marks/go', '');
    await until('its end', () => lines().length === 2);
    cluster.schedulers[0] = await cluster.scheduler();
    expect((await cluster.server.endOf(id)).state).toBe('success');
    expect([jobNames(id).length, (await cluster.attempts(id)).map(({ state }) => state)]).toEqual([1, ['success']]);
  });

  test('a cancelled run takes its pod with it', async () => {
    await cluster.project.remove('marks/go', 'marks/stays');
    const { id } = await cluster.trigger('long');
    await begins(1);
    await cluster.server.client.cancel(id);
    expect((await cluster.server.endOf(id)).state).toBe('cancelled');
    // Its worker may hear of it before a scheduler removes the job, which is kept then like every one that ended.
    await until('the end of its pod', () => kubernetes.processes.size === 0);
    await allGone();
  });

  // The last one: from here on pods may work in `trial` alone.
  test('execute a run by the lines of docs/kubernetes.md, with the token that they make', async () => {
    const { project, server } = cluster;
    const PATH = await project.commandPath();
    await project.write('commands/kubectl', KUBECTL);
    await chmod(join(project.folder, 'commands/kubectl'), 0o755);
    const here = {
      'http://localhost:7460': server.url,
      // Each release has another name.
      'frozen-heron': '$(sluice release list -o name | head -1)',
      PIPELINE: 'sum',
    };
    const [, example = ''] = examplesOf('docs/kubernetes.md', 'sh', 2);
    const script = Object.entries(here).reduce((text, [there, is]) => text.replaceAll(there, is), example);
    const commit = 'git init -q && git add dags && git -c user.name=Maria -c user.email= commit -qm Sum';
    const shell = new ClusterProcess(project.spawnShell(`${commit}\n${script}`, { env: { PATH, TOKEN } }));
    await until('the end of the commands', () => !shell.isThere, 45_000).catch((error: Error) => {
      throw new Error(`${error.message}\n${shell.text}`);
    });
    expect([await shell.ended, shell.text]).toEqual([0, expect.stringMatching(/run \d+ success/)]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Assignment, AssignmentBody, AttemptResult } from '#core';
import { createFileStorage } from '#storage';
import { examplesOf } from '../testing/examples.ts';
import { startTicks } from './child/process-file.mjs';
import { anAssignment, anExecutor, type ExecutorFixture } from './executor-fixture.ts';

type SparkBody = Extract<AssignmentBody, { kind: 'spark' }>;

function spark(body: Partial<SparkBody>, over: Partial<Assignment> = {}): Assignment {
  const nothing = { file: 'jobs/sums.py', mainClass: null, pyFiles: [], packages: [], args: [], conf: {} };
  return anAssignment({ body: { kind: 'spark', ...nothing, master: 'local[2]', ...body }, ...over });
}

/** What has been killed is gone when the kernel comes to it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Says what it was given, and does what its last argument says. */
const STAND_IN = `#!/bin/bash
for arg in "$@"; do echo "arg $arg"; done
env | grep -E '^(SPARK|PYSPARK|PYTHONPATH|DSN|LEVEL|PATH_)' | sort | sed 's/^/env /'
tr '\\0' ' ' < /proc/$$/cmdline | sed 's/^/seen /'; echo
case "\${@: -1}" in
  fail) exit 3 ;;
  hang) trap '' TERM; sleep 1000 & setsid sleep 1000 & echo "pid $! $(jobs -p | head -1)"; wait ;;
  *) echo rows=7 >> "$SLUICE_OUTPUT"; echo '::metric name=auc value=0.5::' ;;
esac
`;

describe('a spark task', () => {
  let folder: string;
  let world: ExecutorFixture;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-spark-'));
    await writeFile(join(folder, 'spark-submit'), STAND_IN);
    await chmod(join(folder, 'spark-submit'), 0o755);
    world = await anExecutor(
      { 'jobs/sums.py': '' },
      {
        path: `${folder}:/usr/bin:/bin`,
        python: '/opt/python3',
        graceMs: 100,
        secretValues: { DSN: 'postgres://hunter22' },
      },
    );
  });
  afterAll(async () => {
    await world.stop();
    await rm(folder, { recursive: true });
  });
  const said = (task: Assignment, what: string): string[] =>
    world.logOf(task).flatMap((line) => (line.startsWith(`out ${what} `) ? [line.slice(what.length + 5)] : []));

  test('is what spark-submit is given: settings first, then the file, then what the program is called with', async () => {
    const conf = { 'spark.sql.shuffle.partitions': '8', 'spark.app.name': 'sums of $(whoami)' };
    const files = { mainClass: 'org.example.Sums', packages: ['a:b:1', 'c:d:2'], pyFiles: ['lib/a.py', 'lib/b.zip'] };
    const task = spark({ ...files, conf, args: ['--day', '2026-01-01', '', "it's $HOME"], master: 'spark://h:7077' });
    expect(await world.run(task)).toMatchObject({
      outcome: { kind: 'success' },
      outputs: { rows: 7 },
      metrics: [{ name: 'auc', value: 0.5 }],
    });
    expect(said(task, 'arg')).toEqual([
      ...['--master', 'spark://h:7077', '--class', 'org.example.Sums'],
      ...['--packages', 'a:b:1,c:d:2', '--py-files', 'lib/a.py,lib/b.zip'],
      ...['--conf', 'spark.sql.shuffle.partitions=8', '--conf', 'spark.app.name=sums of $(whoami)'],
      ...['jobs/sums.py', '--day', '2026-01-01', '', "it's $HOME"],
    ]);
  });

  test('on this machine listens to nobody, and keeps everything in the scratch folder', async () => {
    const task = spark({}, { env: { LEVEL: 'info' } });
    await world.run(task);
    expect(said(task, 'arg')).toEqual(['--master', 'local[2]', '--conf', 'spark.ui.enabled=false', 'jobs/sums.py']);
    const env = Object.fromEntries(said(task, 'env').map((line) => line.split(/=(.*)/s)));
    const scratch = env.SPARK_LOCAL_DIRS;
    expect(env).toEqual({
      LEVEL: 'info',
      PYSPARK_DRIVER_PYTHON: '/opt/python3',
      PYSPARK_PYTHON: '/opt/python3',
      PYTHONPATH: world.releaseDir,
      SPARK_LOCAL_DIRS: expect.stringContaining(world.scratchFolder),
      SPARK_LOCAL_IP: '127.0.0.1',
      SPARK_SUBMIT_OPTS: `"-Djava.io.tmpdir=${scratch}"`,
    });
  });

  test('may be told otherwise by the pipeline', async () => {
    const conf = { 'spark.ui.enabled': 'true' };
    const task = spark({ conf }, { env: { SPARK_LOCAL_IP: '127.0.0.2', PYSPARK_PYTHON: 'python3.12' } });
    await world.run(task);
    expect(said(task, 'arg')).toContain('spark.ui.enabled=true');
    expect(said(task, 'arg')).not.toContain('spark.ui.enabled=false');
    expect(said(task, 'env')).toEqual(
      expect.arrayContaining(['SPARK_LOCAL_IP=127.0.0.2', 'PYSPARK_PYTHON=python3.12']),
    );
  });

  test('has its secrets in the environment, where no list of processes shows them', async () => {
    const task = spark({}, { secrets: { DSN: { env: 'DSN' } } });
    await world.run(task);
    expect(said(task, 'env')).toContain('DSN=***');
    expect(said(task, 'seen')).toHaveLength(1);
    expect(said(task, 'seen')[0]).toContain('--master local[2]');
    expect(said(task, 'seen')[0]).not.toContain('***');
  });

  test('fails as spark-submit does', async () => {
    const failed = { kind: 'failed', exitCode: 3, message: 'exit code 3' };
    expect((await world.run(spark({ args: ['fail'] }))).outcome).toEqual(failed);
  });

  test('that is cancelled leaves nothing behind, in its group or out of it', async () => {
    const task = spark({ args: ['hang'] });
    const result = world.run(task);
    const pids = (await world.lineOf(task, /^pid /)).split(' ').slice(1);
    expect(pids).toHaveLength(2);
    world.executor.cancel(task.attemptId, 'by anna');
    expect((await result).outcome).toEqual({ kind: 'cancelled', message: 'cancelled: by anna' });
    await until(() => pids.every((pid) => startTicks(Number(pid)) === null));
  });

  test('without spark-submit fails with what to do', async () => {
    const bare = await anExecutor({}, { path: '/nowhere' });
    expect((await bare.run(spark({}))).outcome).toEqual({
      kind: 'failed',
      exitCode: null,
      message: expect.stringMatching(/^spark-submit was not found on the PATH .* Java .*SLUICE_SPARK_SUBMIT$/),
    });
    await bare.stop();
  });
});

const submit = process.env.SLUICE_TEST_SPARK ?? '';
/**
 * They start a real Spark, of 400 MB, which no distribution has: where it is found (scripts/find-tools.mjs), and otherwise
 * `npm test` says that they did not run. What is ours is tested above with a stand-in, everywhere.
 */
const describeWithSpark = submit === '' ? describe.skip : describe;

const TROUBLE = `
import sys
from pyspark.sql import SparkSession
import lib.trouble

spark = SparkSession.builder.getOrCreate()
print("key of", len(spark.sparkContext._jsc.hadoopConfiguration().get("fs.s3a.secret.key")), flush=True)
if sys.argv[1] == "fail":
    spark.range(10).selectExpr("raise_error('bad row 7')").collect()
spark.sparkContext.parallelize([1], 1).foreach(lambda _: lib.trouble.hang())
`;
const HANG = `
import os, sys, time
def hang(): print("hangs in", os.getpid(), os.getppid(), file=sys.stderr, flush=True); time.sleep(1000)
`;

describeWithSpark('with a real Spark', () => {
  let world: ExecutorFixture;
  beforeAll(async () => {
    const [words = ''] = examplesOf('docs/task-kinds.md', 'python', 1);
    const files = { 'orders/words.py': words, 'trouble.py': TROUBLE, 'lib/trouble.py': HANG };
    world = await anExecutor(files, {
      sparkSubmit: submit,
      graceMs: 100,
      // Beside spark-submit: with pip, Spark is found by the interpreter that it was installed for.
      path: `${join(submit, '..')}:${process.env.PATH}`,
      secretValues: { KEY: 'hunter22' },
      storage: (root) => createFileStorage({ root, durable: false }),
    });
  });
  afterAll(() => world.stop());

  function trouble(how: string): Assignment {
    const conf = { 'spark.hadoop.fs.s3a.secret.key': '${env.KEY}', 'spark.log.level': 'WARN' };
    return spark({ file: 'trouble.py', args: [how], conf }, { secrets: { KEY: { env: 'KEY' } } });
  }

  /** What the attempt wrote first, as a path that another one reads. */
  function readOf(name: string, { versions: [written] }: AttemptResult): Assignment['reads'][number] {
    const { location, version, manifestHash } = written!;
    return {
      name,
      variable: `PATH_${name.toUpperCase()}`,
      versions: [{ link: null, location, version, manifestHash }],
    };
  }

  test('the program of docs/task-kinds.md counts the words of a path that it reads, and another task reads its path', async () => {
    const load = anAssignment({
      body: { kind: 'run', script: 'printf "b a\\na c a\\n" > "$PATH_RAW/words.txt"' },
      writes: [{ name: 'raw', variable: 'PATH_RAW', location: 'p/raw' }],
    });
    const count = spark(
      { file: 'orders/words.py' },
      {
        reads: [readOf('raw', await world.run(load))],
        writes: [{ name: 'words', variable: 'PATH_WORDS', location: 'p/words' }],
      },
    );
    const counted = await world.run(count);
    expect(counted).toMatchObject({ outcome: { kind: 'success' }, outputs: { words: 5 } });
    const text = `select string_agg(word || count, ' ' order by word) as words
                  from read_parquet(getvariable('PATH_WORDS') || '/*.parquet')`;
    const look = anAssignment({
      body: { kind: 'sql', file: null, text, variables: {} },
      reads: [readOf('words', counted)],
    });
    expect((await world.run(look)).outputs).toEqual({ words: 'a3 b1 c1' });
    const left = readdirSync(world.scratchFolder).flatMap((launcher) =>
      readdirSync(join(world.scratchFolder, launcher)),
    );
    expect(left.filter((name) => name.startsWith('k'))).toEqual([]);
  }, 300_000);

  test('an error of the program is in the log; a setting of Hadoop is a secret of the environment', async () => {
    const task = trouble('fail');
    expect((await world.run(task)).outcome).toEqual({ kind: 'failed', exitCode: 1, message: 'exit code 1' });
    expect(world.logOf(task)).toContain('out key of 8');
    expect(world.logOf(task).join('\n')).toContain('bad row 7');
  }, 300_000);

  test('a cancel ends Java, the program and the workers of it', async () => {
    const task = trouble('hang');
    const result = world.run(task);
    const [, worker, daemon] = /hangs in (\d+) (\d+)/.exec(await world.lineOf(task, /hangs in/))!;
    const { pid } = world.reports.findLast((report) => report.kind === 'started') as { pid: number };
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).toContain('java');
    world.executor.cancel(task.attemptId, 'enough');
    expect((await result).outcome).toEqual({ kind: 'cancelled', message: 'cancelled: enough' });
    await until(() => [pid, Number(daemon), Number(worker)].every((one) => startTicks(one) === null));
  }, 300_000);
});

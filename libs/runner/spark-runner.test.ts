import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Assignment, AssignmentBody } from '#core';
import { createFileStorage, type EnvironmentStorage } from '#storage';
import { startTicks } from './child/process-file.mjs';
import { anAssignment, anExecutor, type ExecutorFixture } from './executor-fixture.ts';

type SparkBody = Extract<AssignmentBody, { kind: 'spark' }>;

function spark(body: Partial<SparkBody>, over: Partial<Assignment> = {}): Assignment {
  const nothing = { file: 'jobs/sums.py', mainClass: null, pyFiles: [], packages: [], args: [], conf: {} };
  return anAssignment({ body: { kind: 'spark', ...nothing, master: 'local[2]', ...body }, ...over });
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
    expect(pids.map((pid) => startTicks(Number(pid)))).toEqual([null, null]);
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
/** They start a real Spark, which needs a Java runtime. */
const describeWithSpark = submit === '' ? describe.skip : describe;

const SUMS = `
import os, sys
from pyspark.sql import SparkSession
import lib.words

spark = SparkSession.builder.getOrCreate()
if sys.argv[1] == "fail":
    spark.range(10).selectExpr("raise_error('bad row 7')").collect()
if sys.argv[1] == "hang":
    spark.sparkContext.parallelize([1], 1).foreach(lambda _: lib.words.hang())
lines = spark.read.text(os.environ["PATH_RAW"]).rdd.flatMap(lambda row: lib.words.split(row.value))
counts = lines.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
counts.toDF(["word", "n"]).orderBy("word").coalesce(1).write.mode("overwrite").csv(os.environ["PATH_SUMS"])
key = spark.sparkContext._jsc.hadoopConfiguration().get("fs.s3a.secret.key")
with open(os.environ["SLUICE_OUTPUT"], "a") as file:
    file.write("words=%d\\nkey=%d\\n" % (counts.count(), len(key)))
`;

const WORDS = `
import os, sys, time
def split(line): return line.split()
def hang(): print("hangs in", os.getpid(), os.getppid(), file=sys.stderr, flush=True); time.sleep(1000)
`;

describeWithSpark('with a real Spark', () => {
  let world: ExecutorFixture;
  let storage: EnvironmentStorage;
  beforeAll(async () => {
    const files = { 'jobs/sums.py': SUMS, 'lib/words.py': WORDS };
    world = await anExecutor(files, {
      sparkSubmit: submit,
      graceMs: 100,
      // Beside spark-submit: with pip, Spark is found by the interpreter that it was installed for.
      path: `${join(submit, '..')}:/usr/local/bin:/usr/bin:/bin`,
      secretValues: { KEY: 'hunter22' },
      storage: (root) => (storage = createFileStorage({ root, durable: false })),
    });
  });
  afterAll(() => world.stop());

  function sums(how: string): Assignment {
    const conf = { 'spark.hadoop.fs.s3a.secret.key': '${env.KEY}', 'spark.log.level': 'WARN' };
    return spark({ args: [how], conf }, { secrets: { KEY: { env: 'KEY' } } });
  }

  test('words of a path that is read are counted into one that is published', async () => {
    const raw = anAssignment({
      body: { kind: 'run', script: 'printf "b a\\na c a\\n" > "$PATH_RAW/words.txt"' },
      writes: [{ name: 'raw', variable: 'PATH_RAW', location: 'p/raw' }],
    });
    const [written] = (await world.run(raw)).versions;
    const pinned = { link: null, location: 'p/raw', version: written!.version, manifestHash: written!.manifestHash };
    const task: Assignment = {
      ...sums('count'),
      reads: [{ name: 'raw', variable: 'PATH_RAW', versions: [pinned] }],
      writes: [{ name: 'sums', variable: 'PATH_SUMS', location: 'p/sums' }],
    };
    const result = await world.run(task);
    expect(world.logOf(task).join('\n')).not.toContain('hunter22');
    expect(result).toMatchObject({ outcome: { kind: 'success' }, outputs: { words: 3, key: 'hunter22'.length } });
    const [version] = result.versions;
    const folder = await storage.folder(version!.version);
    const csv = (await readdir(folder)).find((name) => /^part-.*\.csv$/.test(name));
    expect(await readFile(join(folder, csv!), 'utf8')).toBe('a,3\nb,1\nc,1\n');
    expect(await readdir(join(world.scratchFolder, (await readdir(world.scratchFolder))[0]!))).toEqual(['pipes']);
  }, 120_000);

  test('an error of the program is in the log', async () => {
    const task = sums('fail');
    expect((await world.run(task)).outcome).toEqual({ kind: 'failed', exitCode: 1, message: 'exit code 1' });
    expect(world.logOf(task).join('\n')).toContain('bad row 7');
  }, 120_000);

  test('a cancel ends Java, the program and the workers of it', async () => {
    const task = sums('hang');
    const result = world.run(task);
    const [, worker, daemon] = /hangs in (\d+) (\d+)/.exec(await world.lineOf(task, /hangs in/))!;
    const { pid } = world.reports.findLast((report) => report.kind === 'started') as { pid: number };
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).toContain('java');
    world.executor.cancel(task.attemptId, 'enough');
    expect((await result).outcome).toEqual({ kind: 'cancelled', message: 'cancelled: enough' });
    expect([pid, Number(daemon), Number(worker)].map(startTicks)).toEqual([null, null, null]);
  }, 120_000);
});

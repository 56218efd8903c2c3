import type { AssignmentBody } from '#core';
import type { Launcher } from './launcher.ts';
import { endingOf, runInScratch } from './run-in-scratch.ts';
import { failed, type AttemptOrder, type Ending, type TaskRunner } from './task-runner.ts';

type SparkBody = Extract<AssignmentBody, { kind: 'spark' }>;

export interface SparkRunnerOptions {
  readonly launcher: Launcher;
  readonly path: string;
  /** What Python programs run in, and on this machine their workers. */
  readonly python: string;
  readonly sparkSubmit: string;
}

/** `spark:` tasks: spark-submit in a group of its own, with the driver in it. */
export class SparkRunner implements TaskRunner {
  readonly #options: SparkRunnerOptions;
  #nextScratch = 1;

  constructor(options: SparkRunnerOptions) {
    this.#options = options;
  }

  async run(order: AttemptOrder): Promise<Ending> {
    const { launcher, path, python, sparkSubmit } = this.#options;
    const { body } = order.assignment;
    if (body.kind !== 'spark') throw new TypeError(`the spark runner got a ${body.kind} task`);
    const end = await runInScratch(order, {
      ...{ launcher, path },
      name: `k${this.#nextScratch++}`,
      command: (folder) => ({
        file: sparkSubmit,
        args: submitArguments(body),
        env: { ...sparkEnvironment(body, folder, python), PYTHONPATH: order.release.folder },
      }),
    });
    if (end.kind === 'refused' && end.code === 'ENOENT')
      return failed(
        `${sparkSubmit} was not found on the PATH of the server: spark tasks need Spark and a Java runtime. ` +
          'Install both on every machine that executes them, for example with `pip install pyspark`, or name the program in SLUICE_SPARK_SUBMIT',
      );
    return endingOf(end, sparkSubmit);
  }

  async close(): Promise<void> {
    // nothing is kept between attempts
  }
}

/** Whoever lists the processes of the machine sees them: they hold no secret. What stands behind the file is the program's own. */
function submitArguments({ file, mainClass, args, conf, master, packages, pyFiles }: SparkBody): string[] {
  // A page that nobody asked for would listen on a port of this machine.
  const settings = { ...(isLocal(master) ? { 'spark.ui.enabled': 'false' } : {}), ...conf };
  return [
    ...['--master', master],
    ...(mainClass === null ? [] : ['--class', mainClass]),
    ...(packages.length === 0 ? [] : ['--packages', packages.join(',')]),
    ...(pyFiles.length === 0 ? [] : ['--py-files', pyFiles.join(',')]),
    ...Object.entries(settings).flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
    file,
    ...args,
  ];
}

/** Java knows neither TMPDIR nor HOME: without the first two a killed driver would leave its files in /tmp. */
function sparkEnvironment({ master }: SparkBody, folder: string, python: string): Record<string, string> {
  return {
    SPARK_LOCAL_DIRS: folder,
    SPARK_SUBMIT_OPTS: `"-Djava.io.tmpdir=${folder}"`,
    PYSPARK_DRIVER_PYTHON: python,
    // Nobody but this attempt speaks to a driver whose executors are its threads.
    ...(isLocal(master) ? { PYSPARK_PYTHON: python, SPARK_LOCAL_IP: '127.0.0.1' } : {}),
  };
}

function isLocal(master: string): boolean {
  return master.startsWith('local');
}

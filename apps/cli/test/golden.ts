import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { PipelineTest } from '#dag';
import { taskRefOf, type RunLook, type TestFailure } from '#engine';
import type { Project } from '../project/project.ts';

type Results = Record<string, unknown>;

/** How many differences of one test are listed. */
const MOST = 10;

/** Results that somebody has looked at and kept: `dags/tests/golden/<file>.json`, by the name of the test. */
export class Golden {
  readonly #files = new Map<string, Promise<Results>>();
  readonly #seen = new Map<string, Results>();

  constructor(
    private readonly project: Project,
    private readonly update: boolean,
  ) {}

  async compare(test: PipelineTest, end: RunLook): Promise<TestFailure[]> {
    const seen = goldenOf(end);
    this.#seen.set(test.file, { ...this.#seen.get(test.file), [test.name]: seen });
    if (this.update) return [];
    const kept = (await this.#read(test.file))[test.name];
    const path = ['golden'];
    if (kept === undefined)
      return [{ path, message: 'There is no golden result of this test yet; `sluice test --update` writes it.' }];
    const differences = differencesOf(kept, seen, '');
    const more = differences.length > MOST ? [`and ${differences.length - MOST} more`] : [];
    return differences.length === 0
      ? []
      : [
          {
            path,
            message: `The result is not the golden one: ${[...differences.slice(0, MOST), ...more].join('; ')}.`,
          },
        ];
  }

  /** Writes what was seen; results of tests that are no longer there go. Only with `update`. */
  async save(tests: readonly PipelineTest[]): Promise<void> {
    if (!this.update) return;
    for (const file of new Set(tests.map((test) => test.file))) {
      const names = tests.flatMap((test) =>
        test.file === file && test.body.kind === 'run' && test.body.golden ? [test.name] : [],
      );
      const place = this.#place(file);
      if (names.length === 0) await rm(place, { force: true });
      else {
        await mkdir(dirname(place), { recursive: true });
        const results = Object.fromEntries(names.map((name) => [name, this.#seen.get(file)?.[name]]));
        await writeFile(place, `${JSON.stringify(results, null, 2)}\n`);
      }
    }
  }

  #read(file: string): Promise<Results> {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const read = readFile(this.#place(file), 'utf8').then(
      (text) => JSON.parse(text) as Results,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return {};
        throw error;
      },
    );
    this.#files.set(file, read);
    return read;
  }

  #place(file: string): string {
    return join(this.project.root, 'dags', 'tests', 'golden', `${basename(file).replace(/\.ya?ml$/, '')}.json`);
  }
}

/** What is kept of a run: nothing that only the clock or the machine decides. */
function goldenOf({ state, reason, tasks, alerts }: RunLook): unknown {
  return {
    ...{ state, reason },
    tasks: Object.fromEntries(
      tasks.map((task) => [
        taskRefOf(task),
        { state: task.state, tries: task.tries, outputs: task.outputs, metrics: task.metrics, wrote: task.wrote },
      ]),
    ),
    alerts,
  };
}

function differencesOf(kept: unknown, seen: unknown, at: string): string[] {
  if (JSON.stringify(kept) === JSON.stringify(seen)) return [];
  if (!isMap(kept) || !isMap(seen)) return [`${at} is ${textOf(seen)}, was ${textOf(kept)}`];
  const keys = [...new Set([...Object.keys(kept), ...Object.keys(seen)])];
  return keys.flatMap((key) => differencesOf(kept[key], seen[key], at === '' ? key : `${at}.${key}`));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= 120 ? text : `${text.slice(0, 119)}…`;
}

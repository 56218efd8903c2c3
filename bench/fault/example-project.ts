import { cp, mkdtemp, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Expected } from './check-history.ts';
import { PROGRAM_ROOT, TestProject } from '../../apps/standalone/standalone-fixture.ts';

const DAY_MS = 86_400_000;
const FIRST_DAY = '2001-01-01';

export interface ExampleOptions {
  /** Days of `flight-delays`, from 2001-01-01 on; at most 181. */
  readonly days: number;
  /** Also `delay-model` and `delay-scores`, over the same days. */
  readonly all: boolean;
}

/**
 * The example pipelines in a project of their own, run by a copy of the built program: neither editing nor building
 * beside a long series of faults disturbs it.
 */
export async function exampleProject({ days, all }: ExampleOptions): Promise<{
  project: TestProject;
  expected: Expected;
  program: string;
}> {
  const program = await copyProgram();
  const project = await TestProject.create({}, program);
  const inProject = (...names: string[]): string => path.join(project.folder, ...names);
  await cp(path.join(PROGRAM_ROOT, 'environments'), inProject('environments'), { recursive: true });
  await cp(path.join(PROGRAM_ROOT, 'dags', 'flights'), inProject('dags', 'flights'), { recursive: true });
  await symlink(path.join(PROGRAM_ROOT, 'node_modules'), inProject('node_modules'));
  const lastDay = addDays(FIRST_DAY, days - 1);
  const names = all ? ['flight-delays', 'delay-model', 'delay-scores'] : ['flight-delays'];
  for (const name of names) {
    const source = await readFile(path.join(PROGRAM_ROOT, 'dags', `${name}.yaml`), 'utf8');
    // The last week may not reach beyond the days that are fetched.
    const end = name === 'delay-model' ? addDays(lastDay, -6) : lastDay;
    await project.write(`dags/${name}.yaml`, source.replace(/^ {2}end: .*$/m, `  end: ${end}`));
  }
  const daily = { from: FIRST_DAY, to: lastDay, stepDays: 1 };
  const weekly = { from: '2001-01-08', to: addDays(lastDay, -6), stepDays: 7 };
  const scored = { from: '2001-01-15', to: lastDay, stepDays: 1 };
  const expected: Expected = {
    intervals: {
      'flight-delays': starts(daily),
      ...(all ? { 'delay-model': starts(weekly), 'delay-scores': starts(scored) } : {}),
    },
    paths: {
      'flight-delays': ['raw', 'features', 'examples'],
      ...(all ? { 'delay-model': ['training', 'evaluated', 'model'], 'delay-scores': ['scores'] } : {}),
    },
  };
  return { project, expected, program };
}

async function copyProgram(): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'sluice-program-')));
  await cp(path.join(PROGRAM_ROOT, 'dist'), path.join(folder, 'dist'), { recursive: true });
  await writeFile(path.join(folder, 'package.json'), await readFile(path.join(PROGRAM_ROOT, 'package.json')));
  await symlink(path.join(PROGRAM_ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

/** Starts of the intervals from the one that starts at `from` to the last that starts at or before `to`. */
export function starts({ from, to, stepDays }: { from: string; to: string; stepDays: number }): string[] {
  const found: string[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += stepDays * DAY_MS)
    found.push(new Date(at).toISOString().replace('.000Z', 'Z'));
  return found;
}

function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

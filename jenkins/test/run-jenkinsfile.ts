import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** Set by `npm test`; without it the tests that need Groovy are skipped and said to be. */
export const GROOVY = process.env.SLUICE_TEST_GROOVY;
const SOURCES = import.meta.dirname;
const CACHE = join(SOURCES, '../../node_modules/.cache/jenkins-recorder');
// Short runs: what the compiler would gain later costs more at the start.
const JAVA = { JAVA_OPTS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' };

/** Who pressed which button of a stage's `input`, or the address that tells once somebody did; a stage that is not named is never answered. */
export type InputAnswer = { readonly approve: string } | { readonly reject: string } | { readonly answeredAt: string };

export interface BuildSettings {
  readonly jenkinsfile: string;
  /** What `checkout scm` clones. */
  readonly repository: string;
  readonly branch: string;
  /** Default: the newest of the branch. */
  readonly commit?: string;
  readonly number?: number;
  readonly job?: string;
  readonly buildUrl?: string;
  /** Variables that Jenkins gives to every build. */
  readonly env?: Readonly<Record<string, string>>;
  /** Replaces PATH of `sh`. */
  readonly path?: string;
  /** By id: a text, or a name with a password. */
  readonly credentials?: Readonly<Record<string, string | { readonly username: string; readonly password: string }>>;
  /** By stage. */
  readonly inputs?: Readonly<Record<string, InputAnswer>>;
  /** The controller goes away before this stage. */
  readonly stopBefore?: string;
  /** Folders of registered shared libraries by name. */
  readonly libraries?: Readonly<Record<string, string>>;
}

/** One thing that happened; which fields it has depends on `event`. */
export interface BuildEvent {
  readonly event: string;
  readonly stage?: string;
  readonly [field: string]: unknown;
}

/** What a build did, in its order. */
export class Recording {
  constructor(
    readonly events: readonly BuildEvent[],
    /** Of the build's workspaces, archive and scripts. */
    readonly folder: string,
  ) {}

  get result(): unknown {
    return this.events.find(({ event }) => event === 'end')?.result;
  }

  /** Why the file was refused, or null. */
  get refused(): string | null {
    const why = this.events.find(({ event }) => event === 'refused')?.why;
    return typeof why === 'string' ? why : null;
  }

  of(event: string, stage?: string): BuildEvent[] {
    return this.events.filter((each) => each.event === event && (stage === undefined || each.stage === stage));
  }

  steps(step: string, stage?: string): BuildEvent[] {
    return this.of('step', stage).filter((event) => event.step === step);
  }

  /** Names of the stages that began, in their order. */
  get stages(): unknown[] {
    const skipped = new Set(this.of('when').flatMap(({ stage, passed }) => (passed === true ? [] : [stage])));
    return this.of('stage').flatMap(({ stage, state }) => (state === 'started' && !skipped.has(stage) ? [stage] : []));
  }

  /** Texts of the `sh` steps that ran. */
  scripts(stage?: string): unknown[] {
    return this.of('ran', stage).map(({ script }) => script);
  }
}

/** A build under way. */
export class StartedBuild {
  readonly events: BuildEvent[] = [];
  readonly ended: Promise<Recording>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, folder: string, onEvent: (event: BuildEvent, build: StartedBuild) => void) {
    this.#child = child;
    let problems = '';
    child.stderr?.on('data', (chunk: Buffer) => (problems += chunk.toString()));
    if (child.stdout === null) throw new Error('started without a pipe');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as BuildEvent;
      this.events.push(event);
      onEvent(event, this);
    });
    this.ended = new Promise((resolve, reject) => {
      child.once('close', (code, signal) => {
        if (code === 0 || code === 3 || signal === 'SIGKILL') resolve(new Recording(this.events, folder));
        else reject(new Error(`the recorder ended with ${code}:\n${problems}`));
      });
    });
  }

  /** The controller and its agents die: nothing more is done, the `sh` that runs is killed with all it started. */
  kill(): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
  }
}

const folders: string[] = [];

/** Removes what the builds of this test file left. */
export function removeBuildFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Starts a build; `onEvent` hears of everything while it happens. */
export async function startJenkinsfile(
  settings: BuildSettings,
  onEvent: (event: BuildEvent, build: StartedBuild) => void = () => undefined,
): Promise<StartedBuild> {
  const { file, folder } = prepare(settings);
  return new StartedBuild(await startGroovy([file]), folder, onEvent);
}

export async function runJenkinsfile(settings: BuildSettings): Promise<Recording> {
  return (await startJenkinsfile(settings)).ended;
}

/** Several builds, one after the other in one process. */
export async function runJenkinsfiles(all: readonly BuildSettings[]): Promise<Recording[]> {
  const prepared = all.map(prepare);
  const build = new StartedBuild(await startGroovy(prepared.map(({ file }) => file)), '', () => undefined);
  const { events } = await build.ended;
  const starts = events.flatMap(({ event }, index) => (event === 'start' ? [index] : []));
  return prepared.map(({ folder }, index) => new Recording(events.slice(starts[index], starts[index + 1]), folder));
}

function prepare(settings: BuildSettings): { file: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-jenkins-'));
  folders.push(folder);
  const file = join(folder, 'settings.json');
  writeFileSync(file, JSON.stringify({ ...settings, folder }));
  return { file, folder };
}

async function startGroovy(files: readonly string[]): Promise<ChildProcess> {
  if (GROOVY === undefined) throw new Error('SLUICE_TEST_GROOVY is not set');
  const argv = ['-cp', await compiled(), '-e', 'RecordJenkinsfile.main(args)', ...files];
  // A process group of its own, so that kill() reaches what `sh` started.
  return spawn(GROOVY, argv, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: { ...process.env, ...JAVA } });
}

/** The recorder compiled once for these sources: compiling costs more than most builds. */
async function compiled(): Promise<string> {
  const sources = readdirSync(SOURCES).filter((name) => name.endsWith('.groovy'));
  const hash = createHash('sha256');
  for (const name of sources) hash.update(readFileSync(join(SOURCES, name)));
  const folder = join(CACHE, hash.digest('hex').slice(0, 16));
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const fresh = mkdtempSync(join(CACHE, 'new-'));
  const files = sources.map((name) => join(SOURCES, name));
  await promisify(execFile)(`${GROOVY}c`, ['-d', fresh, ...files], { env: { ...process.env, ...JAVA } });
  try {
    renameSync(fresh, folder);
  } catch {
    // Another test process was first with the same.
    rmSync(fresh, { recursive: true });
  }
  return folder;
}

import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** A real git repository for tests; trees may be made by hand, as no `git add` would make them. */
export class TestRepository {
  readonly base: string;
  readonly folder: string;

  constructor(base: string) {
    this.base = base;
    this.folder = path.join(base, 'repo');
  }

  static async create(...init: string[]): Promise<TestRepository> {
    const made = new TestRepository(await mkdtemp(path.join(os.tmpdir(), 'sluice-commit-')));
    await mkdir(made.folder);
    made.git('init', '-q', ...init);
    return made;
  }

  remove(): Promise<void> {
    return rm(this.base, { recursive: true, force: true });
  }

  git(...args: string[]): string {
    return this.run(args).toString('utf8').trim();
  }

  run(args: readonly string[], input: Buffer | string = '', env: Record<string, string> = {}): Buffer {
    const who = ['-c', 'user.name=Ada Ä', '-c', 'user.email=ada@example.com', '-c', 'init.defaultBranch=main'];
    const set = Object.entries({ HOME: this.base, ...env }).map(([name, value]) => `${name}=${value}`);
    return execFileSync('env', [...set, 'git', ...who, ...args], {
      cwd: this.folder,
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    });
  }

  async write(files: Readonly<Record<string, string>>, root = this.folder): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), text);
    }
  }

  /** Commits exactly these files beside those that are there; the commit's id. */
  async commit(files: Readonly<Record<string, string>>, message = 'First\n\nmore'): Promise<string> {
    await this.write(files);
    this.git('add', '-A');
    this.git('commit', '-q', '--allow-empty', '-m', message);
    return this.git('rev-parse', 'HEAD');
  }

  blob(content: string): string {
    return this.run(['hash-object', '-w', '--stdin'], content).toString('utf8').trim();
  }

  /** Written as it stands, whatever git thinks of it. */
  tree(entries: readonly (readonly [mode: string, name: string | Buffer, id: string])[]): string {
    const raw = entries.map(([mode, name, id]) =>
      Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(id, 'hex')]),
    );
    const write = ['hash-object', '-t', 'tree', '-w', '--stdin', '--literally'];
    return this.run(write, Buffer.concat(raw)).toString('utf8').trim();
  }

  /** A commit whose `dags/` is this tree. */
  commitTree(dags: string, mode = '40000'): string {
    return this.git('commit-tree', '-m', 'made by hand', this.tree([[mode, 'dags', dags]]));
  }
}

import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const WHO = ['-c', 'user.name=Maria', '-c', 'user.email=maria@example.com'];
const NO_CONFIGURATION = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };

/** Texts to replace, by file relative to `dags/`: each must be there. */
type Edits = Readonly<Record<string, readonly (readonly [from: string, to: string])[]>>;

/** A git repository with the example pipelines, to commit changes of them to. */
export class DemoRepository {
  private constructor(readonly folder: string) {}

  /** Copies `dags/` of the project; nothing is committed yet. */
  static async create(folder: string, project: string): Promise<DemoRepository> {
    const repository = new DemoRepository(folder);
    await mkdir(folder, { recursive: true });
    await cp(path.join(project, 'dags'), path.join(folder, 'dags'), { recursive: true });
    await repository.git('init', '--quiet', '--initial-branch=main');
    return repository;
  }

  async commit(message: string, edits: Edits): Promise<void> {
    for (const [name, replacements] of Object.entries(edits)) {
      const file = path.join(this.folder, 'dags', name);
      let text = await readFile(file, 'utf8');
      for (const [from, to] of replacements) {
        if (!text.includes(from)) throw new Error(`dags/${name} has no "${from}" for the demo to change.`);
        text = text.replace(from, () => to);
      }
      await writeFile(file, text);
    }
    await this.git('add', '--all');
    await this.git(...WHO, 'commit', '--quiet', '-m', message);
  }

  private async git(...words: string[]): Promise<void> {
    await promisify(execFile)('git', words, { cwd: this.folder, env: { ...process.env, ...NO_CONFIGURATION } });
  }
}

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const IDENTITY = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };

/** A git repository in a folder of its own, for builds to check out. */
export class GitRepository {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-repository-'));

  constructor() {
    this.git('init', '--quiet', '--initial-branch=main');
  }

  /** Writes the files and commits them on the branch; answers the commit. */
  commit(files: Readonly<Record<string, string>>, branch = 'main'): string {
    if (branch !== 'main') this.git('checkout', '--quiet', '-B', branch);
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, file)), { recursive: true });
      writeFileSync(join(this.folder, file), text);
    }
    this.git('add', '--all');
    this.git('-c', 'user.name=Maria', '-c', 'user.email=maria@example.com', 'commit', '--quiet', '-m', `on ${branch}`);
    const commit = this.git('rev-parse', 'HEAD').trim();
    if (branch !== 'main') this.git('checkout', '--quiet', 'main');
    return commit;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  private git(...words: string[]): string {
    return execFileSync('git', words, { cwd: this.folder, env: { ...process.env, ...IDENTITY }, encoding: 'utf8' });
  }
}

/** Programs that are shell texts, in a folder of their own. */
export class Programs {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-programs-'));

  constructor(texts: Readonly<Record<string, string>>) {
    for (const [name, text] of Object.entries(texts)) {
      writeFileSync(join(this.folder, name), `#!/bin/bash\n${text}\n`);
      chmodSync(join(this.folder, name), 0o755);
    }
  }

  /** PATH with these first. */
  get path(): string {
    return `${this.folder}${delimiter}${process.env.PATH ?? ''}`;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

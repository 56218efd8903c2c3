import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EngineStore, EnvironmentConfig, Problem } from '#core';
import { canonicalJson, parseEnvironment } from '#dag';
import type { AppliedEnvironment, Environments } from '#engine';

/** The environments of a project, as their files said when they were last loaded without a mistake. */
export class EnvironmentFiles implements Environments {
  #environments = new Map<string, AppliedEnvironment>();
  #problems: readonly Problem[] = [];

  /** `storageRoot`: keep every environment's data below this folder instead of where its file says. */
  constructor(
    private readonly project: string,
    private readonly storageRoot: string | null = null,
  ) {}

  get(name: string): AppliedEnvironment | null {
    return this.#environments.get(name) ?? null;
  }

  all(): readonly AppliedEnvironment[] {
    return [...this.#environments.values()];
  }

  /** Mistakes of the newest files; the environments they are about stay as they were. */
  problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Reads `environments/*.yaml` again and records what changed. A broken file keeps its last good content. */
  async load(store: EngineStore, actor: string): Promise<void> {
    const folder = path.join(this.project, 'environments');
    const names = (await readdir(folder).catch(() => [])).filter((name) => /\.ya?ml$/.test(name)).sort();
    const next = new Map<string, AppliedEnvironment>();
    const problems: Problem[] = [];
    for (const name of names) {
      const parsed = parseEnvironment(
        `environments/${name}`,
        await readFile(path.join(folder, name), 'utf8'),
        this.project,
      );
      problems.push(...parsed.problems);
      const known = this.#environments.get(name.replace(/\.ya?ml$/, ''));
      if (parsed.environment) {
        const config = this.placed(parsed.environment);
        next.set(config.name, { config, hash: createHash('sha256').update(canonicalJson(config)).digest('hex') });
      } else if (known) next.set(known.config.name, known);
    }
    for (const { config, hash } of next.values()) {
      if (this.#environments.get(config.name)?.hash === hash) continue;
      await store.applyEnvironment(config.name, hash, config, actor, config.pools);
      if (config.storage.startsWith('file:'))
        await mkdir(storageFolder(config.storage), { recursive: true, mode: 0o700 });
    }
    this.#environments = next;
    this.#problems = problems;
  }

  private placed(config: EnvironmentConfig): EnvironmentConfig {
    return this.storageRoot === null
      ? config
      : { ...config, storage: pathToFileURL(path.join(this.storageRoot, config.name)).href };
  }
}

/** `file:///a/b` → `/a/b`. */
export function storageFolder(storage: string): string {
  return decodeURIComponent(new URL(storage).pathname);
}

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { previewConfig, type EngineStore, type EnvironmentConfig, type Problem } from '#core';
import { canonicalJson, parseEnvironment } from '#dag';
import type { AppliedEnvironment, Environments } from '#engine';

/** A preview as `EnvironmentFiles` shows it. */
export interface ShownPreview {
  readonly environment: string;
  readonly parent: string;
  readonly storage: string;
  readonly closing: boolean;
}

export interface ReadEnvironment {
  /** Null: it has problems. */
  readonly environment: AppliedEnvironment | null;
  readonly problems: readonly Problem[];
}

/**
 * The environments of a project, as their files said when they were last loaded without a mistake, and beside them the
 * previews that it was told of, each with the configuration that its parent has now.
 */
export class EnvironmentFiles implements Environments {
  #environments = new Map<string, AppliedEnvironment>();
  #previews: readonly ShownPreview[] = [];
  #ofPreviews = new Map<string, AppliedEnvironment>();
  #problems: readonly Problem[] = [];

  /** `storageRoot`: keep every environment's data below this folder instead of where its file says. */
  constructor(
    private readonly project: string,
    private readonly storageRoot: string | null = null,
  ) {}

  /** Previews that are closing too: what runs there comes to its end. */
  get(name: string): AppliedEnvironment | null {
    return this.#environments.get(name) ?? this.#ofPreviews.get(name) ?? null;
  }

  /** Without previews that are closing. */
  all(): readonly AppliedEnvironment[] {
    return [...this.#environments.values(), ...this.#ofPreviews.values()].filter(
      ({ config }) => !this.isClosing(config.name),
    );
  }

  /** True of a preview that is being removed: nothing may start there. */
  isClosing(name: string): boolean {
    return this.#previews.some(({ environment, closing }) => closing && environment === name);
  }

  /** From now on there are these previews. One whose parent has no file is unknown until it has one again. */
  showPreviews(previews: readonly ShownPreview[]): void {
    this.#previews = previews;
    this.#derive();
  }

  /** Mistakes of the newest files; the environments they are about stay as they were. */
  problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Reads `environments/*.yaml` again and records what changed. A broken file keeps its last good content. */
  async load(store: EngineStore, actor: string): Promise<void> {
    const next = new Map<string, AppliedEnvironment>();
    const problems: Problem[] = [];
    for (const [name, parsed] of await this.#read()) {
      problems.push(...parsed.problems);
      const known = this.#environments.get(name);
      if (parsed.environment) next.set(parsed.environment.config.name, parsed.environment);
      else if (known) next.set(known.config.name, known);
    }
    for (const { config, hash } of next.values()) {
      if (this.#environments.get(config.name)?.hash === hash) continue;
      await store.applyEnvironment(config.name, hash, config, actor, config.pools);
      if (config.storage.startsWith('file:'))
        await mkdir(storageFolder(config.storage), { recursive: true, mode: 0o700 });
    }
    this.#environments = next;
    this.#problems = problems;
    this.#derive();
  }

  /** An environment's file as it is now, applied or not. Null: there is none. */
  async file(name: string): Promise<ReadEnvironment | null> {
    const files = await this.#read();
    return (
      files.find(([, { environment }]) => environment?.config.name === name)?.[1] ?? new Map(files).get(name) ?? null
    );
  }

  /** What the files hold, by their names without ending. */
  async #read(): Promise<(readonly [string, ReadEnvironment])[]> {
    const folder = path.join(this.project, 'environments');
    const names = (await readdir(folder).catch(() => [])).filter((name) => /\.ya?ml$/.test(name)).sort();
    const read: [string, ReadEnvironment][] = [];
    for (const name of names) {
      const text = await readFile(path.join(folder, name), 'utf8');
      const parsed = parseEnvironment(`environments/${name}`, text, this.project);
      const config = parsed.environment && this.placed(parsed.environment);
      const environment = config && { config, hash: configHash(config) };
      read.push([name.replace(/\.ya?ml$/, ''), { environment, problems: parsed.problems }]);
    }
    return read;
  }

  #derive(): void {
    this.#ofPreviews = new Map(
      this.#previews.flatMap(({ environment, parent, storage }) => {
        const declared = this.#environments.get(parent);
        if (declared === undefined) return [];
        const config = previewConfig(declared.config, environment, storage);
        return [[environment, { config, hash: configHash(config) }] as const];
      }),
    );
  }

  private placed(config: EnvironmentConfig): EnvironmentConfig {
    return this.storageRoot === null
      ? config
      : { ...config, storage: pathToFileURL(path.join(this.storageRoot, config.name)).href };
  }
}

/** SHA-256 of the canonical configuration. */
export function configHash(config: EnvironmentConfig): string {
  return createHash('sha256').update(canonicalJson(config)).digest('hex');
}

/** `file:///a/b` → `/a/b`. */
export function storageFolder(storage: string): string {
  return decodeURIComponent(new URL(storage).pathname);
}

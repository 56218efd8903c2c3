import {
  checkPreviewName,
  type Clock,
  type EngineStore,
  previewConfig,
  previewParts,
  previewStorage,
  promotionOnly,
  type ReleaseRecord,
  SluiceError,
} from '#core';
import type { Observer } from '#engine';
import { previewQueries, type Db } from '#store';
import { configHash, type EnvironmentFiles } from './environment-files.ts';
import { startLooking, UNASKED_MS, type LookLoop } from './look-loop.ts';
import type { StorageRoots } from './storage-roots.ts';

export interface PreviewParts {
  readonly db: Db;
  readonly store: Pick<EngineStore, 'applyEnvironment'>;
  readonly environments: EnvironmentFiles;
  readonly roots: Pick<StorageRoots, 'erase'>;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Something was cancelled that the scheduler should look at now. */
  readonly wake: () => void;
}

const LOOK_MS = 1000;
const ACTOR = 'Sluice';

/** Environments for one pull request each: made with a release, gone with their data when their time is up. */
export class Previews {
  /** Configuration of each as it was applied last. */
  readonly #applied = new Map<string, string>();
  readonly #loops: LookLoop[] = [];

  constructor(private readonly parts: PreviewParts) {}

  /** Reads which there are; a configuration that changed with its parent's is applied. */
  async load(): Promise<void> {
    const { db, store, environments } = this.parts;
    environments.showPreviews(await previewQueries.openPreviews(db));
    for (const { config, hash } of environments.all()) {
      if (previewParts(config.name) === null || this.#applied.get(config.name) === hash) continue;
      await store.applyEnvironment(config.name, hash, config, ACTOR, config.pools);
      this.#applied.set(config.name, hash);
    }
  }

  /**
   * Makes a preview, or points one that exists at another release; it ends so long from now. Throws `not_found` for an
   * unknown parent, `conflict` when releases reach the parent by promotion only, or when one of that name is just closing.
   */
  async create(environment: string, release: ReleaseRecord, expiresInMs: number, actor: string): Promise<void> {
    const { parent, name } = this.#parts(environment);
    const { db, environments } = this.parts;
    const declared = environments.get(parent);
    if (declared === null)
      throw new SluiceError('not_found', `There is no environment "${parent}".`, {
        hint: `Declare it in environments/${parent}.yaml, or make a preview of another.`,
      });
    const reason = promotionOnly(declared.config);
    if (reason !== null)
      throw new SluiceError('conflict', `${parent} has no previews: ${reason}, and a preview would go around that.`, {
        hint: 'Make a preview of an environment without gates, such as dev.',
      });
    const config = previewConfig(declared.config, environment, previewStorage(declared.config, name));
    const given = { environment, parent, config, hash: configHash(config), release, expiresInMs };
    const how = await previewQueries.createPreview(db, given, actor);
    if (how === 'closing')
      throw new SluiceError('conflict', `The preview ${environment} is being removed.`, {
        hint: 'Wait until its data is gone, or take another name.',
      });
    if (how === 'stale')
      throw new SluiceError('conflict', `Somebody else moved ${environment} meanwhile.`, { hint: 'Try again.' });
    await this.load();
  }

  /** Closes a preview: its runs are cancelled now, its data goes soon after. Closed already is no error. */
  async remove(environment: string, actor: string): Promise<void> {
    this.#parts(environment);
    const { db, wake } = this.parts;
    const closed = await previewQueries.closePreview(db, environment, actor, 'asked for');
    await this.load();
    if (!closed && !this.parts.environments.isClosing(environment))
      throw new SluiceError('not_found', `There is no preview ${environment}.`, {
        hint: '`sluice env list` shows those there are.',
      });
    wake();
  }

  /**
   * Closes those whose time is up and erases those that are closing and quiet; how many are gone. Any process may do this
   * at any time, several at once, and may be killed anywhere in it: the next look goes on.
   */
  async step(): Promise<number> {
    const { db, roots, observer, wake } = this.parts;
    const expired = await previewQueries.expiredPreviews(db);
    for (const environment of expired) if (await previewQueries.closePreview(db, environment, ACTOR, 'expired')) wake();
    let gone = 0;
    for (const { environment } of (await previewQueries.openPreviews(db)).filter(({ closing }) => closing))
      try {
        // What began while others had not seen yet that it closes.
        const live = await previewQueries.cancelRuns(db, environment, `the preview ${environment} is removed`);
        const isGone =
          live === 0 && (await previewQueries.finishPreview(db, environment, ({ storage }) => roots.erase(storage)));
        if (isGone) gone += 1;
      } catch (error) {
        // A bucket that does not answer must not keep the others.
        observer.problem('removing a preview', error, { environment });
      }
    if (expired.length + gone > 0) await this.load();
    return gone;
  }

  /** Looks once a second which previews there are, from now on. Calling it again changes nothing, nor after `startRemoving`. */
  async follow(): Promise<void> {
    if (this.#loops.length === 0)
      this.#loops.push(this.#every('reading which previews there are', () => this.load(), LOOK_MS));
    await this.load();
  }

  /** Looks from now on which there are and removes those whose time is up, whenever it is woken. */
  startRemoving(): LookLoop {
    for (const follows of this.#loops.splice(0)) void follows.stop();
    const look = (): Promise<unknown> => this.load().then(() => this.step());
    const loop = this.#every('removing previews', look, UNASKED_MS);
    this.#loops.push(loop);
    return loop;
  }

  /** Resolves when nothing is being done any more. */
  async stop(): Promise<void> {
    await Promise.all(this.#loops.splice(0).map((loop) => loop.stop()));
  }

  #every(what: string, work: () => Promise<unknown>, everyMs: number): LookLoop {
    const { clock, observer } = this.parts;
    const look = (): Promise<void> =>
      work().then(
        () => undefined,
        (error: unknown) => observer.problem(what, error),
      );
    return startLooking(look, everyMs, clock);
  }

  #parts(environment: string): { readonly parent: string; readonly name: string } {
    const parts = previewParts(environment);
    if (parts === null)
      throw new SluiceError('bad_request', `"${environment}" is not the name of a preview.`, {
        hint: 'A preview is named by its parent and its own name: dev/pr-123.',
      });
    checkPreviewName(parts.name);
    return parts;
  }
}

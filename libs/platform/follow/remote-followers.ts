import { type Clock, type Problem, SluiceError } from '#core';
import type { Observer } from '#engine';
import { type GitAccess, hostOf, RemoteMirror, type ReleaseStore } from '#release';
import { followQueries, type Db } from '#store';
import type { CommitStatuses } from './commit-statuses.ts';

export interface FollowerParts {
  readonly db: Db;
  readonly releases: Pick<ReleaseStore, 'put'>;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Folder for the mirrors. */
  readonly folder: string;
  readonly access: GitAccess;
  /** Null: nobody is told. */
  readonly statuses: CommitStatuses | null;
  /** Says why releases may reach the environment by promotion only, or that it is gone; null: it may follow. */
  readonly refusal: (environment: string) => string | null;
  /** An environment points at another release. */
  readonly onMoved: () => void;
  /** An environment follows nothing any more. */
  readonly onUnfollowed: (environment: string) => void;
}

/** How often the list of followed remotes is read. */
const TURN_MS = 500;
/** How often a remote is asked. A commit is to run within five seconds, the scheduler's own second included. */
const LOCAL_MS = 1500;
const REMOTE_MS = 3000;
const LONGEST_PAUSE_MS = 60_000;
/** What another look at the same commit cannot change. */
const LASTING = ['bad_request', 'invalid_config', 'not_found'];

interface Follower {
  nextAt: number;
  failures: number;
  askedAt: string | null;
  looking: Promise<void> | null;
  /** A commit that cannot become a release, as this process found. */
  broken: string | null;
  /** When the git host may be told again. */
  tellAt: number;
}

type Row = followQueries.FollowRow;

/** Asks the followed remotes, makes releases of their commits and points the environments there. */
export class RemoteFollowers {
  readonly #followed = new Set<string>();
  readonly #followers = new Map<string, Follower>();
  /** The last look at each remote: mirrors are used by one at a time. */
  readonly #remotes = new Map<string, Promise<unknown>>();
  readonly #stopping = new AbortController();
  #publicUrl = '';
  #running = false;
  #turn: Promise<void> | null = null;
  #cancel = (): void => undefined;

  constructor(private readonly parts: FollowerParts) {}

  /** True when a git remote decides the environment's release, as far as this process has seen. */
  isFollowed(environment: string): boolean {
    return this.#followed.has(environment);
  }

  /** Reads which environments follow something. */
  async load(): Promise<readonly Row[]> {
    const rows = await followQueries.readFollows(this.parts.db);
    const before = [...this.#followed];
    this.#followed.clear();
    for (const { environment } of rows) this.#followed.add(environment);
    for (const environment of before)
      if (!this.#followed.has(environment)) {
        this.#followers.delete(environment);
        this.parts.onUnfollowed(environment);
      }
    return rows;
  }

  /** Looks from now on, until `stop`. `publicUrl`: where people reach the web view; empty: unknown. */
  start(publicUrl: string): void {
    this.#publicUrl = publicUrl;
    this.#running = true;
    this.#loop();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancel();
    await this.#turn;
    await Promise.all([...this.#followers.values()].map(({ looking }) => looking));
  }

  /** Looks at one environment's remote now, in this process, if it is the one that looks; resolves when that is done. */
  async lookNow(environment: string): Promise<void> {
    const row = (await this.load()).find((one) => one.environment === environment);
    if (row !== undefined && this.#running) await this.#look(row);
  }

  #loop(): void {
    if (this.#stopping.signal.aborted) return;
    this.#turn = this.#takeTurn()
      .catch((error: unknown) => this.parts.observer.problem('reading which remotes are followed', error))
      .then(() => {
        if (!this.#stopping.signal.aborted) this.#cancel = this.parts.clock.schedule(TURN_MS, () => this.#loop());
      });
  }

  async #takeTurn(): Promise<void> {
    const now = this.parts.clock.now().getTime();
    for (const row of await this.load()) {
      const follower = this.#follower(row);
      const isAsked = row.askedAt !== follower.askedAt;
      if (follower.looking === null && (isAsked || now >= follower.nextAt)) void this.#look(row);
    }
  }

  #follower({ environment, askedAt }: Row): Follower {
    const known = this.#followers.get(environment);
    if (known !== undefined) return known;
    const made: Follower = { nextAt: 0, failures: 0, askedAt, looking: null, broken: null, tellAt: 0 };
    this.#followers.set(environment, made);
    return made;
  }

  #look(row: Row): Promise<void> {
    const follower = this.#follower(row);
    follower.askedAt = row.askedAt;
    follower.looking = (follower.looking ?? Promise.resolve())
      .then(() => this.#inTurn(row.remote, () => this.#follow(row, follower)))
      .then(
        (isWell) => (follower.failures = isWell ? 0 : follower.failures + 1),
        (error: unknown) => {
          follower.failures += 1;
          this.parts.observer.problem('following a remote', error, { environment: row.environment });
        },
      )
      .then(() => {
        const usual = hostOf(row.remote) === null ? LOCAL_MS : REMOTE_MS;
        const pause = Math.min(LONGEST_PAUSE_MS, usual * 2 ** Math.min(follower.failures, 10));
        follower.nextAt = this.parts.clock.now().getTime() + pause;
        follower.looking = null;
      });
    return follower.looking;
  }

  #inTurn<T>(remote: string, work: () => Promise<T>): Promise<T> {
    const before = this.#remotes.get(remote) ?? Promise.resolve();
    const result = before.then(work, work);
    this.#remotes.set(
      remote,
      result.catch(() => undefined),
    );
    return result;
  }

  /** False: try again later. */
  async #follow(row: Row, follower: Follower): Promise<boolean> {
    const { db, folder, access, refusal } = this.parts;
    const { signal } = this.#stopping;
    if (signal.aborted) return true;
    const mirror = new RemoteMirror({ folder, remote: row.remote, access, signal });
    try {
      const refused = refusal(row.environment);
      if (refused !== null) throw new SluiceError('conflict', refused);
      const head = await mirror.head(row.ref);
      const isKnown = head.commit === row.commit && (row.release !== null || head.commit === follower.broken);
      if (!isKnown) await this.#take(row, follower, mirror, head.fullRef);
      else if (row.release !== null && row.problem !== null) await followQueries.clearFollowProblem(db, row);
    } catch (error) {
      if (signal.aborted) return true;
      await followQueries.noteFollowProblem(db, row, null, sentence(error), []);
      return false;
    }
    await this.#tell(row, follower);
    return true;
  }

  async #take(row: Row, follower: Follower, mirror: RemoteMirror, fullRef: string): Promise<void> {
    const { db, releases, observer, onMoved } = this.parts;
    const commit = await mirror.fetch(fullRef);
    try {
      const release = await releases.put(await mirror.snapshot(fullRef), { whole: true });
      const how = await followQueries.followTo(db, row, release);
      if (how === 'stale') throw new SluiceError('conflict', `Somebody else moved ${row.environment} meanwhile.`);
      follower.broken = null;
      if (how !== 'moved') return;
      observer.event('release-followed', {
        ...{ environment: row.environment, commit, release: release.digest.slice(0, 12), alias: release.alias },
      });
      onMoved();
    } catch (error) {
      if (!(error instanceof SluiceError) || !LASTING.includes(error.code)) throw error;
      const problems = (error.details.problems ?? []) as readonly Problem[];
      await followQueries.noteFollowProblem(db, row, commit, sentence(error), problems);
      follower.broken = commit;
    }
  }

  /** Says once for each commit what became of it. A host that does not answer is asked again in a minute. */
  async #tell(row: Row, follower: Follower): Promise<void> {
    const { db, statuses, clock, observer } = this.parts;
    if (statuses === null || clock.now().getTime() < follower.tellAt) return;
    const now = (await followQueries.readFollows(db)).find(({ environment }) => environment === row.environment);
    if (now?.commit == null || (now.release === null && now.problem === null)) return;
    const state = now.release === null ? 'failure' : 'success';
    const told = `${now.commit}:${state}`;
    if (now.told === told) return;
    const { environment, remote, commit, problem, release } = now;
    const description =
      state === 'success'
        ? `${environment} runs release ${(release ?? '').slice(0, 12)}`
        : (problem ?? 'cannot become a release');
    const url = this.#publicUrl === '' ? null : `${this.#publicUrl}/?env=${encodeURIComponent(environment)}`;
    try {
      await statuses.tell({ remote, commit, state, context: `sluice/${environment}`, description, url });
      await followQueries.noteTold(db, now, told);
    } catch (error) {
      follower.tellAt = clock.now().getTime() + LONGEST_PAUSE_MS;
      observer.problem('telling a commit status', error, { environment });
    }
  }
}

function sentence(error: unknown): string {
  const { message } = error as Error;
  return error instanceof SluiceError && error.hint ? `${message} ${error.hint}` : message;
}

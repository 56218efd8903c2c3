import { hostOf } from '#release';
import { followQueries } from '#store';
import { startLooking, UNASKED_MS, type LookLoop } from '../look-loop.ts';
import type { FollowParts } from './follow-parts.ts';
import { lookAtRemote, type Seen } from './look-at-remote.ts';
import { tellStatus } from './tell-status.ts';

/** How often the list of followed remotes is read while there are some. */
const TURN_MS = 500;
/** How often a remote is asked. A commit is to run within five seconds, the scheduler's own second included. */
const LOCAL_MS = 1500;
const REMOTE_MS = 3000;
const LONGEST_PAUSE_MS = 60_000;
/** How long others keep off a remote that this process asks; a process that dies holds one up no longer. */
const LEASE_MS = 5000;

interface Follower extends Seen {
  nextAt: number;
  failures: number;
  askedAt: string | null;
  looking: Promise<void> | null;
  claimedAt: number;
  /** When the git host may be told again. */
  tellAt: number;
}

type Row = followQueries.FollowRow;

/** Asks the followed remotes, each by one process at a time, and makes their commits what the environments run. */
export class RemoteFollowers {
  readonly #followers = new Map<string, Follower>();
  /** The last look at each remote: a mirror is used by one at a time. */
  readonly #remotes = new Map<string, Promise<unknown>>();
  readonly #stopping = new AbortController();
  #loop: LookLoop | null = null;

  /** `looker`: what this process is called where claims are kept. */
  constructor(
    private readonly parts: FollowParts,
    private readonly looker: string,
  ) {}

  /** Looks from now on, until `stop`. */
  start(): this {
    const turn = (): Promise<void> =>
      this.#turn().catch((error: unknown) => this.parts.observer.problem('reading which remotes are followed', error));
    const everyMs = (): number => (this.#followers.size === 0 ? UNASKED_MS : TURN_MS);
    this.#loop = startLooking(turn, everyMs, this.parts.clock);
    return this;
  }

  /** Somebody asked, or the list changed. */
  wake(): void {
    this.#loop?.wake();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop?.stop();
    await this.#idle();
    await followQueries.releaseLooks(this.parts.db, this.looker);
  }

  /** One turn, and the looks that it began. */
  async lookOnce(): Promise<void> {
    await this.#turn();
    await this.#idle();
  }

  async #idle(): Promise<void> {
    await Promise.all([...this.#followers.values()].map(({ looking }) => looking));
  }

  async #turn(): Promise<void> {
    const rows = await followQueries.readFollows(this.parts.db);
    for (const environment of [...this.#followers.keys()])
      if (!rows.some((row) => row.environment === environment)) {
        this.#followers.delete(environment);
        this.parts.onUnfollowed(environment);
      }
    for (const row of rows) await this.#takeUp(row);
  }

  async #takeUp(row: Row): Promise<void> {
    const now = this.parts.clock.now().getTime();
    const follower = this.#follower(row);
    const isDue = row.askedAt !== follower.askedAt || now >= follower.nextAt;
    const isHeld = follower.looking !== null && now - follower.claimedAt >= LEASE_MS / 3;
    if (follower.looking === null ? !isDue : !isHeld) return;
    if (!(await followQueries.claimLook(this.parts.db, row, this.looker, LEASE_MS))) return;
    follower.claimedAt = now;
    follower.looking ??= this.#look(row, follower);
  }

  #follower({ environment, askedAt }: Row): Follower {
    const known = this.#followers.get(environment);
    if (known !== undefined) return known;
    const since = { nextAt: 0, failures: 0, claimedAt: 0, tellAt: 0 };
    const made: Follower = { ...since, askedAt, looking: null, broken: null };
    this.#followers.set(environment, made);
    return made;
  }

  async #look(row: Row, follower: Follower): Promise<void> {
    const { clock, observer } = this.parts;
    const { environment, remote } = row;
    follower.askedAt = row.askedAt;
    let isWell = false;
    try {
      isWell = await this.#inTurn(remote, () => lookAtRemote(this.parts, row, follower, this.#stopping.signal));
      await this.#tell(environment, follower);
    } catch (error) {
      observer.problem('following a remote', error, { environment });
    }
    follower.failures = isWell ? 0 : follower.failures + 1;
    const usual = hostOf(remote) === null ? LOCAL_MS : REMOTE_MS;
    follower.nextAt = clock.now().getTime() + Math.min(LONGEST_PAUSE_MS, usual * 2 ** Math.min(follower.failures, 10));
    follower.looking = null;
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

  /** A place that does not answer is told again in a minute. */
  async #tell(environment: string, follower: Follower): Promise<void> {
    const { clock, observer } = this.parts;
    const now = clock.now().getTime();
    if (this.#stopping.signal.aborted || now < follower.tellAt) return;
    try {
      await tellStatus(this.parts, environment);
    } catch (error) {
      follower.tellAt = now + LONGEST_PAUSE_MS;
      observer.problem('telling a commit status', error, { environment });
    }
  }
}

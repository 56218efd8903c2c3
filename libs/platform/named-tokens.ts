import { createHash, randomBytes } from 'node:crypto';
import { mayDo, SluiceError, type Caller, type Clock, type GrantedRight } from '#core';
import { apiQueries, appendAudit, type Db } from '#store';

/** So long another process may take a revoked token for a good one. */
const KEPT_MS = 5_000;
const MOST_KEPT = 10_000;
const FORM = /^sluice_[A-Za-z0-9_-]{43}$/;

type TokenRow = NonNullable<Awaited<ReturnType<typeof apiQueries.useTokenById>>>;
/** A token as lists show it. */
export type TokenRecord = Omit<TokenRow, 'id'>;

export interface TokenRequest {
  readonly name: string;
  readonly groups: readonly string[];
  readonly rights: readonly GrantedRight[];
  /** Null: it does not expire. */
  readonly expiresInMs: number | null;
}

/** Who a named token is. */
export interface TokenHolder {
  readonly tokenId: string;
  readonly caller: Caller;
}

/**
 * Tokens with names and rights. Of a token only the SHA-256 is stored; it has 256 random bits, so nothing slower is
 * needed. What was looked up is kept for five seconds: revoking is immediate here, and within five seconds elsewhere.
 */
export class NamedTokens {
  readonly #kept = new Map<string, { readonly holder: TokenHolder; readonly until: number }>();
  #revocations = 0;

  constructor(
    private readonly db: Db,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /** Null: not one of ours, revoked, or expired. */
  async byToken(token: string): Promise<TokenHolder | null> {
    if (!FORM.test(token)) return null;
    const hash = sha256(token);
    return this.#holder(`hash ${hash}`, () => apiQueries.useTokenByHash(this.db, hash));
  }

  /** The same for what was made from a token. */
  byId(tokenId: string): Promise<TokenHolder | null> {
    return this.#holder(`id ${tokenId}`, () => apiQueries.useTokenById(this.db, tokenId));
  }

  list(): Promise<readonly TokenRecord[]> {
    return apiQueries.listTokens(this.db).then((rows) => rows.map(withoutId));
  }

  /**
   * Makes a token; its text is told here and never again. Throws `conflict` when the name is taken, `forbidden` when it
   * would have rights that its maker has not.
   */
  async create(request: TokenRequest, by: Caller): Promise<{ readonly token: string; readonly record: TokenRecord }> {
    const beyond = request.rights.find(({ right, environment }) => !mayDo(by.rights, right, environment));
    if (beyond !== undefined)
      throw new SluiceError(
        'forbidden',
        `${by.name} may not give away ${beyond.right}:${beyond.environment}, which it does not have itself.`,
      );
    const token = `sluice_${randomBytes(32).toString('base64url')}`;
    const row = await this.db.transaction(async (manager) => {
      const created = await apiQueries.createToken(manager, { ...request, hash: sha256(token), createdBy: by.name });
      if (created === null)
        throw new SluiceError('conflict', `There is a token "${request.name}" already.`, {
          hint: `Take another name, or revoke it first: \`sluice token revoke ${request.name}\`.`,
        });
      const { groups, rights, expiresAt } = created;
      await appendAudit(manager, [entry(by, 'token.create', request.name, { groups, rights, expiresAt })]);
      return created;
    });
    return { token, record: withoutId(row) };
  }

  /** Ends a token and every login made from it. Throws `not_found`. */
  async revoke(name: string, by: Caller): Promise<void> {
    const revoked = await this.db.transaction(async (manager) => {
      const row = await apiQueries.revokeToken(manager, name);
      if (row === null)
        throw new SluiceError('not_found', `There is no token ${JSON.stringify(name)}.`, {
          hint: 'See `sluice token list`.',
        });
      const { groups, rights, lastUsedAt } = row;
      await appendAudit(manager, [entry(by, 'token.revoke', name, { groups, rights, lastUsedAt })]);
      return row;
    });
    this.#revocations += 1;
    for (const [key, { holder }] of this.#kept) if (holder.tokenId === revoked.id) this.#kept.delete(key);
  }

  async #holder(key: string, look: () => Promise<TokenRow | null>): Promise<TokenHolder | null> {
    const now = this.clock.now().getTime();
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.until > now) return kept.holder;
    this.#kept.delete(key);
    const revocations = this.#revocations;
    const row = await look();
    // Only genuine ones are kept: guesses must not push them out.
    if (row === null) return null;
    const { id, name, groups, rights } = row;
    const holder = { tokenId: id, caller: { name, groups, rights } };
    // Read before a revocation that is done by now: good for this once.
    if (revocations !== this.#revocations) return holder;
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, { holder, until: now + KEPT_MS });
    return holder;
  }
}

function entry(by: Caller, action: string, subject: string, detail: Readonly<Record<string, unknown>>) {
  return { actor: by.name, action, environment: null, subject, detail };
}

function withoutId({ id: _id, ...record }: TokenRow): TokenRecord {
  return record;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { EVERY_RIGHT, SluiceError, type Caller, type Clock } from '#core';
import { FailureLimit } from './failure-limit.ts';
import type { TokenHolder } from './named-tokens.ts';

const SESSION_DAYS = 30;
const CODE_MINUTES = 10;
const CODES_KEPT = 100;

export interface Credential {
  /** By which way it came: a cookie needs more protection than a header. */
  readonly kind: 'token' | 'cookie';
  readonly caller: Caller;
  /** Null: the installation's own token. */
  readonly tokenId: string | null;
}

/** Finds named tokens; null for one that does not hold (any more). */
export interface TokenHolders {
  byToken(token: string): Promise<TokenHolder | null>;
  byId(tokenId: string): Promise<TokenHolder | null>;
}

/**
 * Who may talk to the API: whoever shows the installation's own token, which may do everything, or a named token, or a
 * cookie made from either. Holds the unused login codes in memory; everything else follows from the token and the
 * database, so a restart logs nobody out, and another token of the installation logs everybody out.
 */
export class Auth {
  /** Cookies ignore ports: the name tells two servers on one machine apart. */
  readonly cookieName: string;
  readonly #tokenHash: Buffer;
  readonly #sessionKey: Buffer;
  readonly #codes = new Map<string, { readonly expires: number; readonly tokenId: string | null }>();
  readonly #failures: FailureLimit;

  constructor(
    token: string,
    private readonly clock: Pick<Clock, 'now'>,
    private readonly named: TokenHolders,
  ) {
    this.#tokenHash = sha256(token);
    this.#sessionKey = createHmac('sha256', token).update('sluice session cookie').digest();
    this.cookieName = `sluice_${createHmac('sha256', token).update('sluice cookie name').digest('hex').slice(0, 8)}`;
    this.#failures = new FailureLimit({ most: 10, windowMs: 60_000 }, clock);
  }

  /** Which credential the two headers carry; null: none that holds. A wrong bearer token is never made good by a cookie. */
  async identify(authorization: string | undefined, cookies: string | undefined): Promise<Credential | null> {
    if (authorization !== undefined) {
      const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
      return token === undefined ? null : this.#holderOf(token);
    }
    const session = cookieValue(cookies, this.cookieName);
    return session === null ? null : this.#inSession(session);
  }

  /**
   * A code that `login` takes once within ten minutes; what a URL may carry instead of the token. The login it makes is
   * that of whoever asked for the code.
   */
  createLoginCode(tokenId: string | null): { code: string; expiresAt: Date } {
    const now = this.clock.now().getTime();
    for (const [code, { expires }] of this.#codes)
      if (expires <= now || this.#codes.size >= CODES_KEPT) this.#codes.delete(code);
    const code = randomBytes(18).toString('base64url');
    const expiresAt = new Date(now + CODE_MINUTES * 60_000);
    this.#codes.set(sha256(code).toString('hex'), { expires: expiresAt.getTime(), tokenId });
    return { code, expiresAt };
  }

  /**
   * Trades a code or a token for a `Set-Cookie` value. Throws `unauthorized` when it does not hold, or, with
   * `details.retryAfterMs`, when `client` has failed ten times within a minute.
   */
  async login(proof: { code: string } | { token: string }, client: string, secureOnly: boolean): Promise<string> {
    this.#failures.check(client);
    const holder = 'token' in proof ? await this.#holderOf(proof.token) : this.#useCode(proof.code);
    if (holder === null) {
      this.#failures.note(client);
      throw new SluiceError('unauthorized', `This ${'token' in proof ? 'token' : 'login code'} is not valid.`, {
        hint: 'A login code works once, for ten minutes. `sluice open` makes a new one.',
      });
    }
    const expires = this.clock.now().getTime() + SESSION_DAYS * 86_400_000;
    const attributes = `Path=/; Max-Age=${SESSION_DAYS * 86_400}; HttpOnly; SameSite=Strict${secureOnly ? '; Secure' : ''}`;
    const session = holder.tokenId === null ? String(expires) : `${expires}.${holder.tokenId}`;
    return `${this.cookieName}=${session}.${this.#sign(session)}; ${attributes}`;
  }

  async #holderOf(token: string): Promise<Credential | null> {
    // Hashes have one length, so the comparison takes the same time whatever was sent.
    if (timingSafeEqual(sha256(token), this.#tokenHash)) return this.#own('token');
    const holder = await this.named.byToken(token);
    return holder && { kind: 'token', ...holder };
  }

  async #inSession(value: string): Promise<Credential | null> {
    const [, session, expires, tokenId, signature] =
      /^((\d{1,15})(?:\.([1-9]\d{0,17}))?)\.([A-Za-z0-9_-]{43})$/.exec(value) ?? [];
    if (session === undefined || signature === undefined) return null;
    const genuine = timingSafeEqual(sha256(signature), sha256(this.#sign(session)));
    if (!genuine || Number(expires) <= this.clock.now().getTime()) return null;
    if (tokenId === undefined) return this.#own('cookie');
    const holder = await this.named.byId(tokenId);
    return holder && { kind: 'cookie', ...holder };
  }

  #own(kind: Credential['kind']): Credential {
    const name = kind === 'cookie' ? 'the web view' : 'the API token';
    return { kind, tokenId: null, caller: { name, groups: [], rights: EVERY_RIGHT } };
  }

  #useCode(code: string): { readonly tokenId: string | null } | null {
    const key = sha256(code).toString('hex');
    const found = this.#codes.get(key);
    this.#codes.delete(key);
    return found !== undefined && found.expires > this.clock.now().getTime() ? found : null;
  }

  #sign(session: string): string {
    return createHmac('sha256', this.#sessionKey).update(session).digest('base64url');
  }
}

function cookieValue(header: string | undefined, name: string): string | null {
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return null;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

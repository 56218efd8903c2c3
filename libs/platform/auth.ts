import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { SluiceError, type Clock } from '#core';
import { FailureLimit } from './failure-limit.ts';

const SESSION_DAYS = 30;
const CODE_MINUTES = 10;
const CODES_KEPT = 100;

export type Credential = 'token' | 'cookie';

/**
 * Who may talk to the API: whoever shows the token, or a cookie made from it. Holds the unused login codes in memory;
 * everything else follows from the token, so a restart logs nobody out, and another token logs everybody out.
 */
export class Auth {
  /** Cookies ignore ports: the name tells two servers on one machine apart. */
  readonly cookieName: string;
  readonly #tokenHash: Buffer;
  readonly #sessionKey: Buffer;
  readonly #codes = new Map<string, number>();
  readonly #failures: FailureLimit;

  constructor(
    token: string,
    private readonly clock: Pick<Clock, 'now'>,
  ) {
    this.#tokenHash = sha256(token);
    this.#sessionKey = createHmac('sha256', token).update('sluice session cookie').digest();
    this.cookieName = `sluice_${createHmac('sha256', token).update('sluice cookie name').digest('hex').slice(0, 8)}`;
    this.#failures = new FailureLimit({ most: 10, windowMs: 60_000 }, clock);
  }

  /** Which credential the two headers carry; null: none that holds. A wrong bearer token is never made good by a cookie. */
  identify(authorization: string | undefined, cookies: string | undefined): Credential | null {
    if (authorization !== undefined) {
      const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
      return token !== undefined && this.#isToken(token) ? 'token' : null;
    }
    const session = cookieValue(cookies, this.cookieName);
    return session !== null && this.#isSession(session) ? 'cookie' : null;
  }

  /** A code that `login` takes once within ten minutes; what a URL may carry instead of the token. */
  createLoginCode(): { code: string; expiresAt: Date } {
    const now = this.clock.now().getTime();
    for (const [code, expires] of this.#codes)
      if (expires <= now || this.#codes.size >= CODES_KEPT) this.#codes.delete(code);
    const code = randomBytes(18).toString('base64url');
    const expiresAt = new Date(now + CODE_MINUTES * 60_000);
    this.#codes.set(sha256(code).toString('hex'), expiresAt.getTime());
    return { code, expiresAt };
  }

  /**
   * Trades a code or the token for a `Set-Cookie` value. Throws `unauthorized` when it does not hold, or, with
   * `details.retryAfterMs`, when `client` has failed ten times within a minute.
   */
  login(proof: { code: string } | { token: string }, client: string, secureOnly: boolean): string {
    this.#failures.check(client);
    const holds = 'token' in proof ? this.#isToken(proof.token) : this.#useCode(proof.code);
    if (!holds) {
      this.#failures.note(client);
      throw new SluiceError('unauthorized', `This ${'token' in proof ? 'token' : 'login code'} is not valid.`, {
        hint: 'A login code works once, for ten minutes. `sluice open` makes a new one.',
      });
    }
    const expires = this.clock.now().getTime() + SESSION_DAYS * 86_400_000;
    const attributes = `Path=/; Max-Age=${SESSION_DAYS * 86_400}; HttpOnly; SameSite=Strict${secureOnly ? '; Secure' : ''}`;
    return `${this.cookieName}=${expires}.${this.#sign(expires)}; ${attributes}`;
  }

  #isToken(token: string): boolean {
    // Hashes have one length, so the comparison takes the same time whatever was sent.
    return timingSafeEqual(sha256(token), this.#tokenHash);
  }

  #isSession(value: string): boolean {
    const [, expires, signature] = /^(\d{1,15})\.([A-Za-z0-9_-]{43})$/.exec(value) ?? [];
    if (expires === undefined || signature === undefined) return false;
    const genuine = timingSafeEqual(sha256(signature), sha256(this.#sign(Number(expires))));
    return genuine && Number(expires) > this.clock.now().getTime();
  }

  #useCode(code: string): boolean {
    const key = sha256(code).toString('hex');
    const expires = this.#codes.get(key);
    this.#codes.delete(key);
    return expires !== undefined && expires > this.clock.now().getTime();
  }

  #sign(expires: number): string {
    return createHmac('sha256', this.#sessionKey).update(String(expires)).digest('base64url');
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

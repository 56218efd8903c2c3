import type { GrantedRight } from '#core';
import type { Db } from '../statement.ts';

/** Named tokens. What is stored of a token itself is its SHA-256. */

export interface TokenRow {
  readonly id: string;
  readonly name: string;
  readonly groups: string[];
  readonly rights: GrantedRight[];
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

export interface NewToken {
  readonly name: string;
  /** SHA-256 in hex. */
  readonly hash: string;
  readonly groups: readonly string[];
  readonly rights: readonly GrantedRight[];
  readonly createdBy: string;
  /** Null: it does not expire. */
  readonly expiresInMs: number | null;
}

const COLUMNS = `id::text, name, groups, rights, created_by as "createdBy", created_at as "createdAt", expires_at as "expiresAt",
  last_used_at as "lastUsedAt"`;

/** Null: a token of this name is there already and not revoked. Unique index token_name. */
export async function createToken(db: Db, token: NewToken): Promise<TokenRow | null> {
  const [row] = await db.query<TokenRow[]>(
    `with created as (
       insert into token (name, hash, groups, rights, created_by, expires_at)
       values ($1, $2, $3, $4::jsonb, $5, now() + $6::float8 * interval '1 millisecond')
       on conflict (name) where revoked_at is null do nothing
       returning *
     )
     select ${COLUMNS} from created`,
    [token.name, token.hash, token.groups, JSON.stringify(token.rights), token.createdBy, token.expiresInMs],
  );
  return row ?? null;
}

/** Tokens that were not revoked, expired ones included, by name. */
export function listTokens(db: Db): Promise<TokenRow[]> {
  return db.query(`select ${COLUMNS} from token where revoked_at is null order by name`);
}

/** Empty: nobody of that name is known here. */
export async function groupsOfToken(db: Db, name: string): Promise<string[]> {
  return (await tokenNamed(db, name))?.groups ?? [];
}

/** Null: nobody of that name is known here. */
export async function tokenNamed(db: Db, name: string): Promise<Pick<TokenRow, 'groups' | 'rights'> | null> {
  const [row] = await db.query<Pick<TokenRow, 'groups' | 'rights'>[]>(
    `select groups, rights from token where name = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
    [name],
  );
  return row ?? null;
}

/** Null: there is no such token, or it was revoked before. */
export async function revokeToken(db: Db, name: string): Promise<TokenRow | null> {
  const [row] = await db.query<TokenRow[]>(
    `with revoked as (
       update token set revoked_at = now() where name = $1 and revoked_at is null returning *
     )
     select ${COLUMNS} from revoked`,
    [name],
  );
  return row ?? null;
}

/** The token with this hash if it is neither revoked nor expired; notes the use, at most once a minute. Index token_hash_key. */
export async function useTokenByHash(db: Db, hash: string): Promise<TokenRow | null> {
  const [row] = await db.query<TokenRow[]>(used('hash = $1'), [hash]);
  return row ?? null;
}

/** The same by id: for cookies that were made from it. */
export async function useTokenById(db: Db, id: string): Promise<TokenRow | null> {
  const [row] = await db.query<TokenRow[]>(used('id = $1::bigint'), [id]);
  return row ?? null;
}

function used(which: string): string {
  return `
    with found as (
      select * from token where ${which} and revoked_at is null and (expires_at is null or expires_at > now())
    ), noted as (
      update token t
      set last_used_at = now()
      from found f
      where t.id = f.id and (f.last_used_at is null or f.last_used_at < now() - interval '1 minute')
      returning 1
    )
    select ${COLUMNS} from found`;
}

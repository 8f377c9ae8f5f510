/**
 * Slipway tokens: `slp_<organisation>.<id>.<secret>`. The text names the organisation since every key begins with it;
 * the table holds only a keyed hash of the whole text, so neither the table nor the key alone admits anybody.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Role } from '../model/common.ts';
import type { Token } from '../model/organisation.ts';
import { type Item, type Table, versionIs } from './table.ts';

export interface TokenRecord extends Item {
  id: string;
  title: string;
  /** Whose token it is: it stops working when that member goes, and never does more than they may. */
  memberId: string;
  email: string;
  role: Role;
  /**
   * Ids of the token that made it, of the one that made that, and so on; absent for one that a sign-in made. All are
   * here, so that whether they still exist is one round of reads however long the chain.
   */
  makers?: string[];
  /** HMAC-SHA-256 of the token's text, hex. */
  hash: string;
  createdAt: string;
  /** ISO time from which it is refused. */
  endsAt?: string;
  /** Epoch seconds at which DynamoDB may delete the record. */
  expiresAt?: number;
  version: number;
}

const pattern = /^slp_([a-z][a-z0-9-]*)\.([0-9a-z]{1,40})\.([A-Za-z0-9_-]{43})$/;

/** Spelled out, since `Omit` of an open record forgets its fields. */
export type NewTokenRecord = Pick<
  TokenRecord,
  'id' | 'title' | 'memberId' | 'email' | 'role' | 'makers' | 'hash' | 'createdAt' | 'endsAt'
>;

/** Organisation and id that a token names; undefined for what is no Slipway token. Says nothing on its being valid. */
export function readToken(text: string): { organisation: string; id: string } | undefined {
  const match = pattern.exec(text);
  return match?.[1] && match[2] ? { organisation: match[1], id: `tok_${match[2]}` } : undefined;
}

/** A new token's text for `id`. `random` is 32 bytes. */
export function tokenText(organisation: string, id: string, random: Uint8Array = randomBytes(32)): string {
  return `slp_${organisation}.${id.replace(/^tok_/, '')}.${Buffer.from(random).toString('base64url')}`;
}

/** `key` is the deployment's token key (`TOKEN_KEY_SECRET_ARN`). */
export const tokenHash = (key: string, text: string): string =>
  createHmac('sha256', key).update(text).digest('hex');

/** Whether `text` is the token of `record` and still good at `now`; in constant time where the record exists. */
export function tokenMatches(record: TokenRecord, key: string, text: string, now: Date): boolean {
  const given = Buffer.from(tokenHash(key, text), 'hex');
  const stored = Buffer.from(record.hash, 'hex');
  if (given.length !== stored.length || !timingSafeEqual(given, stored)) return false;
  return record.endsAt === undefined || now.getTime() < Date.parse(record.endsAt);
}

export async function getToken(
  table: Table,
  organisation: string,
  id: string,
): Promise<TokenRecord | undefined> {
  return (await table.get(organisation, 'tokens', id)) as TokenRecord | undefined;
}

/** All tokens of the organisation, oldest first. */
export async function allTokens(table: Table, organisation: string): Promise<TokenRecord[]> {
  return (await table.all(organisation, 'tokens')) as TokenRecord[];
}

/** Replaces one of the same id: ids are never guessed, so that is a repeated request whose first text nobody has seen. */
export async function addToken(
  table: Table,
  organisation: string,
  token: NewTokenRecord,
): Promise<TokenRecord> {
  const record = {
    ...token,
    version: 1,
    // Kept for a while after its end, so that the list can tell why a script stopped working.
    ...(token.endsAt ? { expiresAt: Math.floor(Date.parse(token.endsAt) / 1000) + 30 * 86_400 } : {}),
  } as TokenRecord;
  await table.put(organisation, 'tokens', record.id, record);
  return record;
}

/**
 * Removes `token`, then those that it made, those that they made, and so on. The order matters: none can be added once
 * it is gone, so that one look finds them all; and the authorizer refuses them from that moment on, should this die.
 * Throws `ConditionFailedError` where the token changed since it was read or is gone.
 */
export async function removeToken(table: Table, organisation: string, token: TokenRecord): Promise<void> {
  await table.remove(organisation, 'tokens', token.id, versionIs(token.version));
  const made = (await allTokens(table, organisation)).filter((one) => one.makers?.includes(token.id));
  for (const { id } of made) await table.remove(organisation, 'tokens', id);
}

export const toToken = ({
  id,
  title,
  memberId,
  email,
  role,
  makers,
  createdAt,
  endsAt,
}: TokenRecord): Token => ({
  id,
  title,
  memberId,
  email,
  role,
  ...(makers?.[0] === undefined ? {} : { madeBy: makers[0] }),
  createdAt,
  ...(endsAt === undefined ? {} : { expiresAt: endsAt }),
});

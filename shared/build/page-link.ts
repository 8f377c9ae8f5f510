/**
 * The link in a build's mail: a page that a person can open without signing in. Its key is random, and the record holds
 * only the hash, so that the table gives nobody a page to open.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { BuildRecord } from './record.ts';

/** Days after the end of the build until which its link opens. */
export const pageDays = 30;

export interface PageKey {
  /** 43 characters of base64url. */
  key: string;
  /** SHA-256 of the key, hex. */
  hash: string;
}

export const newPageKey = (random: Uint8Array = randomBytes(32)): PageKey => {
  const key = Buffer.from(random).toString('base64url');
  return { key, hash: hashOf(key) };
};

export const pageUrl = (apiUrl: string, organisation: string, buildId: string, { key }: PageKey): string =>
  `${apiUrl}/v1/builds/${buildId}/page?organisation=${organisation}&key=${key}`;

/** Whether `key` is the one that the build's mail holds, and its time is not over at `now`. */
export function opensPage(
  { pageKeyHash, finishedAt }: Pick<BuildRecord, 'pageKeyHash' | 'finishedAt'>,
  key: string,
  now: Date,
): boolean {
  if (pageKeyHash === undefined || finishedAt === undefined) return false;
  const isSame = timingSafeEqual(Buffer.from(hashOf(key), 'hex'), Buffer.from(pageKeyHash, 'hex'));
  return isSame && now.getTime() < Date.parse(finishedAt) + pageDays * 24 * 3600 * 1000;
}

const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');

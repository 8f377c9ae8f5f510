/**
 * Identifiers: a prefix that names the kind, ten characters of milliseconds and sixteen random ones, both in
 * Crockford's base 32. Text order is creation order, so an id doubles as a sort key.
 */
import { randomBytes } from 'node:crypto';
import * as z from 'zod';

export const idKinds = {
  registry: 'reg',
  image: 'img',
  build: 'bld',
  experiment: 'exp',
  upload: 'upl',
  token: 'tok',
  member: 'mem',
} as const;
export type IdKind = keyof typeof idKinds;

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** `now` in epoch milliseconds; `random` gives at least ten bytes and is a parameter so that a repeated request can repeat its ids. */
export function newId(kind: IdKind, now: number, random: Uint8Array = randomBytes(10)): string {
  let time = '';
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = alphabet[rest % 32] + time;
  return `${idKinds[kind]}_${time}${crockford(random, 16)}`;
}

export const isIdOf = (kind: IdKind, text: string): boolean => text.startsWith(`${idKinds[kind]}_`);

/** The first `length` characters (five bits each) of `bytes`. */
export function crockford(bytes: Uint8Array, length: number): string {
  let text = '';
  for (let i = 0, bits = 0, held = 0; text.length < length; i++) {
    held = (held << 8) | (bytes[i] ?? 0);
    for (bits += 8; bits >= 5 && text.length < length; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return text;
}

/** Epoch milliseconds at which the id was made. */
export function idTime(id: string): number {
  return [...id.slice(id.indexOf('_') + 1, id.indexOf('_') + 11)].reduce(
    (sum, c) => sum * 32 + alphabet.indexOf(c),
    0,
  );
}

/** Schema of an id; default registries (`reg_dockerhub`) have fixed ids, so the tail is any lower-case text. */
export const idSchema = (kind: IdKind) =>
  z
    .string()
    .regex(
      new RegExp(`^${idKinds[kind]}_[0-9a-z-]{1,40}$`),
      `must be an id that begins with ${idKinds[kind]}_`,
    )
    .meta({ example: newId(kind, 1_795_000_000_000, new Uint8Array(10).fill(7)) });

/** A cursor of a log or a timeline: how many entries were read, and of what, so that no other's is taken. */
import { ProblemError } from '../http/problem.ts';

/** `at` (epoch ms) where that was all there was, by then. */
export const encodeCursor = (id: string, count: number, at?: number) =>
  Buffer.from(`${id}:${count}${at === undefined ? '' : `@${at}`}`).toString('base64url');

/** Of what a cursor is; nothing for what is none. */
export const ownerOf = (cursor: string | undefined): string | undefined => parse(cursor)?.id;

/** When whoever has this cursor had read all there was (epoch ms); nothing where there was more, or for no cursor. */
export const readUpAt = (cursor: string | undefined): number | undefined => parse(cursor)?.at;

/** Throws 422 for what isn't a cursor of `id`. */
export function decodeCursor(cursor: string | undefined, id: string): number {
  if (cursor === undefined) return 0;
  const made = parse(cursor);
  if (made?.id !== id)
    throw new ProblemError(422, 'invalid-cursor', 'The cursor belongs to another resource.', {
      errors: [{ pointer: '?cursor', message: 'must be a cursor of this resource' }],
    });
  return made.count;
}

function parse(cursor = ''): { id: string; count: number; at?: number } | undefined {
  const text = Buffer.from(cursor, 'base64url').toString();
  const [, id, count, at] = /^(.+):(\d{1,12})(?:@(\d{1,15}))?$/.exec(text) ?? [];
  if (id === undefined) return undefined;
  return { id, count: Number(count), ...(at === undefined ? {} : { at: Number(at) }) };
}

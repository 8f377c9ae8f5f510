/** A cursor of a log or a timeline: how many entries were read, and of what, so that no other's is taken. */
import { ProblemError } from '../http/problem.ts';

export const encodeCursor = (id: string, count: number) =>
  Buffer.from(`${id}:${count}`).toString('base64url');

/** Of what a cursor is; nothing for what is none. */
export const ownerOf = (cursor: string | undefined): string | undefined => parse(cursor)?.id;

/** Throws 422 for what isn't a cursor of `id`. */
export function decodeCursor(cursor: string | undefined, id: string): number {
  if (cursor === undefined) return 0;
  const made = parse(cursor);
  if (made?.id !== id)
    throw new ProblemError(422, 'invalid-cursor', 'The cursor is not one of this resource.', {
      errors: [{ pointer: '?cursor', message: 'not a cursor of this resource' }],
    });
  return made.count;
}

function parse(cursor = ''): { id: string; count: number } | undefined {
  const [, id, count] = /^(.+):(\d{1,12})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  return id === undefined ? undefined : { id, count: Number(count) };
}

/** Cursors of lists: opaque to callers, good for one query of one organisation only. */
import { createHash } from 'node:crypto';
import { ProblemError } from '../http/problem.ts';

/** What makes two requests pages of one query; limits and cursors don't count. */
export interface ListedQuery {
  organisation: string;
  collection: string;
  sort: string;
  filters: Record<string, string | undefined>;
  q?: string | undefined;
}

export function fingerprintOf({ organisation, collection, sort, filters, q }: ListedQuery): string {
  const named = Object.entries(filters)
    .filter(([, value]) => value !== undefined)
    .sort();
  return createHash('sha256')
    .update(JSON.stringify([organisation, collection, sort, named, q ?? null]))
    .digest('base64url')
    .slice(0, 12);
}

/** `parts` are sort keys; partition keys stay out, since they always come from who asks. */
export const encodeCursor = (fingerprint: string, parts: (string | null)[]): string =>
  Buffer.from(JSON.stringify([fingerprint, ...parts])).toString('base64url');

/** The parts of a cursor of this query: strings as sort keys may be, or null. Throws a 422 problem for any other text. */
export function decodeCursor(cursor: string, fingerprint: string): (string | null)[] {
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    // Not even JSON: refused below like any other that isn't ours.
  }
  const [made, ...parts] = Array.isArray(decoded) ? decoded : [];
  if (made !== fingerprint || !parts.every(isSortKey)) throw invalidCursor();
  // Base64 has many spellings of one text; only ours is a cursor.
  if (encodeCursor(fingerprint, parts) !== cursor) throw invalidCursor();
  return parts;
}

/** Anybody can make a cursor up, so its parts must be what DynamoDB takes. */
const isSortKey = (part: unknown): part is string | null =>
  part === null ||
  (typeof part === 'string' && part !== '' && part.isWellFormed() && Buffer.byteLength(part) <= 1024);

export const invalidCursor = () =>
  new ProblemError(422, 'invalid-cursor', 'The cursor belongs to another query.', {
    errors: [{ pointer: '?cursor', message: 'must be a cursor of this query' }],
  });

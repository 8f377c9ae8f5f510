import { type IdKind, newId } from '../model/id.ts';

/** What ids made at that moment begin with; an earlier moment's sort before it. */
export function idPrefix(kind: IdKind, time: string): string {
  // Ids hold their time in ten characters; what lies outside of that sorts at their ends.
  const milliseconds = Math.min(Math.max(0, Date.parse(time)), 32 ** 10 - 1);
  return newId(kind, milliseconds, new Uint8Array(10)).slice(0, -16);
}

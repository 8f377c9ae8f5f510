/**
 * Pages of what an organisation has few of (registries, members, tokens, secrets): read as a whole, sorted and
 * filtered in memory, with the same cursors as the lists that an index serves.
 */
import { decodeCursor, encodeCursor, fingerprintOf, type ListedQuery } from './cursor.ts';

export interface SmallListRequest<T> extends ListedQuery {
  limit: number;
  cursor?: string | undefined;
  /** Fields that `q` looks through. */
  searched: (keyof T & string)[];
  /** Unique, and tells equal sort values apart. */
  idField?: keyof T & string;
}

/** Throws a 422 problem for a cursor of another query. */
export function smallPage<T extends object>(
  all: T[],
  request: SmallListRequest<T>,
): { items: T[]; nextCursor?: string } {
  const { limit, cursor, sort, filters, q, searched, idField = 'id' } = request;
  const fingerprint = fingerprintOf(request);
  const descending = sort.startsWith('-');
  const column = descending ? sort.slice(1) : sort;
  const field = (item: T, name: string) => String((item as Record<string, unknown>)[name] ?? '');
  const keyOf = (item: T): Key => [field(item, column), field(item, idField)];
  const direction = descending ? -1 : 1;
  const needle = q?.toLowerCase();
  const found = all
    .filter((item) =>
      Object.entries(filters).every(([name, value]) => value === undefined || field(item, name) === value),
    )
    .filter((item) => !needle || searched.some((name) => field(item, name).toLowerCase().includes(needle)))
    .sort((a, b) => direction * compare(keyOf(a), keyOf(b)));
  const after = cursor === undefined ? undefined : decodeCursor(cursor, fingerprint);
  const from = after
    ? found.findIndex((item) => direction * compare(keyOf(item), [after[0] ?? '', after[1] ?? '']) > 0)
    : 0;
  const items = from < 0 ? [] : found.slice(from, from + limit);
  const last = items.at(-1);
  const more = last !== undefined && from + limit < found.length;
  // An empty sort value travels as null: no part of a cursor may be empty.
  return {
    items,
    ...(more
      ? {
          nextCursor: encodeCursor(
            fingerprint,
            keyOf(last).map((part) => part || null),
          ),
        }
      : {}),
  };
}

type Key = [value: string, id: string];

const compare = (a: Key, b: Key): number =>
  a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0;

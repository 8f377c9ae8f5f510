/**
 * Lists: any one sort, or one equality filter in creation order, is a plain range of an index and reads just the
 * page; every other combination examines at most `examineAtMost` items and may come back short, with a cursor.
 */

import { type IndexName, indexes } from '../model/indexes.ts';
import { decodeCursor, encodeCursor, fingerprintOf, invalidCursor } from './cursor.ts';
import { type Collection, columnPrefix, type Item, type Table } from './table.ts';

const examineAtMost = 1000;
/**
 * Of the items of a page, as JSON: a few large ones end it early, so that no row makes a list unreadable. Less than an
 * answer may have (`shared/http/answer.ts`), since what is answered can be a little longer than what is kept.
 */
const pageAtMostBytes = 4 * 1024 * 1024;

export interface ListRequest {
  organisation: string;
  collection: Collection;
  limit: number;
  cursor?: string | undefined;
  /** Column, with `-` in front for descending; `createdAt` is the order of ids. */
  sort: string;
  /** Equality filters by column; columns that `columns` doesn't name are compared in memory. */
  filters: Record<string, string | undefined>;
  /** Substring, case-insensitive, over `searched`. */
  q?: string | undefined;
  /** Which column each index serves. */
  columns: Record<string, IndexName>;
  searched: string[];
  /** Sort keys that answer the filters on `columns`: a range of the table itself, unless an index is read. */
  ids?: { from: string; to: string; columns: string[] };
  /** Whether an item has `value` in `column`; by default the attribute of that name equals it. */
  matches?: (item: Item, column: string, value: string) => boolean;
}

export interface Listed {
  items: Item[];
  nextCursor?: string;
  /** Consumed read units, for the benchmark that shows they don't grow. */
  readUnits: number;
}

export async function list(table: Table, request: ListRequest): Promise<Listed> {
  const plan = planOf(request);
  const { between } = plan.range;
  // DynamoDB refuses a range that ends before it begins; nothing lies in it.
  if (between && between.from > between.to) return { items: [], readUnits: 0 };
  const fingerprint = fingerprintOf(request);
  const keyOf = (item: Item): Item => ({
    ...table.key(request.organisation, request.collection, String(item.sk)),
    ...(plan.index ? { [indexes[plan.index]]: item[indexes[plan.index]] } : {}),
  });
  let start = request.cursor === undefined ? undefined : keyOf(startOf(request.cursor, fingerprint, plan));
  const cursorAt = (item: Item) =>
    encodeCursor(fingerprint, [String(item.sk), plan.index ? String(item[indexes[plan.index]]) : null]);
  const items: Item[] = [];
  let readUnits = 0;
  let bytes = 0;
  for (let examined = 0; ; ) {
    const room =
      // One more than the page tells whether there is another.
      plan.rest.length === 0 && !request.q
        ? request.limit + 1 - items.length
        : Math.min(200, examineAtMost - examined);
    const page = await table.query({ ...plan.range, limit: room, ...(start ? { start } : {}) });
    readUnits += page.readUnits;
    examined += page.items.length;
    for (const [i, item] of page.items.entries()) {
      if (!accepts(item, request, plan.rest)) continue;
      bytes += Buffer.byteLength(JSON.stringify(item));
      const last = items.at(-1);
      if (last && bytes > pageAtMostBytes) return { items, readUnits, nextCursor: cursorAt(last) };
      items.push(item);
      if (items.length < request.limit) continue;
      const more = i < page.items.length - 1 || page.last !== undefined;
      return {
        items,
        readUnits,
        ...(more ? { nextCursor: cursorAt(item) } : {}),
      };
    }
    if (!page.last) return { items, readUnits };
    start = page.last;
    if (examined >= examineAtMost) return { items, readUnits, nextCursor: cursorAt(page.last) };
  }
}

interface Plan {
  index?: IndexName;
  range: {
    organisation: string;
    collection: Collection;
    index?: IndexName;
    prefix?: string;
    between?: { from: string; to: string };
    descending: boolean;
  };
  /** Filters that the range doesn't answer. */
  rest: [column: string, value: string][];
}

function planOf({ organisation, collection, sort, filters, columns, ids }: ListRequest): Plan {
  const descending = sort.startsWith('-');
  const sortColumn = descending ? sort.slice(1) : sort;
  const wanted = Object.entries(filters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  // Within one value of a column the index keeps creation order, so it serves that filter in either of the two orders.
  const served = wanted.find(
    ([column]) => columns[column] !== undefined && (sortColumn === 'createdAt' || sortColumn === column),
  );
  const index = columns[served ? served[0] : sortColumn];
  const range = index ? undefined : ids;
  return {
    ...(index ? { index } : {}),
    range: {
      organisation,
      collection,
      descending,
      ...(index ? { index } : {}),
      ...(served ? { prefix: columnPrefix(served[1]) } : {}),
      ...(range ? { between: { from: range.from, to: range.to } } : {}),
    },
    rest: wanted.filter((entry) => entry !== served && !range?.columns.includes(entry[0])),
  };
}

function accepts(item: Item, { q, searched, matches }: ListRequest, rest: Plan['rest']): boolean {
  const equal =
    matches ?? ((one: Item, column: string, value: string) => String(one[column] ?? '') === value);
  if (!rest.every(([column, value]) => equal(item, column, value))) return false;
  if (!q) return true;
  const needle = q.toLowerCase();
  return searched.some((column) =>
    String(item[column] ?? '')
      .toLowerCase()
      .includes(needle),
  );
}

/** Throws for a cursor of another query, and for one that DynamoDB would refuse. */
function startOf(cursor: string, fingerprint: string, { index, range }: Plan): Item {
  const [sk, sortKey] = decodeCursor(cursor, fingerprint);
  if (!sk) throw invalidCursor();
  const { between } = range;
  if (between && (sk < between.from || sk > between.to)) throw invalidCursor();
  if (!index) return { sk };
  if (!sortKey?.startsWith(range.prefix ?? '')) throw invalidCursor();
  return { sk, [indexes[index]]: sortKey };
}

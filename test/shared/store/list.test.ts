import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../shared/model/id.ts';
import type { IndexName } from '../../../shared/model/indexes.ts';
import { type ListRequest, list } from '../../../shared/store/list.ts';
import { columnKey } from '../../../shared/store/table.ts';
import { type RealTable, startRealTable } from './real-table.ts';

const columns: Record<string, IndexName> = {
  status: 'byStatus',
  repository: 'byRepository',
  author: 'byAuthor',
};
const start = Date.parse('2026-11-21T09:00:00Z');

let real: RealTable;
beforeAll(async () => {
  real = await startRealTable();
  await fill('few', 100);
  await fill('many', 2000);
  await fill('even', 20);
});
afterAll(() => real?.stop());

async function fill(organisation: string, count: number): Promise<void> {
  const writes = Array.from({ length: count }, (_, i) => {
    const id = newId('image', start + i, new Uint8Array(10).fill(i % 256));
    const item = {
      id,
      status: i % 2 ? 'ready' : 'failed',
      repository: `r${i % 7}`,
      author: `a${i % 3}@x.example`,
    };
    return {
      ...item,
      padding: 'x'.repeat(200),
      ...real.table.key(organisation, 'images', id),
      statusKey: columnKey(item.status, id),
      repositoryKey: columnKey(item.repository, id),
      authorKey: columnKey(item.author, id),
    };
  });
  for (let from = 0; from < count; from += 100)
    await real.table.transact(
      writes.slice(from, from + 100).map((Item) => ({ Put: { TableName: 'slipway', Item } })),
    );
}

const request = (more: Partial<ListRequest> = {}): ListRequest => ({
  organisation: 'few',
  collection: 'images',
  limit: 50,
  sort: '-createdAt',
  filters: {},
  columns,
  searched: ['repository', 'author'],
  ...more,
});

/** All pages of a query, as items and page sizes. */
async function walk(more: Partial<ListRequest>) {
  const items = [];
  const sizes = [];
  let cursor: string | undefined;
  do {
    const page = await list(real.table, request({ ...more, cursor }));
    items.push(...page.items);
    sizes.push(page.items.length);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return { items, sizes };
}

describe('I1 lists', () => {
  const queries: [string, Partial<ListRequest>][] = [
    ['in the default order', {}],
    ['oldest first', { sort: 'createdAt' }],
    ['by repository', { sort: 'repository' }],
    ['by author, descending', { sort: '-author' }],
    ['with one filter', { filters: { status: 'ready' } }],
    ['with a filter in its own order', { filters: { repository: 'r3' }, sort: '-repository' }],
  ];

  it.each(queries)('read no more of many than of few %s', async (_, query) => {
    // Only as much as both have of it.
    const limit = 14;
    const few = await list(real.table, request({ ...query, limit }));
    const many = await list(real.table, request({ ...query, limit, organisation: 'many' }));
    expect(many.items).toHaveLength(limit);
    expect(few.items).toHaveLength(limit);
    expect(many.readUnits).toBe(few.readUnits);
    expect(many.readUnits).toBeGreaterThan(0);
  });

  it.each(queries)('show everything exactly once %s', async (_, query) => {
    const { items } = await walk({ ...query, limit: 7 });
    const expected = (await walk({ limit: 100 })).items.filter((item) =>
      Object.entries(query.filters ?? {}).every(([column, value]) => item[column] === value),
    );
    expect(new Set(items.map((item) => item.id))).toEqual(new Set(expected.map((item) => item.id)));
    expect(items).toHaveLength(expected.length);
  });

  it('are in the order that was asked for, and within one value in that of creation', async () => {
    const { items } = await walk({ sort: '-author', limit: 9 });
    const order = items.map((item) => `${item.author} ${item.id}`);
    expect(order).toEqual([...order].sort().reverse());
  });

  it('have no cursor on the last page, also where it is full', async () => {
    expect((await walk({ organisation: 'even', limit: 10 })).sizes).toEqual([10, 10]);
    expect((await walk({ organisation: 'even', limit: 20 })).sizes).toEqual([20]);
    expect((await walk({ organisation: 'nobody' })).sizes).toEqual([0]);
  });

  it('combine filters and a substring, examining a bounded number at a time', async () => {
    const { items, sizes } = await walk({
      organisation: 'many',
      filters: { status: 'ready', author: 'a1@x.example' },
      q: 'R4',
      limit: 100,
    });
    const expected = Array.from({ length: 2000 }, (_, i) => i).filter(
      (i) => i % 2 && i % 3 === 1 && i % 7 === 4,
    );
    expect(items).toHaveLength(expected.length);
    expect(sizes.length).toBeGreaterThan(1);
    const nothing = await list(real.table, request({ organisation: 'many', q: 'no such thing' }));
    expect(nothing.items).toEqual([]);
    expect(nothing.nextCursor).toBeDefined();
  });
});

describe('I1 rows that are larger than all others', () => {
  it.each([
    ['text', 'x'.repeat(300_000)],
    ['what is longer as JSON', '\u0001'.repeat(300_000)],
  ])('make pages short, and hide nothing: %s', async (_, filler) => {
    const organisation = `large ${filler.charCodeAt(0)}`;
    for (let i = 0; i < 30; i++) {
      const id = newId('image', start + i, new Uint8Array(10));
      const item = { id, status: 'ready', statusKey: columnKey('ready', id), filler };
      await real.table.put(organisation, 'images', id, item);
    }
    for (const query of [{}, { filters: { status: 'ready' } }, { q: 'r', searched: ['status'] }]) {
      let cursor: string | undefined;
      const seen: unknown[] = [];
      do {
        const page = await list(real.table, request({ ...query, organisation, limit: 100, cursor }));
        expect(Buffer.byteLength(JSON.stringify(page.items))).toBeLessThan(5_900_000);
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(new Set(seen).size).toBe(30);
      expect(seen).toHaveLength(30);
    }
  });
});

describe('I1 cursors', () => {
  const cursorOf = async (more: Partial<ListRequest> = {}) =>
    (await list(real.table, request({ limit: 5, ...more }))).nextCursor ?? '';
  const refused = { status: 422, code: 'invalid-cursor' };

  it('are refused by another organisation', async () => {
    const cursor = await cursorOf();
    await expect(list(real.table, request({ organisation: 'many', cursor }))).rejects.toMatchObject(refused);
  });

  it.each([
    ['order', { sort: 'createdAt' }],
    ['filter', { filters: { status: 'ready' } }],
    ['substring', { q: 'r' }],
    ['collection', { collection: 'builds' as const }],
  ])('are refused by a query with another %s', async (_, other) => {
    const cursor = await cursorOf();
    await expect(list(real.table, request({ cursor, ...other }))).rejects.toMatchObject(refused);
  });

  it('go with another page size', async () => {
    const cursor = await cursorOf();
    expect((await list(real.table, request({ cursor, limit: 3 }))).items).toHaveLength(3);
  });

  it.each([
    '',
    'x',
    '%%%',
    Buffer.from('null').toString('base64url'),
    Buffer.from('{"a":1}').toString('base64url'),
  ])('are refused when they are none: %j', async (cursor) => {
    await expect(list(real.table, request({ cursor }))).rejects.toMatchObject(refused);
  });

  it('that somebody forged are refused, not handed to the database', async () => {
    const ready = { filters: { status: 'ready' } };
    const [fingerprint, sk, key] = JSON.parse(Buffer.from(await cursorOf(ready), 'base64url').toString());
    for (const parts of [
      [fingerprint, sk, `failed\u0000${sk}`],
      [fingerprint, sk, null],
      [fingerprint, '', key],
      [fingerprint, 7, key],
      [fingerprint, 'x'.repeat(1025), key],
      [fingerprint],
    ]) {
      const cursor = Buffer.from(JSON.stringify(parts)).toString('base64url');
      await expect(list(real.table, request({ ...ready, cursor }))).rejects.toMatchObject(refused);
    }
  });
});

/** I1, I3–I5 on a real table: what pages cost, spans of time, names, readmes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { removeImage, updateImage } from '../../../functions/images/change.ts';
import { listImages } from '../../../functions/images/read.ts';
import { requireImage } from '../../../shared/images/find.ts';
import { showImage } from '../../../shared/images/readme.ts';
import type { ImageRecord } from '../../../shared/images/record.ts';
import { newId } from '../../../shared/model/id.ts';
import { imageColumns, imageListQuery } from '../../../shared/model/image.ts';
import { list } from '../../../shared/store/list.ts';
import { type RealTable, startRealTable } from '../../shared/store/real-table.ts';
import { imageRecord, storeImage } from './stored.ts';

const organisation = 'acme';
let place: RealTable;
const start = Date.parse('2026-11-20T10:00:00.000Z');
const made: ImageRecord[] = [];
const asking = { organisation, email: 'ada@acme.example', now: new Date(start + 3_600_000) };

const add = (i: number, more: Partial<ImageRecord> = {}) => {
  const record = imageRecord({
    id: newId('image', start + i * 1000),
    registryId: i % 2 ? 'reg_private' : 'reg_dockerhub',
    repository: `repo/${i % 7}`,
    tag: `v${i}`,
    status: i % 3 ? 'ready' : 'failed',
    author: i % 5 ? 'ada@acme.example' : 'bob@acme.example',
    createdAt: new Date(start + i * 1000).toISOString(),
    ...more,
  });
  return storeImage(place.table, organisation, record);
};

beforeAll(async () => {
  place = await startRealTable();
  for (let i = 0; i < 300; i++) made.push(await add(i));
});
afterAll(() => place?.stop());

const query = (wanted: object) => imageListQuery.parse(wanted);
const tags = async (wanted: object) =>
  (await listImages(place.table, organisation, query(wanted))).items.map(({ tag }) => tag);

describe('I1 the table of images', () => {
  test.each([...imageColumns])('sorted by %s, a page reads no more than itself', async (sort) => {
    const read = async (limit: number) => {
      const columns = {
        status: 'byStatus',
        repository: 'byRepository',
        tag: 'byTag',
        registryId: 'byRegistry',
        author: 'byAuthor',
      } as const;
      const { readUnits, items } = await list(place.table, {
        organisation,
        collection: 'images',
        limit,
        sort,
        filters: {},
        columns,
        searched: [],
      });
      expect(items).toHaveLength(limit);
      return readUnits;
    };
    expect(await read(10)).toBeLessThan(8);
    const all: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await listImages(place.table, organisation, query({ sort, limit: 70, cursor }));
      all.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      if (!cursor) break;
    }
    expect(all).toHaveLength(300);
    expect(new Set(all).size).toBe(300);
    const value = (id: string) => String(made.find((image) => image.id === id)?.[sort] ?? '');
    expect(all.map(value)).toEqual([...all.map(value)].sort());
  });

  test('filtered by any column, and by time of creation, in the default order', async () => {
    expect(await tags({ tag: 'v7' })).toEqual(['v7']);
    expect(await tags({ status: 'failed', limit: 3 })).toEqual(['v297', 'v294', 'v291']);
    expect(await tags({ registryId: 'reg_private', author: 'bob@acme.example', limit: 2 })).toEqual([
      'v295',
      'v285',
    ]);
    const at = (i: number) => new Date(start + i * 1000).toISOString();
    expect(await tags({ createdAt: at(5) })).toEqual(['v5']);
    expect(await tags({ createdAfter: at(10), createdBefore: at(13) })).toEqual(['v12', 'v11', 'v10']);
    expect(await tags({ createdBefore: '2026-11-20T10:00:02Z', sort: 'createdAt' })).toEqual(['v0', 'v1']);
    expect(await tags({ createdAfter: at(290), status: 'failed' })).toEqual(['v297', 'v294', 'v291']);
    expect(await tags({ createdBefore: at(4), sort: 'tag' })).toEqual(['v0', 'v1', 'v2', 'v3']);
    expect(await tags({ q: 'REPO/3:V10' })).toEqual(['v108', 'v101', 'v10']);
  });

  test.each(['createdAt', 'tag'] as const)(
    'a time means the same whatever its digits, in the order of %s',
    async (sort) => {
      for (const moment of [
        '2026-11-20T10:00:02Z',
        '2026-11-20T10:00:02.0Z',
        '2026-11-20T10:00:02.000000Z',
      ]) {
        expect(await tags({ createdAt: moment, sort })).toEqual(['v2']);
        expect(await tags({ createdAfter: moment, createdBefore: '2026-11-20T10:00:03Z', sort })).toEqual([
          'v2',
        ]);
        expect(await tags({ createdBefore: moment, sort })).toEqual(['v0', 'v1']);
      }
      // A little more than that second.
      const later = '2026-11-20T10:00:02.0000001Z';
      expect(await tags({ createdAfter: later, createdBefore: '2026-11-20T10:00:04Z', sort })).toEqual([
        'v3',
      ]);
      expect(await tags({ createdBefore: later, sort })).toEqual(['v0', 'v1', 'v2']);
    },
  );

  test.each(['createdAt', 'tag'] as const)(
    'nothing lies in a span without length, in the order of %s',
    async (sort) => {
      const at = (i: number) => new Date(start + i * 1000).toISOString();
      expect(await tags({ createdAfter: at(5), createdBefore: at(4), sort })).toEqual([]);
      expect(await tags({ createdAfter: at(5), createdBefore: at(5), sort })).toEqual([]);
      expect(await tags({ createdAt: at(5), createdAfter: at(6), sort })).toEqual([]);
      expect(await tags({ createdAt: at(5), createdBefore: at(5), sort })).toEqual([]);
      expect(await tags({ createdAt: at(5), createdAfter: at(5), sort })).toEqual(['v5']);
      for (const never of ['9999-12-31T23:59:59Z', '9999-01-01T00:00:01Z'])
        expect(await tags({ createdAfter: never, sort })).toEqual([]);
      expect(await tags({ createdBefore: '0000-01-01T00:00:00Z', sort })).toEqual([]);
    },
  );

  test('a time means the same of images of the catalogue', async () => {
    const since = '1970-01-01T00:00:00.000Z';
    const catalogue = async () => [
      { ...(made[0] as ImageRecord), source: 'catalogue' as const, createdAt: since },
    ];
    const found = async (wanted: object) =>
      (await listImages(place.table, organisation, query({ source: 'catalogue', ...wanted }), catalogue))
        .items.length;
    for (const moment of [since, '1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000000Z']) {
      expect(await found({ createdAt: moment })).toBe(1);
      expect(await found({ createdAfter: moment })).toBe(1);
      expect(await found({ createdBefore: moment })).toBe(0);
    }
  });

  test('a span of time pages with cursors, which are no good for another span', async () => {
    const span = { createdAfter: new Date(start + 100_000).toISOString(), limit: 40 };
    const first = await listImages(place.table, organisation, query(span));
    const second = await listImages(place.table, organisation, query({ ...span, cursor: first.nextCursor }));
    expect(second.items[0]?.tag).toBe('v259');
    await expect(
      listImages(
        place.table,
        organisation,
        query({
          ...span,
          createdAfter: span.createdAfter.replace('10:01', '10:02'),
          cursor: first.nextCursor,
        }),
      ),
    ).rejects.toMatchObject({ status: 422, code: 'invalid-cursor' });
  });
});

describe('I5 an image by its name', () => {
  test('is one, none, or ambiguous, and then its registry decides', async () => {
    expect(await tags({ name: 'repo/3:v3' })).toEqual(['v3']);
    expect(await tags({ name: 'repo/3:nothing' })).toEqual([]);
    const twin = await add(1003, { repository: 'repo/3', tag: 'v3', registryId: 'reg_other' });
    await expect(tags({ name: 'repo/3:v3' })).rejects.toMatchObject({
      status: 409,
      code: 'ambiguous-name',
      extra: { candidates: expect.arrayContaining([twin.id, made[3]?.id]) },
    });
    const { items } = await listImages(
      place.table,
      organisation,
      query({ name: 'repo/3:v3', registryId: 'reg_other' }),
    );
    expect(items.map(({ id }) => id)).toEqual([twin.id]);
    for (const name of ['repo/3', 'repo:3/x', ':x', 'x:'])
      await expect(tags({ name })).rejects.toMatchObject({ status: 422 });
    await expect(tags({ name: 'a:1', q: 'a' })).rejects.toMatchObject({
      extra: { errors: [{ pointer: '?q' }] },
    });
  });
});

describe('I3 I4 readme, logo, deletion', () => {
  test('a readme is shown with its image, and emptied away', async () => {
    const id = made[20]?.id ?? '';
    const changed = await updateImage(place.table, asking, id, { readme: '# R', logo: 'r' }, '1');
    expect(changed).toMatchObject({ version: 2, hasReadme: true, logo: 'r' });
    expect(await showImage(place.table, organisation, changed)).toMatchObject({ readme: '# R', logo: 'r' });
    expect((await listImages(place.table, organisation, query({ tag: 'v20' }))).items[0]).not.toHaveProperty(
      'readme',
      '# R',
    );
    await expect(updateImage(place.table, asking, id, { readme: 'x' }, '1')).rejects.toMatchObject({
      status: 412,
    });
    const left = await updateImage(place.table, asking, id, { readme: null, logo: null }, undefined);
    expect(left).toMatchObject({ hasReadme: true, logo: 'r' });
    const emptied = await updateImage(place.table, asking, id, { readme: '' }, undefined);
    expect((await showImage(place.table, organisation, emptied)).readme).toBeUndefined();
    expect(await place.table.get(organisation, 'readmes', id)).toBeUndefined();
  });

  test('changes at once are all there in the end', async () => {
    const id = made[21]?.id ?? '';
    await Promise.all(
      (['python', 'r', 'spark'] as const).map((logo) =>
        updateImage(place.table, asking, id, { logo }, undefined),
      ),
    );
    expect((await requireImage(place.table, organisation, id)).version).toBe(4);
  });

  test('a deleted image frees its name; one that is being built stays', async () => {
    const [image] = made;
    await removeImage(place.table, asking, image?.id ?? '', undefined);
    await expect(requireImage(place.table, organisation, image?.id ?? '')).rejects.toMatchObject({
      status: 404,
    });
    await add(2000, { repository: 'repo/0', tag: 'v0', registryId: 'reg_dockerhub' });
    const busy = await add(2001, { activeBuildId: 'bld_1' });
    await expect(removeImage(place.table, asking, busy.id, undefined)).rejects.toMatchObject({
      status: 409,
      code: 'build-in-progress',
    });
  });
});

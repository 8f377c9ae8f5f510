/** I3: uploaded logos on a real table: the picture and what the image says of it change together. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeImage, updateImage } from '../../../functions/images/change.ts';
import { putLogo, removeLogo } from '../../../functions/images/logo.ts';
import { requireImage } from '../../../shared/images/find.ts';
import { readLogo } from '../../../shared/images/logo.ts';
import { newId } from '../../../shared/model/id.ts';
import { type RealTable, startRealTable } from '../../shared/store/real-table.ts';
import { imageRecord, storeImage } from './stored.ts';

const organisation = 'acme';
const time = '2026-11-20T10:00:00.000Z';
const asking = { organisation, email: 'ada@acme.example', now: new Date(time) };
const svg = (colour: string) => ({
  type: 'image/svg+xml',
  bytes: Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><rect fill="${colour}"/></svg>`),
});

let place: RealTable;
beforeAll(async () => {
  place = await startRealTable();
});
afterAll(() => place?.stop());

async function add(): Promise<string> {
  const id = newId('image', Date.parse(time));
  await storeImage(place.table, organisation, imageRecord({ id, createdAt: time }));
  return id;
}
const kept = (id: string) => place.table.get(organisation, 'logos', id);

test('I3 the bytes come back as they were', async () => {
  const id = await add();
  const record = await putLogo(place.table, asking, id, svg('red'), '1');
  expect(record).toMatchObject({ logo: 'uploaded', version: 2 });
  const picture = await readLogo(place.table, organisation, record);
  expect(picture?.type).toBe('image/svg+xml');
  expect(Buffer.from(picture?.bytes ?? []).equals(svg('red').bytes)).toBe(true);
  await expect(putLogo(place.table, asking, id, svg('blue'), '1')).rejects.toMatchObject({ status: 412 });
});

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
test.each([
  ['a PNG', png, 'image/png'],
  ['an SVG', svg('red').bytes, 'image/svg+xml'],
])('I3 bytes of no named type: %s is what it is', async (_, bytes, type) => {
  const id = await add();
  const record = await putLogo(
    place.table,
    asking,
    id,
    { type: 'application/octet-stream', bytes },
    undefined,
  );
  expect((await readLogo(place.table, organisation, record))?.type).toBe(type);
});
test.each([
  ['nothing', Buffer.alloc(0)],
  ['a JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0])],
  ['half a PNG', png.subarray(0, 40)],
])('I3 bytes of no named type: %s is refused', async (_, bytes) => {
  const sent = { type: 'application/octet-stream', bytes };
  await expect(putLogo(place.table, asking, await add(), sent, undefined)).rejects.toMatchObject({
    status: 422,
    code: 'logo-refused',
  });
});

test('I3 uploads, names and removals at the same time: what is said is what is there', async () => {
  for (let round = 0; round < 8; round++) {
    const id = await add();
    await putLogo(place.table, asking, id, svg('red'), undefined);
    await Promise.allSettled([
      putLogo(place.table, asking, id, svg('green'), undefined),
      updateImage(place.table, asking, id, { logo: 'python' }, undefined),
      removeLogo(place.table, asking, id, undefined),
      putLogo(place.table, asking, id, svg('blue'), undefined),
    ]);
    const { logo } = await requireImage(place.table, organisation, id);
    expect((await kept(id)) !== undefined).toBe(logo === 'uploaded');
  }
});

test('I3 I4 it goes with its image, also while it is being replaced', async () => {
  for (let round = 0; round < 8; round++) {
    const id = await add();
    await putLogo(place.table, asking, id, svg('red'), undefined);
    await Promise.allSettled([
      putLogo(place.table, asking, id, svg('green'), undefined),
      removeImage(place.table, asking, id, undefined),
    ]);
    expect(await kept(id)).toBeUndefined();
  }
});

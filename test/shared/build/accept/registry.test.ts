/** R3: what becomes of images whose registry is disconnected. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPlace, organisation, type Place, succeeded } from '../place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace();
});
afterAll(() => place.close());

const registryId = 'reg_01mine';
const connect = () =>
  place.table.put(organisation, 'registries', registryId, {
    id: registryId,
    title: 'Mine',
    type: 'generic',
    visibility: 'private',
    host: '127.0.0.1:1',
    path: '',
    insecure: true,
    createdAt: new Date().toISOString(),
    createdBy: 'ada@acme.example',
    updatedAt: new Date().toISOString(),
    version: 1,
  });
const disconnect = () => place.table.remove(organisation, 'registries', registryId);
const notConnected = { status: 409, code: 'registry-not-connected' };

test('R3 B2 an image whose registry is gone cannot be built again: 409, not a fault of the request', async () => {
  await connect();
  const { imageId, buildId } = await place.build({ registryId });
  await place.result(buildId, succeeded);
  await place.over(buildId);
  await disconnect();
  await expect(place.rebuild(imageId, { force: true })).rejects.toMatchObject(notConnected);
});

test('R3 B1 a registry that goes while an image is accepted: the image is not', async () => {
  await connect();
  const { table } = place;
  const goes = {
    ...table,
    async transact(...asked: Parameters<typeof table.transact>) {
      await disconnect();
      return table.transact(...asked);
    },
  };
  const ids = place.ids();
  await expect(place.build({ registryId }, { table: goes }, ids)).rejects.toMatchObject(notConnected);
  expect(await place.image(ids.imageId)).toBeUndefined();
  expect(await table.get(organisation, 'builds', ids.buildId)).toBeUndefined();
});

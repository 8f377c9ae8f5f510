/** B16: secrets that a build names are looked up before it is accepted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBuildRequest } from '../../../../shared/build/accept/request.ts';
import { buildPlace, organisation, type Place } from '../place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace();
});
afterAll(() => place.close());

test('B16 all secrets of a build are looked up at the same time, and every one that is missing is named', async () => {
  const { table } = place;
  let [underWay, most] = [0, 0];
  const counting = {
    ...table,
    async get(...asked: Parameters<typeof table.get>) {
      most = Math.max(most, ++underWay);
      await sleep(20);
      underWay--;
      return table.get(...asked);
    },
  };
  const ids = Array.from({ length: 50 }, (_, i) => `id${i}`);
  const secrets = Object.fromEntries(ids.map((id) => [id, 'missing']));
  await expect(
    readBuildRequest(
      { ...place.dependencies, table: counting },
      organisation,
      { dockerfile: 'FROM scratch\n', secrets },
      '',
    ),
  ).rejects.toMatchObject({
    status: 422,
    extra: { errors: ids.map((id) => ({ pointer: `/secrets/${id}` })) },
  });
  expect(most).toBe(50);
});

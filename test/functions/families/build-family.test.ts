/** B14: what is written of a family, and when nothing is. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildFamily } from '../../../functions/families/build-family.ts';
import { newFamilySchema } from '../../../shared/model/family.ts';
import { ada, buildPlace, organisation, type Place } from '../../shared/build/place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['sleep 0.2'] } }, [100, 100]);
});
afterAll(() => place.close());

const family = (members: object[]) => {
  const { images } = newFamilySchema.parse({ images: members });
  const asking = { organisation, email: ada, now: new Date() };
  return buildFamily(place.dependencies, asking, images.map(place.ids), images);
};
const base = (of: string, more = '') => ({ repository: `${of}/base`, dockerfile: `FROM scratch\n${more}` });
const imagesOf = async (of: string) =>
  (await place.table.all(organisation, 'images')).filter(({ repository }) =>
    String(repository).startsWith(`${of}/`),
  );

test('names that make a Dockerfile too long, once they are whole, are refused with nothing written', async () => {
  const of = 'long';
  const dockerfile = `FROM scratch\n${`COPY --from=${of}/base / /\n`.repeat(4000)}`;
  expect(dockerfile.length).toBeLessThan(131_072);
  await expect(family([base(of), { repository: `${of}/leaf`, dockerfile }])).rejects.toMatchObject({
    status: 422,
    extra: {
      errors: [{ pointer: '/images/1/dockerfile', message: expect.stringContaining('131072 bytes') }],
    },
  });
  expect(await imagesOf(of)).toEqual([]);
});

/** B10: a build from a recipe says on its timeline what the generated Dockerfile would have come with. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildFamily } from '../../../../functions/families/build-family.ts';
import { dockerfileFrom } from '../../../../shared/build/accept/recipe.ts';
import { newFamilySchema } from '../../../../shared/model/family.ts';
import { readEvents } from '../../../../shared/store/advance.ts';
import { ada, buildPlace, failed, organisation, type Place } from '../place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace();
});
afterAll(() => place.close());

/** Without a tag, and of a registry where nobody listens. */
const from = { base: '127.0.0.1:1/team/python', requirements: 'numpy\n' };

async function expectWarned(buildId: string): Promise<void> {
  const { warnings } = await dockerfileFrom(place.dependencies, organisation, from, '');
  expect(warnings).toEqual([
    'The name has no tag, so Slipway uses `latest`, which changes over time.',
    expect.stringContaining("so it doesn't know the image's user and keeps it"),
  ]);
  const events = await readEvents(place.table, organisation, buildId, 0, 100);
  const said = events.filter(({ code }) => code === 'warning').map(({ message }) => message);
  expect(said.slice(0, 2)).toEqual(warnings);
  // And what every build is told whose base can't be looked up.
  expect(said.slice(2)).toEqual([expect.stringContaining("can't share this build with identical ones")]);
}

test('B10 a build', async () => {
  const { buildId } = await place.build({ source: { dockerfile: undefined, from } });
  await expectWarned(buildId);
});

test('B10 a build of a family, whether its image is new or there already', async () => {
  const asked = newFamilySchema.parse({ images: [{ repository: 'recipes/one', from }] });
  const asking = () => ({ organisation, email: ada, now: new Date() });
  const family = () => buildFamily(place.dependencies, asking(), [place.ids()], asked.images, () => 20_000);
  const [first] = await family();
  await expectWarned(first?.build.id ?? '');
  await place.result(first?.build.id ?? '', failed);
  await place.over(first?.build.id ?? '');
  const [second] = await family();
  expect(second?.image.id).toBe(first?.image.id);
  expect(second?.build.id).not.toBe(first?.build.id);
  await expectWarned(second?.build.id ?? '');
});

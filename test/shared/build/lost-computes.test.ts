/** B14, B2: computes that the stage has lost since a build was asked for. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildFamily } from '../../../functions/families/build-family.ts';
import { createBuildReconciler } from '../../../functions/reconciler/builds.ts';
import { endBuild } from '../../../shared/build/end.ts';
import { newFamilySchema } from '../../../shared/model/family.ts';
import { ada, buildPlace, organisation, type Place, succeeded } from './place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['sleep 0.2'] } }, [100, 100]);
});
afterAll(() => place.close());

const without = (lost: string) => ({
  ...place.stage,
  computes: place.stage.computes.filter(({ name }) => name !== lost),
});
const family = (of: string, more: object, stage = place.stage) => {
  const { images } = newFamilySchema.parse({
    images: [
      { repository: `${of}/base`, dockerfile: 'FROM scratch\n' },
      { repository: `${of}/leaf`, dockerfile: `FROM ${of}/base\n`, ...more },
    ],
  });
  const asking = { organisation, email: ada, now: new Date() };
  return buildFamily({ ...place.dependencies, stage }, asking, images.map(place.ids), images, () => 20_000);
};
const computesOf = async (buildId = '') =>
  (await place.table.get(organisation, 'build-requests', buildId))?.computes;
const endWell = (buildId: string) =>
  endBuild(place.dependencies, organisation, buildId, {
    status: 'succeeded',
    pushed: { digest: succeeded.digest, sizeBytes: 1 },
  });

test('B14 a descendant that waits for its base while the stage loses its compute is ended once the base is there', async () => {
  const [base, leaf] = await family('lost', { computes: ['build-large'] });
  const [baseId, leafId] = [base?.build.id ?? '', leaf?.build.id ?? ''];
  await endWell(baseId);
  const reconcile = createBuildReconciler({ ...place.dependencies, stage: without('build-large') });
  await reconcile(organisation, leafId);
  expect(await place.get(leafId)).toMatchObject({ compute: 'build-large', phase: 'waiting', hasSlot: false });
  await reconcile(organisation, leafId);
  expect(await place.get(leafId)).toMatchObject({
    status: 'failed',
    failure: { code: 'compute-unavailable', message: expect.stringContaining('(build-large)') },
  });
});

test('B2 a rebuild that names no compute takes what is left of those before, or all where none is', async () => {
  const stage = without('build-large');
  const [all, large] = [await place.build(), await place.build({ source: { computes: ['build-large'] } })];
  expect(await computesOf(all.buildId)).toEqual(['build-small', 'build-large']);
  for (const { imageId, buildId } of [all, large]) {
    await endWell(buildId);
    const { lastBuildId } = await place.rebuild(imageId, { force: true }, { stage });
    expect(await computesOf(lastBuildId)).toEqual(['build-small']);
  }
  await expect(place.rebuild(all.imageId, { computes: ['build-large'] }, { stage })).rejects.toMatchObject({
    status: 422,
    extra: { errors: [{ pointer: '/computes/0' }] },
  });
});

test('B14 a family takes nothing of what was before, so all computes of today', async () => {
  const first = await family('again', { computes: ['build-large'] });
  for (const { build } of first)
    await endBuild(place.dependencies, organisation, build.id, { status: 'stopped' });
  const again = await family('again', {});
  expect(await computesOf(again[1]?.build.id)).toEqual(['build-small', 'build-large']);
});

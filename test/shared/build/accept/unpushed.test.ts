/** B13: builds that push nothing, on the engines of the embedded cloud, with a builder that only waits. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPlace, failed, type Place, succeeded } from '../place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['sleep 0.1'] } }, [100, 100]);
});
afterAll(() => place.close());

const built = { outcome: 'built', timingsMs: {} };
async function end(buildId: string, result: object) {
  await place.result(buildId, result);
  return place.over(buildId);
}
/** What a build without a push may not touch. */
const kept = async (imageId: string) => {
  const { status, digest, sizeBytes, platforms, parentUri } = (await place.image(imageId)) ?? {};
  return { status, digest, sizeBytes, platforms, parentUri };
};

test('B13 a new image stays pending, whatever comes of the build, and may be pushed afterwards', async () => {
  const { imageId, buildId } = await place.build({ source: { push: false } });
  expect(await end(buildId, built)).toMatchObject({ status: 'succeeded', push: false });
  expect(await place.image(imageId)).toMatchObject({
    status: 'pending',
    currentBuild: { id: buildId, status: 'succeeded' },
  });
  expect(await place.image(imageId)).not.toHaveProperty('activeBuildId');
  expect(await place.get(buildId)).not.toHaveProperty('digest');
  expect(await place.codes(buildId)).not.toContain('pushing');
  const other = await place.rebuild(imageId, { push: false });
  await end(other.lastBuildId ?? '', failed);
  expect((await place.image(imageId))?.status).toBe('pending');
  const pushed = await place.rebuild(imageId);
  expect(await end(pushed.lastBuildId ?? '', succeeded)).not.toHaveProperty('push');
  expect(await kept(imageId)).toMatchObject({ status: 'ready', digest: succeeded.digest });
});

test('B13 a ready image and a failed one stay what they are', async () => {
  for (const result of [succeeded, failed]) {
    const { imageId, buildId } = await place.build();
    await end(buildId, result);
    const before = await kept(imageId);
    for (const outcome of [built, failed]) {
      const dockerfile = 'FROM scratch\nLABEL other=1\n';
      const { lastBuildId = '' } = await place.rebuild(imageId, { dockerfile, push: false });
      expect(await kept(imageId)).toEqual(before);
      await end(lastBuildId, outcome);
      expect(await kept(imageId)).toEqual(before);
      expect((await place.image(imageId))?.currentBuild).toMatchObject({ id: lastBuildId });
    }
  }
});

test('B13 B8 it is never shared: it holds no claim, and takes no answer', async () => {
  const source = { dockerfile: 'FROM scratch\nLABEL shared=no\n' };
  const check = await place.build({ repository: 'unshared', tag: '1', source: { ...source, push: false } });
  expect(await place.get(check.buildId)).not.toHaveProperty('claim');
  const pushed = await place.build({ repository: 'unshared', tag: '2', source });
  expect(await place.get(pushed.buildId)).toMatchObject({ cached: false });
  await end(check.buildId, built);
  await end(pushed.buildId, succeeded);
  const again = await place.rebuild(check.imageId, { push: false });
  expect(await place.get(again.lastBuildId ?? '')).toMatchObject({ cached: false, push: false });
  expect(await place.get(again.lastBuildId ?? '')).not.toHaveProperty('attachedTo');
});

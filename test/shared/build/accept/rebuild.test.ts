import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPlace, organisation, type Place, succeeded } from '../place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['sleep 0.2'] } }, [100, 100]);
});
afterAll(() => place.close());

describe('B2 a build of an image that exists', () => {
  test('takes what is left out from the build before, and leaves a ready image as it is until it has succeeded', async () => {
    const { imageId, buildId } = await place.build({
      source: { dockerfile: 'FROM scratch\n#1', buildArgs: { A: '1' } },
    });
    await expect(place.rebuild(imageId, { force: true })).rejects.toMatchObject({
      status: 409,
      code: 'build-in-progress',
      extra: { candidates: [buildId] },
    });
    await place.result(buildId, succeeded);
    await place.over(buildId);
    const again = await place.rebuild(imageId, { dockerfile: 'FROM scratch\n#2' });
    expect(again).toMatchObject({ status: 'ready', digest: succeeded.digest });
    const second = again.lastBuildId ?? '';
    expect(await place.table.get(organisation, 'build-requests', second)).toMatchObject({
      dockerfile: 'FROM scratch\n#2',
      buildArgs: { A: '1' },
    });
    expect((await place.get(second)).identity).not.toBe((await place.get(buildId)).identity);
    await place.result(second, {
      outcome: 'failed',
      failure: { code: 'step-failed', message: 'no' },
      timingsMs: {},
    });
    expect((await place.over(second)).status).toBe('failed');
    expect(await place.image(imageId)).toMatchObject({
      status: 'ready',
      digest: succeeded.digest,
      currentBuild: { id: second, status: 'failed' },
    });
  });

  test('two at once: one is accepted', async () => {
    const { imageId, buildId } = await place.build();
    await place.result(buildId, succeeded);
    await place.over(buildId);
    const outcomes = await Promise.allSettled([
      place.rebuild(imageId, { buildArgs: { A: '1' } }),
      place.rebuild(imageId, { buildArgs: { A: '2' } }),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('changes build arguments name by name: those left out stay, null drops', async () => {
    const requested = async (change: Record<string, unknown>) => {
      const { imageId, buildId } = await place.build({
        source: { dockerfile: 'FROM scratch\nARG A\nARG B\n', buildArgs: { A: '1', B: '2' } },
      });
      await place.result(buildId, succeeded);
      await place.over(buildId);
      const { lastBuildId = '' } = await place.rebuild(imageId, { ...change, force: true });
      const request = await place.table.get(organisation, 'build-requests', lastBuildId);
      await place.result(lastBuildId, succeeded);
      await place.over(lastBuildId);
      return request?.buildArgs;
    };
    expect(await requested({})).toEqual({ A: '1', B: '2' });
    expect(await requested({ buildArgs: { B: '3' } })).toEqual({ A: '1', B: '3' });
    expect(await requested({ buildArgs: { A: null, C: '' } })).toEqual({ B: '2', C: '' });
    expect(await requested({ buildArgs: null })).toEqual({});
    expect(await requested({ buildArgs: {} })).toEqual({ A: '1', B: '2' });
    const many = Object.fromEntries(Array.from({ length: 49 }, (_, i) => [`N${i}`, '1']));
    await expect(requested({ buildArgs: many })).rejects.toMatchObject({
      status: 422,
      extra: { errors: [{ pointer: '/buildArgs', message: expect.stringContaining('at most 50') }] },
    });
  });
});

/** B1: what is accepted, and what is not. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ada, buildPlace, organisation, type Place, succeeded } from '../place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['sleep 0.2'] } }, [100, 100]);
});
afterAll(() => place.close());

describe('B1 a build that is accepted', () => {
  test('is recorded with its image, request, timeline and name, and started with the role of its organisation', async () => {
    const { imageId, buildId } = await place.build({
      repository: 'vision/trainer',
      tag: '1.0',
      readme: '# Hi',
      source: { buildArgs: { A: '1' } },
    });
    const record = await place.get(buildId);
    expect(record).toMatchObject({
      status: 'queued',
      compute: 'build-small',
      uri: `${place.cloud.registryHost}/acme/vision/trainer:1.0`,
      author: ada,
      hasSlot: true,
    });
    expect(await place.image(imageId)).toMatchObject({
      status: 'pending',
      registryId: 'reg_private',
      currentBuild: { id: buildId, status: 'queued', cached: false },
    });
    // Its Dockerfile declares no ARG.
    expect(await place.codes(buildId)).toEqual(['accepted', 'lint', 'submitted']);
    const { dependencies } = place;
    const spec = JSON.parse((await dependencies.artifacts.read(`acme/builds/${buildId}/spec.json`)) ?? '');
    expect(spec).toMatchObject({
      organisation,
      buildId,
      buildArgs: { A: '1' },
      target: record.uri,
      cache: `${place.cloud.registryHost}/acme/vision/trainer:slipway-cache`,
      registries: [{ kind: 'ecr', host: place.cloud.registryHost }],
    });
    expect(await place.codeBuild(buildId)).toMatchObject({
      serviceRole: 'arn:aws:iam::000000000000:role/slipway-local-acme-builder',
      timeoutInMinutes: 60,
      environment: { computeType: 'BUILD_GENERAL1_SMALL' },
    });
    await place.result(buildId, succeeded);
    await place.over(buildId);
    expect(await place.image(imageId)).toMatchObject({
      status: 'ready',
      digest: succeeded.digest,
      sizeBytes: 1234,
    });
    expect(await place.image(imageId)).not.toHaveProperty('activeBuildId');
  });

  test('two requests for one name at once: one image, the other is told which', async () => {
    const wanted = (A: string) => ({ repository: 'race', tag: '1', source: { buildArgs: { A } } });
    const outcomes = await Promise.allSettled([
      place.build(wanted('1')),
      place.build(wanted('2')),
      place.build(wanted('3')),
    ]);
    const won = outcomes.filter((one) => one.status === 'fulfilled');
    expect(won).toHaveLength(1);
    for (const one of outcomes)
      if (one.status === 'rejected')
        expect(one.reason).toMatchObject({
          status: 409,
          code: 'image-exists',
          extra: { candidates: [won[0]?.value.imageId] },
        });
  });

  test('a name that other registries take and ECR does not is refused at once', async () => {
    for (const repository of ['a--b', 'a__b'])
      await expect(place.build({ repository })).rejects.toMatchObject({ status: 422 });
  });

  test('the same request again, by its ids, makes nothing twice', async () => {
    const ids = place.ids();
    const before = (await place.started()).length;
    await place.build({ repository: 'again' }, {}, ids);
    await place.build({ repository: 'again' }, {}, ids);
    expect((await place.started()).length).toBe(before + 1);
    expect(await place.codes(ids.buildId)).toEqual(['accepted', 'submitted']);
  });

  test('R5 names, computes, contexts and secrets that are not there are all named at once', async () => {
    await expect(
      place.build({
        source: {
          computes: ['build-small', 'cpu-small'],
          contextUploadId: 'upl_x',
          secrets: { token: 'nope' },
        },
      }),
    ).rejects.toMatchObject({
      status: 422,
      extra: {
        errors: [
          { pointer: '/source/computes/1' },
          { pointer: '/source/contextUploadId' },
          { pointer: '/source/secrets/token' },
        ],
      },
    });
    await expect(place.build({ registryId: 'reg_dockerhub' })).rejects.toMatchObject({
      status: 422,
      code: 'registry-is-public',
    });
  });
});

/** B1, B2: accepting a build, and every way in which its start can go wrong. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stopBuild } from '../../../../functions/builds/stop.ts';
import { createBuildReconciler } from '../../../../functions/reconciler/builds.ts';
import { StartDelayedError } from '../../../../shared/aws/builds.ts';
import { startBuild } from '../../../../shared/build/start.ts';
import { ada, buildPlace, organisation, type Place, succeeded } from '../place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['sleep 0.2'] } }, [100, 100]);
});
afterAll(() => place.close());

const reconciler = (parts = {}) => createBuildReconciler({ ...place.dependencies, ...parts });
const killed = () => {
  throw new Error('killed');
};

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
    expect(await place.codes(buildId)).toEqual(['accepted', 'submitted']);
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

describe('B1 a start that is interrupted', () => {
  const later = (seconds: number) => () => new Date(Date.now() + seconds * 1000);

  test('before CodeBuild was asked: the reconciler starts it, once', async () => {
    const before = (await place.started()).length;
    const { buildId } = await place.build(
      {},
      { artifacts: { ...place.dependencies.artifacts, write: killed } },
    );
    expect((await place.get(buildId)).codeBuildId).toBeUndefined();
    expect((await place.started()).length).toBe(before);
    expect(
      (await place.table.due(organisation, later(20)().toISOString(), 100)).some(({ id }) => id === buildId),
    ).toBe(true);
    await Promise.all([reconciler()(organisation, buildId), reconciler()(organisation, buildId)]);
    expect((await place.get(buildId)).codeBuildId).toBeDefined();
    expect((await place.started()).length).toBe(before + 1);
  });

  test('after CodeBuild was asked: the same build of CodeBuild is found again', async () => {
    const { builds } = place.dependencies;
    const before = (await place.started()).length;
    const { buildId } = await place.build(
      {},
      {
        builds: {
          ...builds,
          async start(request) {
            await builds.start(request);
            return killed();
          },
        },
      },
    );
    expect((await place.started()).length).toBe(before + 1);
    await reconciler()(organisation, buildId);
    expect((await place.started()).length).toBe(before + 1);
    await place.result(buildId, succeeded);
    expect((await place.over(buildId)).status).toBe('succeeded');
  });

  test('so long ago that nobody can tell whether it runs: it fails, and is not started twice', async () => {
    const before = (await place.started()).length;
    const { buildId, imageId } = await place.build(
      {},
      { builds: { ...place.dependencies.builds, start: killed } },
    );
    await reconciler({ now: later(300) })(organisation, buildId);
    expect(await place.get(buildId)).toMatchObject({ status: 'failed', failure: { code: 'builder-lost' } });
    expect(await place.image(imageId)).toMatchObject({ status: 'failed' });
    expect((await place.started()).length).toBe(before);
  });

  test('refused by CodeBuild: it fails with the reason', async () => {
    place.cloud.untrusted.add('arn:aws:iam::000000000000:role/slipway-local-acme-builder');
    const { buildId } = await place.build();
    place.cloud.untrusted.clear();
    expect(await place.get(buildId)).toMatchObject({
      status: 'failed',
      failure: { code: 'start-refused', message: expect.stringContaining('sts:AssumeRole') },
    });
  });

  test('put off by CodeBuild: it is tried again soon, and given up when it has waited for too long', async () => {
    const { builds, stage } = place.dependencies;
    const busy = {
      builds: {
        ...builds,
        start: () => {
          throw new StartDelayedError('AccountLimitExceededException: too many');
        },
      },
    };
    const { buildId } = await place.build({}, busy);
    const put = await place.get(buildId);
    expect(put).not.toHaveProperty('startingAt');
    const time = later(40)();
    const soon = { ...busy, now: () => time };
    // No error that the function's retries, its alarm or its dead letter queue would hear of.
    await reconciler(soon)(organisation, buildId);
    const { dueAt } = await place.get(buildId);
    const dueSeconds = (Date.parse(dueAt ?? '') - time.getTime()) / 1000;
    expect(dueSeconds).toBeGreaterThan(20);
    expect(dueSeconds).toBeLessThanOrEqual(60);
    expect(await place.codes(buildId)).toEqual(['accepted', 'start-delayed']);
    await reconciler({ now: later(600) })(organisation, buildId);
    expect(await place.get(buildId)).toMatchObject({ codeBuildId: expect.any(String) });

    const hopeless = await place.build({}, busy);
    await reconciler({ ...busy, now: later(stage.queueTimeoutSeconds + 10) })(organisation, hopeless.buildId);
    expect(await place.get(hopeless.buildId)).toMatchObject({
      status: 'failed',
      failure: { code: 'start-refused', message: expect.stringContaining('AccountLimitExceeded') },
    });
  });

  test('many starters at once: one build', async () => {
    const { buildId } = await place.build(
      {},
      { artifacts: { ...place.dependencies.artifacts, write: killed } },
    );
    const before = (await place.started()).length;
    await Promise.all(Array.from({ length: 6 }, () => startBuild(place.dependencies, organisation, buildId)));
    expect((await place.started()).length).toBe(before + 1);
    expect((await place.codes(buildId)).filter((code) => code === 'submitted')).toHaveLength(1);
  });

  test('B7 a stop before it leaves nothing to do', async () => {
    const { buildId, imageId } = await place.build(
      {},
      { artifacts: { ...place.dependencies.artifacts, write: killed } },
    );
    const before = (await place.started()).length;
    expect(await stopBuild(place.dependencies, { organisation, email: ada, id: buildId })).toMatchObject({
      status: 'stopped',
    });
    await startBuild(place.dependencies, organisation, buildId);
    expect((await place.started()).length).toBe(before);
    expect(await place.get(buildId)).not.toHaveProperty('openKey');
    expect(await place.image(imageId)).toMatchObject({ status: 'failed' });
  });

  test('B7 a stop in between is passed on by whoever learns the id', () =>
    place.held(async () => {
      const { builds } = place.dependencies;
      const { buildId } = await place.build(
        {},
        {
          builds: {
            ...builds,
            async start(request) {
              const stopped = await stopBuild(place.dependencies, {
                organisation,
                email: ada,
                id: buildIdOf(request),
              });
              expect(stopped.status).toBe('queued');
              return builds.start(request);
            },
          },
        },
      );
      expect((await place.over(buildId)).status).toBe('stopped');
    }));
});

const buildIdOf = ({ buildId }: { buildId: string }) => buildId;

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
});

/** Every way in which the start of a build that was accepted can go wrong. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stopBuild } from '../../../functions/builds/stop.ts';
import { createBuildReconciler } from '../../../functions/reconciler/builds.ts';
import { StartDelayedError } from '../../../shared/aws/builds.ts';
import { startBuild } from '../../../shared/build/start.ts';
import { ada, buildPlace, organisation, type Place, succeeded } from './place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['sleep 0.2'] } }, [100, 100]);
});
afterAll(() => place.close());

const reconciler = (parts = {}) => createBuildReconciler({ ...place.dependencies, ...parts });
const killed = () => {
  throw new Error('killed');
};

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
                id: request.buildId,
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

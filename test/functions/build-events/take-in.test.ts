/** Events of CodeBuild, in any order, twice, late or never. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportIn } from '../../../functions/build-events/event.ts';
import { takeIn } from '../../../functions/build-events/take-in.ts';
import { stopBuild } from '../../../functions/builds/stop.ts';
import { createBuildReconciler } from '../../../functions/reconciler/builds.ts';
import { type Builds, StartDelayedError } from '../../../shared/aws/builds.ts';
import { applyReport } from '../../../shared/build/progress.ts';
import { isOver } from '../../../shared/build/record.ts';
import { startBuild } from '../../../shared/build/start.ts';
import { resultKey } from '../../../shared/model/build-keys.ts';
import { ada, buildPlace, failed, organisation, type Place, succeeded } from '../../shared/build/place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['sleep 0.3', 'echo "[slipway] end of log"'] } }, [100, 100]);
});
afterAll(() => place.close());

const inTime = ['accepted', 'submitted', 'provisioning', 'preparing', 'building', 'pushing'];

describe('B1 events', () => {
  test('move the build, its image and its timeline, each step once', async () => {
    const { buildId, imageId } = await place.build();
    await place.result(buildId, succeeded);
    const record = await place.over(buildId);
    expect(record).toMatchObject({ status: 'succeeded', phase: 'finished', digest: succeeded.digest });
    expect(record.durationSeconds).toBeGreaterThan(0.2);
    expect((await place.codes(buildId)).slice(0, 7)).toEqual([...inTime, 'succeeded']);
    expect(await place.image(imageId)).toMatchObject({ currentBuild: { id: buildId, status: 'succeeded' } });
    const before = await place.get(buildId);
    await place.deliver(buildId);
    await place.deliver(buildId);
    expect(await place.codes(buildId)).toHaveLength(before.eventCount);
    expect((await place.get(buildId)).status).toBe('succeeded');
  });

  test('that come before CodeBuild has answered: it is on the timeline all the same that it took the build, once', async () => {
    const { builds } = place.dependencies;
    const overtaken: Builds = {
      ...builds,
      async start(request) {
        const codeBuildId = await builds.start(request);
        const report = await builds.report(codeBuildId);
        if (report) await applyReport(place.dependencies, organisation, request.buildId, report);
        return codeBuildId;
      },
    };
    const { buildId } = await place.build({}, { builds: overtaken });
    expect((await place.codes(buildId)).slice(0, 2)).toEqual(['accepted', 'submitted']);
    await place.result(buildId, succeeded);
    await place.over(buildId);
    expect((await place.codes(buildId)).filter((code) => code === 'submitted')).toHaveLength(1);
  });

  test('a push whose size nobody told is a success all the same', async () => {
    const { buildId, imageId } = await place.build();
    const { sizeBytes: _, platform: __, ...told } = succeeded;
    await place.result(buildId, told);
    expect(await place.over(buildId)).toMatchObject({ status: 'succeeded', digest: succeeded.digest });
    const image = await place.image(imageId);
    expect(image).toMatchObject({ status: 'ready', digest: succeeded.digest });
    expect(image).not.toHaveProperty('sizeBytes');
  });

  test('twice, late and in any order: the same final state, and no mail twice', async () => {
    const first = await place.build();
    await place.result(first.buildId, failed);
    await place.over(first.buildId);
    const events = await place.events(first.buildId);
    expect(events.length).toBeGreaterThan(8);
    const order = fc.shuffledSubarray([...events.keys(), ...events.keys()], {
      minLength: events.length * 2,
      maxLength: events.length * 2,
    });
    await fc.assert(
      fc.asyncProperty(order, async (indexes) => {
        const { buildId, imageId } = await place.build();
        await place.result(buildId, failed);
        const { codeBuildId = '' } = await place.get(buildId);
        // Of another build, told as this one's, and by nobody but the events themselves.
        const mute = {
          ...place.dependencies.builds,
          report: async () => undefined,
          stop: async () => undefined,
        };
        for (const index of indexes) {
          const event = events[index];
          if (event)
            await applyReport({ ...place.dependencies, builds: mute }, organisation, buildId, {
              ...reportIn(event),
              codeBuildId,
            });
        }
        const record = await place.get(buildId);
        expect(record).toMatchObject({ status: 'failed', failure: failed.failure, hasSlot: false });
        expect(await place.image(imageId)).toMatchObject({ status: 'failed' });
        const codes = await place.codes(buildId);
        expect(codes.filter((code, i) => codes.indexOf(code) !== i)).toEqual([]);
        expect(codes.at(-1)).toBe('failed');
      }),
      { numRuns: 12 },
    );
  });

  test('an event may know of a build before its start was recorded', async () => {
    const { builds } = place.dependencies;
    const early: Builds = {
      ...builds,
      async start(request) {
        const id = await builds.start(request);
        const events = place.cloud.events.filter((event) => String(event.detail['build-id']).endsWith(id));
        for (const event of events)
          await takeIn(place.dependencies, {
            time: new Date().toISOString(),
            ...event,
          } as never);
        return id;
      },
    };
    const { buildId } = await place.build({}, { builds: early });
    await place.result(buildId, succeeded);
    expect((await place.over(buildId)).status).toBe('succeeded');
  });

  test('of a build that somebody started by hand are nobody’s', async () => {
    await takeIn(place.dependencies, {
      time: new Date().toISOString(),
      detail: {
        'build-id': 'arn:aws:codebuild:us-east-1:0:build/builds:x',
        'build-status': 'FAILED',
        'additional-information': { phases: [] },
      },
    });
    expect(place.problems.some((problem) => problem.includes('not started'))).toBe(true);
  });

  test('a builder that leaves no result, or rubbish, has failed itself', async () => {
    for (const rubbish of [undefined, { outcome: 'splendid' }]) {
      const { buildId } = await place.build();
      if (rubbish) await place.result(buildId, rubbish);
      expect(await place.over(buildId)).toMatchObject({
        status: 'failed',
        failure: { code: 'builder-failed' },
      });
    }
  });

  test('a result that is cut off is none', async () => {
    const { buildId } = await place.build();
    await place.dependencies.artifacts.write(
      resultKey(organisation, buildId),
      '{"outcome":',
      'application/json',
    );
    expect(await place.over(buildId)).toMatchObject({
      status: 'failed',
      failure: { code: 'builder-failed' },
      hasSlot: false,
    });
  });

  test('an image that was deleted meanwhile is no obstacle', async () => {
    const { buildId, imageId } = await place.build();
    await place.table.remove(organisation, 'images', imageId);
    await place.result(buildId, succeeded);
    expect((await place.over(buildId)).status).toBe('succeeded');
  });
});

describe('B7 stopping', () => {
  const stop = (id: string) => stopBuild(place.dependencies, { organisation, email: ada, id });

  test('is asked for, then confirmed by the event', () =>
    place.held(async () => {
      const { buildId } = await place.build();
      expect(await stop(buildId)).toMatchObject({ status: 'queued', stopRequestedAt: expect.any(String) });
      const record = await place.over(buildId);
      expect(record.status).toBe('stopped');
      expect(record.mail).toBe('skipped');
      expect(await place.codes(buildId)).toContain('stop-requested');
      expect(await stop(buildId)).toMatchObject({ status: 'stopped' });
    }));

  test('is confirmed by the reconciler where the event is lost', () =>
    place.held(async () => {
      const { buildId } = await place.build();
      await stop(buildId);
      const { codeBuildId = '' } = await place.get(buildId);
      await expect
        .poll(async () => (await place.dependencies.builds.report(codeBuildId))?.outcome)
        .toBe('STOPPED');
      await createBuildReconciler(place.dependencies)(organisation, buildId);
      expect((await place.get(buildId)).status).toBe('stopped');
    }));

  test('waits for CodeBuild’s word where the answer to the start was lost, though the next try is put off', async () => {
    const { builds } = place.dependencies;
    let codeBuildId = '';
    const losing: Builds = {
      ...builds,
      async start(request) {
        if (codeBuildId) throw new StartDelayedError('ThrottlingException');
        codeBuildId = await builds.start(request);
        throw new Error('socket hang up');
      },
    };
    const { buildId } = await place.build({}, { builds: losing });
    await startBuild({ ...place.dependencies, builds: losing }, organisation, buildId);
    expect(await stop(buildId)).toMatchObject({ status: 'queued', stopRequestedAt: expect.any(String) });
    const report = await builds.report(codeBuildId);
    if (!report) throw new Error('CodeBuild does not know it');
    await applyReport(place.dependencies, organisation, buildId, report);
    await expect.poll(async () => (await builds.report(codeBuildId))?.outcome).toBeDefined();
    expect(isOver(await place.over(buildId))).toBe(true);
  });

  test('reaches CodeBuild where the build was given up, so that it pushes nothing any more', async () => {
    const { builds } = place.dependencies;
    const stopped: string[] = [];
    const counting: Builds = {
      ...builds,
      async stop(id) {
        stopped.push(id);
        await builds.stop(id);
      },
    };
    const dependencies = { ...place.dependencies, builds: counting };
    const { buildId } = await place.build();
    const { codeBuildId = '' } = await place.get(buildId);
    const forgotten = { ...counting, report: async () => undefined };
    await createBuildReconciler({ ...dependencies, builds: forgotten })(organisation, buildId);
    expect(await place.get(buildId)).toMatchObject({ failure: { code: 'builder-lost' } });
    await applyReport(dependencies, organisation, buildId, { codeBuildId, phases: [] });
    expect(stopped).toEqual([codeBuildId]);
  });

  test('comes too late for an image that was pushed', async () => {
    const { buildId, imageId } = await place.build();
    await place.result(buildId, succeeded);
    await stop(buildId);
    expect((await place.over(buildId)).status).toBe('succeeded');
    expect(await place.image(imageId)).toMatchObject({ status: 'ready' });
  });
});

describe('the reconciler', () => {
  const reconcile = (id: string, parts = {}) =>
    createBuildReconciler({ ...place.dependencies, ...parts })(organisation, id);

  test('finishes a build whose events were lost', async () => {
    const { buildId } = await place.build();
    await place.result(buildId, succeeded);
    await expect
      .poll(async () => {
        await reconcile(buildId);
        return (await place.get(buildId)).status;
      })
      .toBe('succeeded');
    expect((await place.codes(buildId)).slice(0, 7)).toEqual([...inTime, 'succeeded']);
    expect(await place.get(buildId)).not.toHaveProperty('openKey');
  });

  test('gives up a build that CodeBuild knows nothing of', async () => {
    const { buildId } = await place.build();
    await reconcile(buildId, { builds: { ...place.dependencies.builds, report: async () => undefined } });
    expect(await place.get(buildId)).toMatchObject({ status: 'failed', failure: { code: 'builder-lost' } });
  });

  test('leaves a build at work alone, and looks again later', async () => {
    const { buildId, dueAt } = await place.held(async () => {
      const { buildId } = await place.build();
      const { dueAt = '' } = await place.get(buildId);
      await reconcile(buildId);
      return { buildId, dueAt };
    });
    const after = await place.get(buildId);
    expect(['queued', 'building']).toContain(after.status);
    expect((after.dueAt ?? '') > dueAt).toBe(true);
    await place.over(buildId);
  });
});

/** B12, B14: who waits for a build, whatever is lost, comes twice, or dies in between. */
import { BatchClient } from '@aws-sdk/client-batch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stopBuild } from '../../../functions/builds/stop.ts';
import { buildThenRun } from '../../../functions/experiment-starts/build-then-run.ts';
import { deleteExperiment } from '../../../functions/experiments/change.ts';
import { stopExperiment } from '../../../functions/experiments/stop.ts';
import { buildFamily } from '../../../functions/families/build-family.ts';
import { createBuildReconciler } from '../../../functions/reconciler/builds.ts';
import { createExperimentReconciler } from '../../../functions/reconciler/experiments.ts';
import { createJobLog } from '../../../shared/aws/job-log.ts';
import { createJobs } from '../../../shared/aws/jobs.ts';
import { holderOf } from '../../../shared/build/claims.ts';
import { closeBuild } from '../../../shared/build/close.ts';
import { endBuild } from '../../../shared/build/end.ts';
import type { ExperimentRecord } from '../../../shared/experiment/record.ts';
import { newExperimentSchema } from '../../../shared/model/experiment.ts';
import { newFamilySchema } from '../../../shared/model/family.ts';
import { newId } from '../../../shared/model/id.ts';
import { ada, buildPlace, failed, organisation, type Place, succeeded } from './place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['sleep 0.2'] } }, [100, 100]);
  Object.assign(place.dependencies, { copyTag: async () => undefined });
});
afterAll(() => place.close());

let names = 0;
const repository = () => `follow${++names}`;
const { digest } = succeeded;

const run = (build: object, id = newId('experiment', Date.now()), ids = place.ids(), parts = {}) => {
  const asked = newExperimentSchema.parse({ build: { dockerfile: 'FROM scratch\n', ...build } });
  if (!asked.build) throw new Error('no build');
  const request = { organisation, author: ada, id, now: new Date(), start: true, asked };
  return buildThenRun({ ...place.dependencies, ...parts }, request, ids, asked.build);
};
const experiment = async (id: string) =>
  (await place.table.get(organisation, 'experiments', id)) as ExperimentRecord | undefined;
const endOf = async (buildId: string, result: object = succeeded) => {
  await place.result(buildId, result);
  return place.over(buildId);
};
const buildOf = ({ build }: ExperimentRecord) => build?.id ?? '';
const reconcileBuild = (id: string) => createBuildReconciler(place.dependencies)(organisation, id);
const client = () => ({ ...place.cloud.client(), maxAttempts: 1 });
const reconcileExperiment = (id: string) =>
  createExperimentReconciler({
    ...place.dependencies,
    jobs: createJobs(new BatchClient(client())),
    jobLog: createJobLog('/jobs', new CloudWatchLogsClient(client())),
  })(organisation, id);

describe('B12 an experiment that waits for a build', () => {
  test('goes on at its end, once, in what was built, however often that is heard of', async () => {
    const { id, build } = await run({ repository: repository() });
    expect(place.executed.has(id)).toBe(false);
    await reconcileExperiment(id);
    expect(place.executed.has(id)).toBe(false);
    const done = await endOf(build?.id ?? '');
    const pinned = await experiment(id);
    expect(pinned).toMatchObject({
      status: 'pending',
      image: { rule: 'build', uri: done.uri, digest },
      build: { status: 'succeeded' },
    });
    expect(place.executed.has(id)).toBe(true);
    await place.deliver(done.id);
    await closeBuild(place.dependencies, organisation, done.id);
    await reconcileExperiment(id);
    expect((await experiment(id))?.eventCount).toBe(pinned?.eventCount);
  });

  test('a death between the end of the build and the experiment is finished by the reconciler', async () => {
    const waiting = await run({ repository: repository() });
    const pushed = { digest, sizeBytes: 1 };
    await endBuild(place.dependencies, organisation, buildOf(waiting), { status: 'succeeded', pushed });
    expect((await experiment(waiting.id))?.image).toEqual({});
    await reconcileExperiment(waiting.id);
    expect((await experiment(waiting.id))?.image).toMatchObject({ digest });
    expect(place.executed.has(waiting.id)).toBe(true);
  });

  test('a death before the execution was started is, too', async () => {
    const { id, build } = await run({ repository: repository() });
    const dying = {
      start: () => Promise.reject(new Error('killed')),
      state: place.dependencies.executions.state,
    };
    await place.result(build?.id ?? '', succeeded);
    await place.over(build?.id ?? '', { executions: dying });
    expect((await experiment(id))?.image).toMatchObject({ digest });
    expect(place.executed.has(id)).toBe(false);
    await reconcileExperiment(id);
    expect(place.executed.has(id)).toBe(true);
  });

  test('a stop of its build before that began ends it at once', async () => {
    const write = () => Promise.reject(new Error('killed'));
    const artifacts = { ...place.dependencies.artifacts, write };
    const { id, build } = await run({ repository: repository() }, undefined, undefined, { artifacts });
    await stopBuild(place.dependencies, { organisation, email: ada, id: build?.id ?? '' });
    expect(await experiment(id)).toMatchObject({ status: 'failed', statusReason: { code: 'build-failed' } });
  });

  test('follows the build that answers: under way, stopped, of another tag', async () => {
    const name = repository();
    const first = await run({ repository: name, tag: '1' });
    const same = await run({ repository: name, tag: '1' });
    expect(same.build).toEqual(first.build);
    const other = await run({ repository: name, tag: '2' });
    expect(await place.get(buildOf(other))).toMatchObject({ attachedTo: buildOf(first) });
    await endBuild(place.dependencies, organisation, buildOf(first), { status: 'stopped' });
    await closeBuild(place.dependencies, organisation, buildOf(first));
    for (const { id } of [first, same])
      expect(await experiment(id)).toMatchObject({
        status: 'failed',
        statusReason: { code: 'build-failed', message: `Build ${buildOf(first)} was stopped.` },
      });
    // Its own build goes on by itself.
    await reconcileBuild(buildOf(other));
    await endOf(buildOf(other));
    expect(await experiment(other.id)).toMatchObject({ status: 'pending', image: { digest } });
  });

  test('is moved on through a build that only waited for another one', async () => {
    const name = repository();
    const first = await place.build({ repository: name, tag: '1' });
    const other = await run({ repository: name, tag: '2' });
    await endOf(first.buildId);
    expect(place.executed.has(other.id)).toBe(true);
  });

  test('the same ids again find the first ones, whatever has become of them', async () => {
    const [id, ids, build] = [newId('experiment', Date.now()), place.ids(), { repository: repository() }];
    const first = await run(build, id, ids);
    await endOf(ids.buildId, failed);
    expect(await run(build, id, ids)).toMatchObject({ id, status: 'failed', build: { id: first.build?.id } });
  });

  test('a name that is taken leaves neither build nor experiment', async () => {
    const name = repository();
    await place.build({ repository: name });
    const id = newId('experiment', Date.now());
    await expect(
      run({ repository: name, dockerfile: 'FROM scratch\nLABEL a=b\n' }, id),
    ).rejects.toMatchObject({
      code: 'image-exists',
    });
    expect(await experiment(id)).toBeUndefined();
  });

  test('stopped or deleted it stays so, and its build goes on', async () => {
    const { id, build } = await run({ repository: repository() });
    const jobs = createJobs(new BatchClient(client()));
    const by = { organisation, id, by: ada, now: new Date() };
    expect(await stopExperiment({ ...place.dependencies, jobs }, by)).toMatchObject({ status: 'stopped' });
    const gone = await run({ imageId: (await run({ repository: repository() })).build?.imageId });
    await stopExperiment({ ...place.dependencies, jobs }, { ...by, id: gone.id });
    await deleteExperiment(place.dependencies, { organisation, id: gone.id });
    for (const one of [build?.id ?? '', buildOf(gone)]) expect((await endOf(one)).status).toBe('succeeded');
    expect(await experiment(id)).toMatchObject({ status: 'stopped' });
    expect(await experiment(gone.id)).toBeUndefined();
    expect([id, gone.id].some((one) => place.executed.has(one))).toBe(false);
  });
});

describe('B14 a build that waits for its bases', () => {
  const family = (of: string, more: object = {}, email = ada) => {
    const { images } = newFamilySchema.parse({
      images: [
        { repository: `${of}/base`, dockerfile: 'FROM scratch\n', ...more },
        { repository: `${of}/one`, dockerfile: `FROM ${of}/base\n`, ...more },
        { repository: `${of}/two`, dockerfile: `FROM ${of}/one\n`, ...more },
      ],
    });
    const asking = { organisation, email, now: new Date() };
    return buildFamily(place.dependencies, asking, images.map(place.ids), images, () => 20_000);
  };
  const ids = (accepted: Awaited<ReturnType<typeof family>>) =>
    accepted.map(({ build }) => build.id) as [string, string, string];

  test('two identical families at once are one', async () => {
    const of = repository();
    const first = ids(await family(of));
    expect(ids(await family(of))).toEqual(first);
    const [base, one] = first;
    const { claim } = await place.get(one);
    await endOf(base);
    // Its bases are known now, so it is found by what it is made of.
    const released = await place.get(one);
    expect(released.claim).not.toBe(claim);
    expect(await holderOf(place.table, organisation, released.claim ?? '')).toMatchObject({ buildId: one });
    expect(await holderOf(place.table, organisation, claim ?? '')).toBeUndefined();
  });

  test('a death between the end of its base and its start is finished by the reconciler', async () => {
    const [base, one] = ids(await family(repository()));
    await endBuild(place.dependencies, organisation, base, { status: 'succeeded', pushed: { digest } });
    expect(await place.get(one)).toMatchObject({ phase: 'waiting', awaitsBases: true });
    await reconcileBuild(one);
    expect((await place.get(one)).codeBuildId).toBeDefined();
    const request = await place.table.get(organisation, 'build-requests', one);
    expect(Object.values(request?.bases as object)).toEqual([digest]);
    const codes = (await place.codes(one)).filter((code) => code !== 'lint');
    expect(codes.slice(0, 4)).toEqual(['accepted', 'waiting', 'bases-built', 'submitted']);
  });

  test('is ended by a base that failed or was stopped, and ends those above it', async () => {
    const [base, one, two] = ids(await family(repository()));
    await endOf(base, failed);
    for (const [id, below] of [
      [one, base],
      [two, one],
    ] as const)
      expect(await place.get(id)).toMatchObject({
        status: 'failed',
        failure: { code: 'base-failed', message: expect.stringContaining(below) },
        mail: 'skipped',
      });
    const [other, waiting, last] = ids(await family(repository()));
    // It never began, so that nobody else hears of its end: who waits for it is told at once.
    await stopBuild(place.dependencies, { organisation, email: ada, id: waiting });
    expect(await place.get(last)).toMatchObject({
      failure: { code: 'base-failed', message: expect.stringMatching(/was stopped\.$/) },
    });
    expect((await endOf(other)).status).toBe('succeeded');
    expect((await place.get(waiting)).status).toBe('stopped');
  });

  test('B4 is told of by its own mail where the base is somebody else’s, and those above it by that one', async () => {
    const of = repository();
    const { buildId } = await place.build({ repository: `${of}/base` });
    const bob = 'bob@acme.example';
    const [base, one, two] = ids(await family(of, {}, bob));
    expect(base).toBe(buildId);
    await endOf(base, failed);
    // It never began, so that its end is no event of CodeBuild's.
    await reconcileBuild(one);
    expect(await place.get(one)).toMatchObject({
      author: bob,
      failure: { code: 'base-failed' },
      mail: 'sent',
    });
    expect(await place.get(two)).toMatchObject({ failure: { code: 'base-failed' }, mail: 'skipped' });
    expect(place.mails().filter((mail) => mail.includes(one) && /^To: .*bob@/im.test(mail))).toHaveLength(1);
  });

  test('never begins while it waits, though there is room, and keeps nobody else from it', async () => {
    const [base, one] = ids(await family(repository(), { computes: ['build-large'] }));
    const other = await place.build({ source: { computes: ['build-large'] } });
    await endOf(other.buildId);
    expect(await place.get(one)).toMatchObject({ hasSlot: false, phase: 'waiting' });
    await endOf(base);
    expect(await place.get(one)).toMatchObject({ compute: 'build-large' });
    expect((await place.get(one)).codeBuildId).toBeDefined();
  });
});

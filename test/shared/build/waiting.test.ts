/** B1: the first compute below its limit builds; where there is none, the build waits for the first. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stopBuild } from '../../../functions/builds/stop.ts';
import { createBuildReconciler } from '../../../functions/reconciler/builds.ts';
import { statusFields } from '../../../shared/build/record.ts';
import { holdersOf } from '../../../shared/build/slots.ts';
import { ada, buildPlace, organisation, type Place, succeeded } from './place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['sleep 0.2'] } }, [1, 1]);
});
afterAll(() => place.close());

const holders = async (compute: string) => [...(await holdersOf(place.table, organisation, compute))];

test('B1 builds spread over the computes in order, wait, and start as soon as there is room', async () => {
  const made = [await place.build(), await place.build(), await place.build(), await place.build()];
  const [first, second, third, fourth] = made.map(({ buildId }) => buildId) as [
    string,
    string,
    string,
    string,
  ];
  const shown = async (id: string) => {
    const { compute, phase, hasSlot } = await place.get(id);
    return [compute, phase, hasSlot];
  };
  expect(await shown(first)).toEqual(['build-small', 'queued', true]);
  expect(await shown(second)).toEqual(['build-large', 'queued', true]);
  expect(await shown(third)).toEqual(['build-small', 'waiting', false]);
  expect(await shown(fourth)).toEqual(['build-small', 'waiting', false]);
  expect(await place.codes(third)).toEqual(['accepted', 'waiting']);
  expect(await place.started()).toHaveLength(2);

  // One that waits stops at once, and takes nobody's place.
  expect(await stopBuild(place.dependencies, { organisation, email: ada, id: third })).toMatchObject({
    status: 'stopped',
  });

  await place.result(first, succeeded);
  await place.over(first);
  await expect.poll(() => shown(fourth)).toEqual(['build-small', expect.any(String), true]);
  await expect.poll(async () => (await place.get(fourth)).codeBuildId).toBeDefined();
  expect(await holders('build-small')).toEqual([fourth]);
  expect((await place.codes(fourth)).slice(0, 4)).toEqual(['accepted', 'waiting', 'queued', 'submitted']);
  for (const id of [second, fourth]) {
    await place.result(id, succeeded);
    await place.over(id);
  }
  expect(await holders('build-small')).toEqual([]);
  expect(await holders('build-large')).toEqual([]);
});

test('B1 ten at once on computes that take two: never more than that, and all are built in the end', async () => {
  const made = await Promise.all(Array.from({ length: 10 }, () => place.build()));
  const ids = made.map(({ buildId }) => buildId);
  for (const id of ids) await place.result(id, succeeded);
  const most = { small: 0, large: 0 };
  const reconcile = createBuildReconciler(place.dependencies);
  await expect
    .poll(async () => {
      most.small = Math.max(most.small, (await holders('build-small')).length);
      most.large = Math.max(most.large, (await holders('build-large')).length);
      for (const id of ids) {
        await place.deliver(id);
        await reconcile(organisation, id);
      }
      return (await Promise.all(ids.map(place.get))).filter(({ status }) => status === 'succeeded').length;
    })
    .toBe(10);
  expect(most).toEqual({ small: 1, large: 1 });
});

test('B1 one that waits behind a hundred others, which wait for something else, is found', async () => {
  const [running, other, last] = [await place.build(), await place.build(), await place.build()];
  const record = await place.get(last.buildId);
  expect(record).toMatchObject({ compute: 'build-small', phase: 'waiting' });
  for (let i = 0; i < 120; i++) {
    const id = `bld_0${String(i).padStart(8, '0')}`;
    const before = { ...record, id, ...statusFields(id, 'queued'), attachedTo: running.buildId };
    const { openKey: _, ...item } = before;
    await place.table.put(organisation, 'builds', id, item);
  }
  await place.result(running.buildId, succeeded);
  await place.over(running.buildId);
  expect((await place.get(last.buildId)).codeBuildId).toBeDefined();
  for (const { buildId } of [other, last]) {
    await place.result(buildId, succeeded);
    await place.over(buildId);
  }
});

describe('B1 builds that wait for a compute when the stage loses it', () => {
  /** The deployment afterwards, and a reconciler of it. */
  const without = (lost: string, now = () => new Date()) => {
    const computes = place.stage.computes.filter(({ name }) => name !== lost);
    const dependencies = { ...place.dependencies, stage: { ...place.stage, computes }, now };
    return { dependencies, reconcile: createBuildReconciler(dependencies) };
  };
  const made = (computes: string[]) => place.build({ source: { computes } });

  test('wait for the next one that they may run on, or are told that there is none', async () => {
    const small = await made(['build-small']);
    const large = await made(['build-large']);
    const either = await made(['build-small', 'build-large']);
    const onlySmall = await made(['build-small']);
    for (const { buildId } of [either, onlySmall])
      expect(await place.get(buildId)).toMatchObject({ compute: 'build-small', phase: 'waiting' });

    const { dependencies, reconcile } = without('build-small');
    for (const { buildId } of [either, onlySmall]) await reconcile(organisation, buildId);
    expect(await place.get(onlySmall.buildId)).toMatchObject({
      status: 'failed',
      failure: { code: 'compute-unavailable', message: expect.stringContaining('(build-small)') },
    });
    expect(await place.get(either.buildId)).toMatchObject({ compute: 'build-large', phase: 'waiting' });
    expect(await place.codes(either.buildId)).toEqual(['accepted', 'waiting', 'waiting']);

    await place.result(large.buildId, succeeded);
    await place.over(large.buildId, dependencies);
    expect(await place.get(either.buildId)).toMatchObject({
      compute: 'build-large',
      codeBuildId: expect.any(String),
    });
    for (const { buildId } of [small, either]) {
      await place.result(buildId, succeeded);
      await place.over(buildId);
    }
  });

  test('and those that nobody makes room for are ended after a day', async () => {
    const running = await made(['build-small']);
    const waiting = await made(['build-small']);
    const lookAfter = (hours: number) => {
      const now = () => new Date(Date.now() + hours * 3_600_000);
      return createBuildReconciler({ ...place.dependencies, now })(organisation, waiting.buildId);
    };
    await lookAfter(23);
    expect(await place.get(waiting.buildId)).toMatchObject({ status: 'queued', phase: 'waiting' });
    await lookAfter(25);
    expect(await place.get(waiting.buildId)).toMatchObject({
      status: 'failed',
      failure: { code: 'queue-timeout', message: 'The build waited 24 hours for a free build-small slot.' },
    });
    await place.result(running.buildId, succeeded);
    await place.over(running.buildId);
  });
});

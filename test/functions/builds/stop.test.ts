/** B7: a stop that dies on its way, or meets a start that is put off, still ends the build. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stopBuild } from '../../../functions/builds/stop.ts';
import { createBuildReconciler } from '../../../functions/reconciler/builds.ts';
import { StartDelayedError } from '../../../shared/aws/builds.ts';
import { holdersOf } from '../../../shared/build/slots.ts';
import { startBuild } from '../../../shared/build/start.ts';
import { ada, buildPlace, organisation, type Place } from '../../shared/build/place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['sleep 60'] } }, [3, 1]);
});
afterAll(() => place.close());

const killed = () => {
  throw new Error('killed');
};
const onSmall = { source: { computes: ['build-small'] } };
const onLarge = { source: { computes: ['build-large'] } };
/** Accepted, but nobody got as far as to ask CodeBuild. */
const unstarted = () =>
  place.build(onSmall, { artifacts: { ...place.dependencies.artifacts, write: killed } });

/** Asks for a stop whose caller is killed once that is written. */
async function interruptedStop(id: string) {
  const { table } = place;
  let writes = 0;
  const dying = {
    ...table,
    transact: (...write: Parameters<typeof table.transact>) =>
      writes++ > 0 ? killed() : table.transact(...write),
  };
  await expect(
    stopBuild({ ...place.dependencies, table: dying }, { organisation, email: ada, id }),
  ).rejects.toThrow('killed');
  expect(await place.get(id)).toMatchObject({ status: 'queued', stopRequestedAt: expect.any(String) });
}

const isDue = async (id: string, seconds: number) =>
  (await place.table.due(organisation, new Date(Date.now() + seconds * 1000).toISOString(), 100)).some(
    (item) => item.id === id,
  );
const reconcile = (id: string) => createBuildReconciler(place.dependencies)(organisation, id);

test('B7 a stop that dies on its way, of a build that waits for a compute, is finished soon', async () => {
  const first = await place.build(onLarge);
  const { buildId } = await place.build(onLarge);
  expect(await place.get(buildId)).toMatchObject({ phase: 'waiting' });
  await interruptedStop(buildId);
  expect(await isDue(buildId, 20)).toBe(true);
  await reconcile(buildId);
  expect(await place.get(buildId)).toMatchObject({ status: 'stopped' });
  await stopBuild(place.dependencies, { organisation, email: ada, id: first.buildId });
  await place.over(first.buildId);
});

test('B7 of one that was never started: CodeBuild is not asked for it, and its place is free again', async () => {
  const { buildId } = await unstarted();
  const before = (await place.started()).length;
  await interruptedStop(buildId);
  await reconcile(buildId);
  expect(await place.get(buildId)).toMatchObject({ status: 'stopped' });
  expect((await place.started()).length).toBe(before);
  expect(await holdersOf(place.table, organisation, 'build-small')).not.toContain(buildId);
});

test('B7 whoever starts builds ends one that is to stop', async () => {
  const { buildId } = await unstarted();
  const before = (await place.started()).length;
  await interruptedStop(buildId);
  expect(await startBuild(place.dependencies, organisation, buildId)).toMatchObject({ status: 'stopped' });
  expect((await place.started()).length).toBe(before);
});

test('B7 of one that waits for an identical build: that one goes on', async () => {
  const source = { dockerfile: 'FROM scratch\n# attached\n', computes: ['build-small'] };
  const first = await place.build({ repository: 'same', tag: '1', source });
  const second = await place.build({ repository: 'same', tag: '2', source });
  expect(await place.get(second.buildId)).toMatchObject({ attachedTo: first.buildId });
  await interruptedStop(second.buildId);
  await reconcile(second.buildId);
  expect(await place.get(second.buildId)).toMatchObject({ status: 'stopped' });
  expect(await place.get(first.buildId)).not.toHaveProperty('stopRequestedAt');
});

test('B7 a stop while CodeBuild puts the start off ends it: it is not tried again', async () => {
  const { buildId } = await place.build(onSmall, {
    builds: {
      ...place.dependencies.builds,
      async start(request) {
        await stopBuild(place.dependencies, { organisation, email: ada, id: request.buildId });
        throw new StartDelayedError('AccountLimitExceededException: too many');
      },
    },
  });
  expect(await place.get(buildId)).toMatchObject({ status: 'stopped' });
});

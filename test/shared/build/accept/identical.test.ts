/** B8: identical requests, on the engines of the embedded cloud, with a builder that only waits. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stopBuild } from '../../../../functions/builds/stop.ts';
import { createBuildReconciler } from '../../../../functions/reconciler/builds.ts';
import { buildImage } from '../../../../shared/build/accept/image.ts';
import { newImageSchema } from '../../../../shared/model/image.ts';
import { RegistryError } from '../../../../shared/registry/model.ts';
import { ada, buildPlace, organisation, type Place, succeeded } from '../place.ts';

let place: Place;
const copied: string[][] = [];
const copyTag = async (...tag: string[]) => void copied.push(tag);
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['sleep 0.2'] } }, [100, 100]);
  Object.assign(place.dependencies, { copyTag });
});
afterAll(() => place.close());

let repositories = 0;
const repository = () => `same${++repositories}`;
const ask = (wanted: object, dependencies = place.dependencies, ids = place.ids()) => {
  const { source, ...rest } = { source: {}, ...wanted } as { source: object };
  return buildImage(
    dependencies,
    { organisation, email: ada, now: new Date() },
    ids,
    newImageSchema.parse({ source: { type: 'build', dockerfile: 'FROM scratch\n', ...source }, ...rest }),
  );
};

describe('B8 identical requests', () => {
  test('fifty at once: one build, which all of them name', async () => {
    const before = (await place.started()).length;
    const name = repository();
    const images = await Promise.all(Array.from({ length: 50 }, () => ask({ repository: name })));
    expect(new Set(images.map(({ id }) => id)).size).toBe(1);
    expect(new Set(images.map(({ currentBuild }) => currentBuild?.id)).size).toBe(1);
    expect(images.filter(({ currentBuild }) => currentBuild?.cached)).toHaveLength(49);
    expect((await place.started()).length).toBe(before + 1);
  });

  test.each([0, 1])(
    'one that ends between the reads of build and image answers as the image is afterwards: %i first',
    async (first) => {
      const name = repository();
      const { lastBuildId = '', id } = await ask({ repository: name });
      const { table } = place;
      let reads = 0;
      const ending: typeof table.getAll = async (_, keys) => {
        const before = await table.getAll(organisation, keys);
        if (++reads === 1) {
          await place.result(lastBuildId, succeeded);
          await place.over(lastBuildId);
        }
        const after = await table.getAll(organisation, keys);
        return keys.map((_, i) => (i === first ? before[i] : after[i]));
      };
      // What was pushed is there.
      const access = { clientFor: async () => ({ headManifest: async () => succeeded }) } as never;
      const dependencies = { ...place.dependencies, access, table: { ...table, getAll: ending } };
      const answer = await ask({ repository: name }, dependencies);
      expect(answer).toMatchObject({ id, status: 'ready', digest: succeeded.digest });
      expect(answer.currentBuild).toEqual({ id: lastBuildId, status: 'succeeded', cached: true });
      expect(reads).toBe(2);
    },
  );

  test('another tag waits for the one under way, and gets its manifest', async () => {
    const name = repository();
    const first = await ask({ repository: name, tag: '1' });
    const second = await ask({ repository: name, tag: '2' });
    expect(second).toMatchObject({ status: 'pending', currentBuild: { status: 'queued', cached: true } });
    const [firstBuild = '', secondBuild = ''] = [first.lastBuildId, second.lastBuildId];
    expect(await place.get(secondBuild)).toMatchObject({ attachedTo: firstBuild, cached: true });
    await createBuildReconciler(place.dependencies)(organisation, secondBuild);
    expect((await place.get(secondBuild)).status).toBe('queued');
    await place.result(firstBuild, succeeded);
    const done = await place.over(firstBuild);
    expect(copied.at(-1)).toEqual([organisation, done.uri, succeeded.digest, second.uri]);
    expect(await place.get(secondBuild)).toMatchObject({ status: 'succeeded', digest: succeeded.digest });
    expect(await place.get(secondBuild)).not.toHaveProperty('codeBuildId');
    expect(await place.image(second.id)).toMatchObject({
      status: 'ready',
      digest: succeeded.digest,
      currentBuild: { id: secondBuild, status: 'succeeded', cached: true },
    });
  });

  test('a tag that somebody has moved in the registry: built again, it gets its own manifest back', async () => {
    const { id, lastBuildId = '' } = await ask({ repository: repository() });
    await place.result(lastBuildId, succeeded);
    const { uri } = await place.over(lastBuildId);
    const digests: Record<string, string> = {
      [succeeded.digest]: succeeded.digest,
      latest: succeeded.digest,
    };
    const headManifest = async (_: string, reference: string) => ({ digest: digests[reference] });
    const access = { clientFor: async () => ({ headManifest }) } as never;
    expect(await place.rebuild(id, {}, { access })).toMatchObject({
      currentBuild: { id: lastBuildId, cached: true },
    });
    digests.latest = `sha256:${'b'.repeat(64)}`;
    const again = await place.rebuild(id, {}, { access });
    expect(again).toMatchObject({ status: 'ready', digest: succeeded.digest });
    expect(again.currentBuild).toMatchObject({ status: 'succeeded', cached: true });
    expect(again.currentBuild?.id).not.toBe(lastBuildId);
    expect(copied.at(-1)).toEqual([organisation, uri, succeeded.digest, uri]);
  });

  test('a death between the end of one and the other is finished by the reconciler', async () => {
    const name = repository();
    const first = await ask({ repository: name, tag: '1' });
    const second = await ask({ repository: name, tag: '2' });
    await place.result(first.lastBuildId ?? '', succeeded);
    const dying = () => Promise.reject(new Error('killed'));
    // Whoever waits is moved on by itself: the end of the first one is not held up.
    await place.over(first.lastBuildId ?? '', { copyTag: dying });
    expect((await place.get(second.lastBuildId ?? '')).status).toBe('queued');
    await createBuildReconciler(place.dependencies)(organisation, second.lastBuildId ?? '');
    expect((await place.get(second.lastBuildId ?? '')).status).toBe('succeeded');
  });

  test('one that fails is not remembered, and fails whoever waited', async () => {
    const name = repository();
    const first = await ask({ repository: name, tag: '1' });
    const second = await ask({ repository: name, tag: '2' });
    const failure = { code: 'step-failed', message: 'no' };
    await place.result(first.lastBuildId ?? '', { outcome: 'failed', failure, timingsMs: {} });
    await place.over(first.lastBuildId ?? '');
    expect(await place.get(second.lastBuildId ?? '')).toMatchObject({ status: 'failed', failure });
    const third = await ask({ repository: name, tag: '3' });
    expect(third.currentBuild).toMatchObject({ cached: false });
  });

  test('one that is stopped leaves the others to build', async () => {
    const name = repository();
    const [second, third] = await place.held(async () => {
      const [first, ...others] = [
        await ask({ repository: name, tag: '1' }),
        await ask({ repository: name, tag: '2' }),
        await ask({ repository: name, tag: '3' }),
      ].map(({ lastBuildId = '' }) => lastBuildId) as [string, string, string];
      await stopBuild(place.dependencies, { organisation, email: ada, id: first });
      expect((await place.over(first)).status).toBe('stopped');
      return others;
    });
    expect(await place.get(second)).toMatchObject({ cached: false, hasSlot: true });
    expect(await place.get(second)).not.toHaveProperty('attachedTo');
    expect(await place.get(third)).toMatchObject({ cached: true, attachedTo: second });
    await place.result(second, succeeded);
    await place.over(second);
    expect((await place.get(third)).status).toBe('succeeded');
  });

  test('a manifest that cannot be copied: it builds itself', async () => {
    const name = repository();
    const first = await ask({ repository: name, tag: '1' });
    const second = await ask({ repository: name, tag: '2' });
    await place.result(first.lastBuildId ?? '', succeeded);
    const gone = () => Promise.reject(new RegistryError('not-found', 'host', 'gone'));
    await place.over(first.lastBuildId ?? '', { copyTag: gone });
    expect(await place.get(second.lastBuildId ?? '')).toMatchObject({ cached: false, hasSlot: true });
  });

  test('what differs in anything, or is forced, is built', async () => {
    const name = repository();
    const first = await ask({ repository: name, tag: '1' });
    const others = [
      { source: { dockerfile: 'FROM scratch\n\n' } },
      { source: { buildArgs: { A: '1' } } },
      { source: { force: true } },
    ];
    for (const [i, other] of others.entries())
      expect((await ask({ repository: name, tag: `other${i}`, ...other })).currentBuild?.cached).toBe(false);
    expect((await place.get(first.lastBuildId ?? '')).cached).toBe(false);
    await expect(ask({ repository: name, tag: '1', readme: '# Other' })).rejects.toMatchObject({
      status: 409,
    });
  });

  test('a base that cannot be looked up: a warning, and it is not shared', async () => {
    const wanted = { repository: repository(), source: { dockerfile: 'FROM 127.0.0.1:1/none:1\n' } };
    const first = await ask(wanted);
    const { dependencies } = place;
    expect(await place.codes(first.lastBuildId ?? '')).toContain('warning');
    expect((await ask({ ...wanted, tag: '2' }, dependencies)).currentBuild?.cached).toBe(false);
  });
});

/** B14: what is written of a family, and when nothing is. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildFamily } from '../../../functions/families/build-family.ts';
import { createBuildReconciler } from '../../../functions/reconciler/builds.ts';
import type { AcceptDependencies } from '../../../shared/build/accept/dependencies.ts';
import { endBuild } from '../../../shared/build/end.ts';
import { newFamilySchema } from '../../../shared/model/family.ts';
import { RegistryError } from '../../../shared/registry/model.ts';
import { ada, buildPlace, organisation, type Place, succeeded } from '../../shared/build/place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['sleep 0.2'] } }, [100, 100]);
});
afterAll(() => place.close());

const family = (members: object[], parts: Partial<AcceptDependencies> = {}, remainingMs = 20_000) => {
  const { images } = newFamilySchema.parse({ images: members });
  const asking = { organisation, email: ada, now: new Date() };
  return buildFamily(
    { ...place.dependencies, ...parts },
    asking,
    images.map(place.ids),
    images,
    () => remainingMs,
  );
};
const base = (of: string, more = '') => ({ repository: `${of}/base`, dockerfile: `FROM scratch\n${more}` });
const imagesOf = async (of: string) =>
  (await place.table.all(organisation, 'images')).filter(({ repository }) =>
    String(repository).startsWith(`${of}/`),
  );

test('names that make a Dockerfile too long, once they are whole, are refused with nothing written', async () => {
  const of = 'long';
  const dockerfile = `FROM scratch\n${`COPY --from=${of}/base / /\n`.repeat(4000)}`;
  expect(dockerfile.length).toBeLessThan(131_072);
  await expect(family([base(of), { repository: `${of}/leaf`, dockerfile }])).rejects.toMatchObject({
    status: 422,
    extra: {
      errors: [{ pointer: '/images/1/dockerfile', message: expect.stringContaining('131072 bytes') }],
    },
  });
  expect(await imagesOf(of)).toEqual([]);
});

test('of several that are wrong the first is named, whoever is found out first', async () => {
  const { registries } = place.dependencies;
  const { promise: known, resolve: isKnown } = Promise.withResolvers<void>();
  const get: typeof registries.get = async (organisation, id) => {
    if (id === 'reg_quick') isKnown();
    else await known.then(() => new Promise((later) => setImmediate(later)));
    return registries.get(organisation, id);
  };
  const members = ['reg_slow', 'reg_quick'].map((registryId) => ({ registryId, ...base(registryId) }));
  await expect(family(members, { registries: { ...registries, get } })).rejects.toMatchObject({
    status: 422,
    extra: { errors: [{ pointer: '/images/0/registryId' }] },
  });
});

describe('who is in the way', () => {
  const leaf = (of: string, more = '') => ({
    repository: `${of}/leaf`,
    dockerfile: `FROM ${of}/base\n${more}`,
  });
  const edited = 'LABEL a=b\n';
  /** A base that is built, and a leaf whose build is under way. */
  async function begun(of: string) {
    const [below, above] = await family([base(of), leaf(of)]);
    if (!below || !above) throw new Error('no family');
    await endBuild(place.dependencies, organisation, below.build.id, {
      status: 'succeeded',
      pushed: { digest: succeeded.digest, sizeBytes: 1 },
    });
    return { below, above };
  }

  test('a leaf that is being built from something else: nothing is written, its edited base neither', async () => {
    for (const [of, more] of [
      ['busy', edited],
      ['busy-below', ''],
    ] as const) {
      const { below, above } = await begun(of);
      const refused = family([leaf(of, more), base(of, edited), base(`${of}/new`)]);
      await expect(refused).rejects.toMatchObject({
        code: 'build-in-progress',
        extra: { candidates: [above.build.id] },
      });
      expect(await place.image(below.image.id)).toMatchObject({ lastBuildId: below.build.id });
      expect(await imagesOf(of)).toHaveLength(2);
    }
  });

  test('an image that is being deleted, too', async () => {
    const { above } = await begun('leaving');
    await endBuild(place.dependencies, organisation, above.build.id, { status: 'stopped' });
    const image = await place.image(above.image.id);
    await place.table.put(organisation, 'images', above.image.id, { ...image, deleting: true });
    await expect(family([base('leaving/new'), leaf('leaving', edited)])).rejects.toMatchObject({
      code: 'image-leaving',
    });
    expect(await imagesOf('leaving')).toHaveLength(2);
  });

  test('somebody who comes in between is no refusal: it says what was accepted, and to try again', async () => {
    const { above } = await begun('raced');
    await endBuild(place.dependencies, organisation, above.build.id, { status: 'stopped' });
    const { table } = place;
    let isFirst = true;
    const raced = {
      ...table,
      async transact(...write: Parameters<typeof table.transact>) {
        await table.transact(...write);
        if (isFirst) {
          isFirst = false;
          await place.rebuild(above.image.id, { dockerfile: 'FROM scratch\n' });
        }
      },
    };
    await expect(family([base('raced', edited), leaf('raced')], { table: raced })).rejects.toMatchObject({
      status: 503,
      code: 'busy',
      message: expect.stringMatching(
        /accepted \S+raced\/base:latest, then failed at \S+raced\/leaf:latest: Build bld_/,
      ),
    });
  });
});

describe('base images that are not of the family', () => {
  const asked: string[] = [];
  const access = () => ({
    ...place.dependencies.access,
    clientFor(_: string, host: string, repository: string) {
      asked.push(repository);
      return Promise.reject(new RegistryError('unreachable', host, 'nothing is there'));
    },
  });

  test('are asked for once, however many of the family name them', async () => {
    const dockerfile = 'FROM 127.0.0.1:1/one:1\nCOPY --from=127.0.0.1:1/two:1 / /\n';
    const members = [0, 1, 2, 3].map((i) => ({ repository: `once/x${i}`, dockerfile }));
    await family(members, { access: access() });
    expect(asked.sort()).toEqual(['one', 'two']);
  });

  test('are at most fifty', async () => {
    const copies = (of: number) =>
      Array.from({ length: 26 }, (_, n) => `COPY --from=127.0.0.1:1/b${of}:${n} / /\n`).join('');
    const members = [0, 1].map((i) => ({
      repository: `many/x${i}`,
      dockerfile: `FROM scratch\n${copies(i)}`,
    }));
    await expect(family(members, { access: access() })).rejects.toMatchObject({
      status: 422,
      extra: { errors: [{ message: expect.stringContaining('the limit is 50') }] },
    });
    expect(await imagesOf('many')).toEqual([]);
  });
});

test('with little time left builds are accepted, and the reconciler starts them', async () => {
  const [hurried] = await family([base('hurried')], {}, 5000);
  const id = hurried?.build.id ?? '';
  expect(await place.get(id)).toMatchObject({ status: 'queued', hasSlot: true });
  expect((await place.get(id)).startingAt).toBeUndefined();
  await createBuildReconciler(place.dependencies)(organisation, id);
  expect((await place.get(id)).codeBuildId).toBeDefined();
});

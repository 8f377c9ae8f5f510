/** What a build names is looked up before it is accepted: secrets (B16) and base images (B8). */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBuildRequest } from '../../../../shared/build/accept/request.ts';
import { readEvents } from '../../../../shared/store/advance.ts';
import { buildPlace, organisation, type Place } from '../place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace();
});
afterAll(() => place.close());

test('B16 all secrets of a build are looked up at the same time, and every one that is missing is named', async () => {
  const { table } = place;
  let [underWay, most] = [0, 0];
  const counting = {
    ...table,
    async get(...asked: Parameters<typeof table.get>) {
      most = Math.max(most, ++underWay);
      await sleep(20);
      underWay--;
      return table.get(...asked);
    },
  };
  const ids = Array.from({ length: 50 }, (_, i) => `id${i}`);
  const secrets = Object.fromEntries(ids.map((id) => [id, 'missing']));
  await expect(
    readBuildRequest(
      { ...place.dependencies, table: counting },
      organisation,
      { dockerfile: 'FROM scratch\n', secrets },
      '',
    ),
  ).rejects.toMatchObject({
    status: 422,
    extra: { errors: ids.map((id) => ({ pointer: `/secrets/${id}` })) },
  });
  expect(most).toBe(50);
});

describe('B8 base images that nobody can look up', () => {
  // Nothing listens there.
  const base = (i: number) => `127.0.0.1:1/some/base:${i}`;
  const dockerfile = (bases: number) =>
    `FROM scratch\n${Array.from({ length: bases }, (_, i) => `COPY --from=${base(i)} /x /y\n`).join('')}`;
  const warnings = async (buildId: string) =>
    (await readEvents(place.table, organisation, buildId, 0, 200)).flatMap(({ code, message }) =>
      code === 'warning' ? [message] : [],
    );

  test('more than fifty are refused before any of them is asked for', async () => {
    let asked = 0;
    const access = { ...place.dependencies.access, clientFor: () => Promise.reject(new Error(`${++asked}`)) };
    const build = place.build({ source: { dockerfile: dockerfile(51) } }, { access });
    await expect(build).rejects.toMatchObject({
      status: 422,
      extra: { errors: [{ pointer: '/source/dockerfile', message: expect.stringContaining('51 images') }] },
    });
    expect(asked).toBe(0);
  });

  test('names that arguments make longer than a record can be are refused, and what a record takes is not', async () => {
    const stages = (count: number) =>
      `ARG X\n${Array.from({ length: count }, (_, i) => `FROM \${X}${i} AS s${i}\n`).join('')}FROM scratch\n${Array.from({ length: count }, (_, i) => `COPY --from=s${i} / /\n`).join('')}`;
    const build = (count: number, X: string) =>
      place.build({ source: { dockerfile: stages(count).padEnd(131_072, '#'), buildArgs: { X } } });
    await expect(build(49, '€'.repeat(4000))).rejects.toMatchObject({
      status: 422,
      extra: {
        errors: [{ pointer: '/source/dockerfile', message: expect.stringContaining('bytes together') }],
      },
    });
    expect((await build(49, 'a'.repeat(1330))).buildId).toBeDefined();
  });

  test('fifty are accepted, and the first ten are named', async () => {
    const { buildId } = await place.build({ source: { dockerfile: dockerfile(50) } });
    const said = await warnings(buildId);
    expect(said).toHaveLength(11);
    expect(said[0]).toContain(`Slipway could not look up ${base(0)} (`);
    expect(said[10]).toBe('Slipway could not look up 40 more base images either.');
  });

  test('a long host or name is accepted, and shortened where it is shown', async () => {
    const long = [`FROM ${'h'.repeat(2000)}.example/x\n`, `FROM x/${'n'.repeat(4000)}:1\n`];
    for (const one of long) {
      const { buildId } = await place.build({ source: { dockerfile: one } });
      for (const message of await warnings(buildId)) expect(message.length).toBeLessThan(1200);
    }
  });
});

describe('B6 a Dockerfile whose base images no one can be certain of is refused', () => {
  const refusal = (dockerfile: string, buildArgs: Record<string, string> = {}) =>
    place.build({ source: { dockerfile, buildArgs } }).catch((error: unknown) => error);

  test.each([
    [
      'FROM scratch\nRUN --mount=type=cache,target=/c,id=à--mount=from=img,target=/m x\n',
      'line 2 has "à" in a flag',
    ],
    [
      'FROM scratch AS a\nCOPY --from=img /x /\nFROM scratch\nCOPY --from=2 /y /\n',
      'line 4 copies from stage 2',
    ],
    [
      'FROM scratch\nCOPY --from=99999999999999999999 /y /\n',
      'line 2 copies from stage 99999999999999999999',
    ],
    [
      '# escape=`\nFROM scratch\nCOPY --fr\\om=img /x /y\n',
      'line 3 builds on img with Docker 28.0 but not with',
    ],
    [
      ['ARG T=own:1$', '{A##*}\nFROM $', '{T:-img}\n'].join(''),
      'line 2 builds on img with Docker 25 but not with Docker 28.3',
    ],
    [`FROM x/${'n'.repeat(100_000)}:1\n`, 'line 1 has a value that is longer'],
  ])('%.80s', async (dockerfile, message) => {
    expect(await refusal(dockerfile)).toMatchObject({
      status: 422,
      code: 'dockerfile-invalid',
      extra: { errors: [{ pointer: '/source/dockerfile', message: expect.stringContaining(message) }] },
    });
  });

  test.each(['BUILDKIT_ATTEST_SBOM', 'BUILDKIT_DISABLE_FILEOP'])(
    'so is the build argument %s',
    async (name) => {
      expect(await refusal('FROM scratch\n', { [name]: '1' })).toMatchObject({
        status: 422,
        extra: { errors: [{ pointer: `/source/buildArgs/${name}` }] },
      });
    },
  );
});

test('B1 a build argument may have any name, also one that objects have already', async () => {
  const buildArgs = { constructor: '1', toString: '2', hasOwnProperty: '3', valueOf: '4' };
  const { buildId } = await place.build({ source: { dockerfile: 'FROM scratch\n', buildArgs } });
  expect(await place.table.get(organisation, 'build-requests', buildId)).toMatchObject({ buildArgs });
});

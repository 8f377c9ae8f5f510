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

  test('a host or a name as long as a Dockerfile is accepted, and shortened where it is shown', async () => {
    const long = [`FROM ${'h'.repeat(2000)}.example/x\n`, `FROM x/${'n'.repeat(100_000)}:1\n`];
    for (const one of long) {
      const { buildId } = await place.build({ source: { dockerfile: one } });
      for (const message of await warnings(buildId)) expect(message.length).toBeLessThan(1200);
    }
  });
});

test('B1 a build argument may have any name, also one that objects have already', async () => {
  const buildArgs = { constructor: '1', toString: '2', hasOwnProperty: '3', valueOf: '4' };
  const { buildId } = await place.build({ source: { dockerfile: 'FROM scratch\n', buildArgs } });
  expect(await place.table.get(organisation, 'build-requests', buildId)).toMatchObject({ buildArgs });
});

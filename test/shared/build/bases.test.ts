/** B8: digests of base images, asked of real servers. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { settleAttached } from '../../../shared/build/attached.ts';
import { lookUpBases } from '../../../shared/build/bases.ts';
import { type End, endBuild } from '../../../shared/build/end.ts';
import { baseImages } from '../../../shared/dockerfile/bases.ts';
import { type Answer, startServer, type TestServer } from '../registry/servers.ts';
import { buildPlace, organisation, type Place } from './place.ts';

let place: Place;
let server: TestServer;
/** What the registry answers to a HEAD of this tag; nothing hangs. */
const answers = new Map<string, Answer | undefined | Promise<Answer>>();
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['true'] } }, [100, 100]);
  server = await startServer(({ url }) => {
    const tag = url.split('/').at(-1) ?? '';
    return answers.has(tag) ? answers.get(tag) : { status: 404 };
  });
});
afterAll(async () => {
  await place.close();
  await server.stop();
});

const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const answerOf = (digest: string): Answer => ({
  status: 200,
  headers: {
    'docker-content-digest': digest,
    'content-type': 'application/vnd.oci.image.index.v1+json',
    'docker-distribution-api-version': 'registry/2.0',
  },
});
const has = (tag: string, digest = digestOf(tag)) => answers.set(tag, answerOf(digest));
const base = (tag: string) => `${server.host}/some/base:${tag}`;
const lookUp = (dockerfile: string, now = new Date()) =>
  lookUpBases({ ...place.dependencies, now: () => now }, organisation, baseImages(dockerfile, {}));

test('B8 every place is looked up, and what has a digest is taken at its word', async () => {
  has('one');
  has('two');
  const pinned = `${server.host}/some/base@${digestOf('pinned')}`;
  expect(
    await lookUp(`FROM ${base('one')}\nCOPY --from=${base('two')} /x /x\nCOPY --from=${pinned} /x /x\n`),
  ).toEqual({
    digests: {
      [base('one')]: digestOf('one'),
      [base('two')]: digestOf('two'),
      [pinned]: digestOf('pinned'),
    },
    unknown: [],
  });
});

test('B8 a digest is kept for a minute', async () => {
  has('moving', digestOf('before'));
  const time = new Date();
  const later = (seconds: number) => new Date(time.getTime() + seconds * 1000);
  await lookUp(`FROM ${base('moving')}`, time);
  has('moving', digestOf('after'));
  const asked = server.asked.length;
  const kept = await lookUp(`FROM ${base('moving')}`, later(59));
  expect(kept.digests).toEqual({ [base('moving')]: digestOf('before') });
  expect(server.asked).toHaveLength(asked);
  const fresh = await lookUp(`FROM ${base('moving')}`, later(61));
  expect(fresh.digests).toEqual({ [base('moving')]: digestOf('after') });
});

describe('B8 a base that Slipway itself may have pushed', () => {
  /** A build that is under way and pushes this tag. */
  const pushing = async (tag: string, fields: object = {}) => {
    const { buildId } = await place.build();
    await place.table.put(organisation, 'builds', buildId, {
      ...(await place.get(buildId)),
      uri: base(tag),
      ...fields,
    });
    return buildId;
  };
  const end = (buildId: string, how: End) => endBuild(place.dependencies, organisation, buildId, how);
  const pushed = { digest: digestOf('after') };
  const found = async (tag: string) => (await lookUp(`FROM ${base(tag)}`)).digests[base(tag)];

  test.each<[string, object, End]>([
    ['build', {}, { status: 'succeeded', pushed }],
    ['mirror', { kind: 'mirror' }, { status: 'succeeded', pushed }],
    ['lost', {}, { status: 'failed', failure: { code: 'builder-failed', message: 'It is gone.' } }],
  ])('is looked up again: %s', async (tag, fields, how) => {
    has(tag, digestOf('before'));
    const buildId = await pushing(tag, fields);
    expect(await found(tag)).toBe(digestOf('before'));
    has(tag, digestOf('after'));
    await end(buildId, how);
    expect(await found(tag)).toBe(digestOf('after'));
    // And then kept again.
    has(tag, digestOf('much later'));
    expect(await found(tag)).toBe(digestOf('after'));
  });

  test('is looked up again where its tag was given to the image of an identical build', async () => {
    has('same', digestOf('before'));
    const first = await pushing('first');
    await end(first, { status: 'succeeded', pushed });
    const second = await pushing('same', { attachedTo: first });
    expect(await found('same')).toBe(digestOf('before'));
    const copyTag = async () => void has('same', digestOf('after'));
    await settleAttached({ ...place.dependencies, copyTag }, organisation, second);
    expect(await found('same')).toBe(digestOf('after'));
  });

  test('is not what a look-up was told that began before', async () => {
    const buildId = await pushing('late');
    let answer: (told: Answer) => void = () => undefined;
    answers.set('late', new Promise((resolve) => (answer = resolve)));
    const asked = server.asked.length;
    const early = found('late');
    await expect.poll(() => server.asked.length).toBeGreaterThan(asked);
    await end(buildId, { status: 'succeeded', pushed });
    answer(answerOf(digestOf('before')));
    expect(await early).toBe(digestOf('before'));
    has('late', digestOf('after'));
    expect(await found('late')).toBe(digestOf('after'));
  });

  test('stays known after a check or a build that pushes nothing', async () => {
    has('checked', digestOf('before'));
    expect(await found('checked')).toBe(digestOf('before'));
    has('checked', digestOf('after'));
    for (const fields of [{ kind: 'validation' }, { push: false }])
      await end(await pushing('checked', fields), { status: 'succeeded' });
    expect(await found('checked')).toBe(digestOf('before'));
  });
});

test('B8 what cannot be looked up is named with its reason, and does not hold up the others for more than 10 s', async () => {
  has('quick');
  answers.set('hanging', undefined);
  answers.set('hanging-too', undefined);
  const all = ['quick', 'hanging', 'hanging-too', 'missing'].map((tag) => `COPY --from=${base(tag)} /x /y`);
  const started = performance.now();
  const { digests, unknown } = await lookUp(['FROM Not/An:Image:Name', ...all].join('\n'));
  // One after the other the two that hang would take twice as long.
  expect(performance.now() - started).toBeLessThan(19_000);
  expect(digests).toEqual({ [base('quick')]: digestOf('quick') });
  // In the order of the Dockerfile, though `missing` answered long before.
  expect(unknown.map(({ reference }) => reference)).toEqual([
    'Not/An:Image:Name',
    base('hanging'),
    base('hanging-too'),
    base('missing'),
  ]);
  expect(unknown.every(({ reason }) => reason.length > 5)).toBe(true);
});

/** B8: digests of base images, asked of real servers. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lookUpBases } from '../../../shared/build/bases.ts';
import { baseImages } from '../../../shared/dockerfile/bases.ts';
import { type Answer, startServer, type TestServer } from '../registry/servers.ts';
import { buildPlace, organisation, type Place } from './place.ts';

let place: Place;
let server: TestServer;
/** What the registry answers to a HEAD of this tag; nothing hangs. */
const answers = new Map<string, Answer | undefined>();
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
const has = (tag: string, digest = digestOf(tag)) =>
  answers.set(tag, {
    status: 200,
    headers: {
      'docker-content-digest': digest,
      'content-type': 'application/vnd.oci.image.index.v1+json',
      'docker-distribution-api-version': 'registry/2.0',
    },
  });
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

test('B8 what cannot be looked up is named with its reason, and does not hold up the others for more than 10 s', async () => {
  has('quick');
  answers.set('hanging', undefined);
  answers.set('hanging-too', undefined);
  const all = ['quick', 'hanging', 'hanging-too', 'missing'].map((tag) => `COPY --from=${base(tag)} /x /y`);
  const started = performance.now();
  const { digests, unknown } = await lookUp(['FROM Not/An:Image:Name', ...all].join('\n'));
  expect(performance.now() - started).toBeLessThan(11_500);
  expect(digests).toEqual({ [base('quick')]: digestOf('quick') });
  expect(unknown.map(({ reference }) => reference).sort()).toEqual(
    [base('hanging'), base('hanging-too'), base('missing'), 'Not/An:Image:Name'].sort(),
  );
  expect(unknown.every(({ reason }) => reason.length > 5)).toBe(true);
});

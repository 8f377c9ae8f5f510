/** B12: build then run in one call, on the real engine, registry and state machine. */
import { expect, inject, it } from 'vitest';
import { apiOf, type Json, settled, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

const over = (experiment: Json) => api.until(`/v1/experiments/${experiment.id}`, settled);
const codes = async (path: string): Promise<string[]> =>
  (await api.read(`${path}/events?limit=100`)).items.map(({ code }: Json) => code);

async function accepted(body: object, headers?: Record<string, string>): Promise<Json> {
  const reply = await api.post('/v1/experiments', { compute: 'cpu-small', ...body }, headers);
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  return reply.body;
}

it('B12 builds, then runs in exactly the digest that was built; the same again builds nothing', async () => {
  const text = unique('built');
  const build = {
    repository: unique('then-run'),
    tag: '1',
    dockerfile: `FROM ${tinyBase}\nRUN sleep 2 && echo ${text} > /text\nCMD ["cat", "/text"]\n`,
  };
  const experiment = await accepted({ build }, { 'idempotency-key': text });
  expect(experiment).toMatchObject({
    status: 'pending',
    image: {},
    build: { id: expect.stringMatching(/^bld_/), imageId: expect.stringMatching(/^img_/) },
  });
  expect(await accepted({ build }, { 'idempotency-key': text })).toEqual(experiment);
  const done = await over(experiment);
  const built = await api.read(`/v1/builds/${experiment.build.id}`);
  expect(done).toMatchObject({
    status: 'succeeded',
    exitCode: 0,
    image: { rule: 'build', uri: built.uri, digest: built.digest },
    build: { ...experiment.build, status: 'succeeded' },
  });
  expect((await api.log(`/v1/experiments/${experiment.id}`)).map((line) => line.text)).toContain(text);
  expect((await codes(`/v1/experiments/${experiment.id}`)).slice(0, 5)).toEqual([
    'created',
    'pending',
    'waiting-for-build',
    'image-built',
    'image-resolved',
  ]);

  // The finished build is the answer, and what it made is what runs, though the tag names another image by now.
  const edited = {
    imageId: experiment.build.imageId,
    dockerfile: `FROM ${tinyBase}\nCMD ["echo", "edited"]\n`,
  };
  const other = await accepted({ build: edited });
  const cached = await accepted({ build: { ...build, tag: '2' } });
  expect(await over(cached)).toMatchObject({ status: 'succeeded', image: { digest: built.digest } });
  expect((await api.log(`/v1/experiments/${cached.id}`)).map((line) => line.text)).toContain(text);
  const changed = await over(other);
  expect(changed).toMatchObject({ status: 'succeeded', build: { imageId: experiment.build.imageId } });
  expect(changed.image.digest).not.toBe(built.digest);
});

it('B12 a build that fails ends the experiment with its reason; nothing is launched', async () => {
  const dockerfile = `FROM ${tinyBase}\nRUN exit 3\n`;
  const experiment = await accepted({ build: { repository: unique('fails'), dockerfile } });
  const failed = await over(experiment);
  expect(failed).toMatchObject({
    status: 'failed',
    statusReason: { code: 'build-failed', message: expect.stringMatching(/bld_.*exit code 3.*step-failed/) },
    build: { status: 'failed' },
    attempts: [],
  });
});

it('B12 an experiment that is stopped while its image is built is over at once, and the build goes on', async () => {
  const dockerfile = `FROM ${tinyBase}\nRUN sleep 8 && echo ${unique('x')}\n`;
  const experiment = await accepted({ build: { repository: unique('stopped'), dockerfile } });
  const stopped = await api.post(`/v1/experiments/${experiment.id}/stop`);
  expect(stopped).toMatchObject({ status: 200, body: { status: 'stopped', attempts: [] } });
  const built = await api.until(`/v1/builds/${experiment.build.id}`, settled);
  expect(built.status).toBe('succeeded');
  expect(await api.read(`/v1/experiments/${experiment.id}`)).toMatchObject({
    status: 'stopped',
    attempts: [],
  });
});

it('B12 what is wrong with the build is said where it stands, and nothing is written', async () => {
  const refused = async (body: object, query = '') => {
    const reply = await api.post(`/v1/experiments${query}`, { compute: 'cpu-small', ...body });
    expect(reply.status, JSON.stringify(reply.body)).toBe(422);
    return reply.body.errors.map(({ pointer }: Json) => pointer);
  };
  const dockerfile = 'FROM scratch\n';
  expect(await refused({ image: 'x:1', build: { repository: 'x', dockerfile } })).toEqual(['/image']);
  expect(await refused({ build: { dockerfile } })).toEqual(['/build/repository']);
  expect(await refused({ build: { repository: 'x', dockerfile } }, '?start=false')).toEqual(['/build']);
  expect(await refused({ build: { repository: 'x', dockerfile, computes: ['nobody'] } })).toEqual([
    '/build/computes/0',
  ]);
  expect(await refused({ build: { repository: 'x', dockerfile, registryId: 'reg_dockerhub' } })).toEqual([
    '/build/registryId',
  ]);
  const unknown = await api.post('/v1/experiments', { build: { imageId: 'img_nobody', dockerfile } });
  expect(unknown.status).toBe(404);
});

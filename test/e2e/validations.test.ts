/** I10, I11: images that are really started and looked at. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ensurePythonBase } from '../../scripts/base-image.ts';
import { run } from '../../scripts/command.ts';
import { createApi } from '../../scripts/demo/api.ts';
import { uploadContext } from '../../scripts/demo/upload.ts';
import { type DockerRegistry, startDockerRegistry } from '../../scripts/docker-registry.ts';
import { ensureEngine } from '../../scripts/engine.ts';
import { SmallImages } from '../../scripts/small-images.ts';
import { apiOf, type Json, settled, unique } from './client.ts';
import { connect, reference } from './connected.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

let docker: string;
let pythonBase: string;
let context: string;
let registry: DockerRegistry;
beforeAll(async () => {
  const engine = await ensureEngine({ yes: true });
  docker = engine.cli;
  pythonBase = (await ensurePythonBase(engine, cloud, 'acme', () => {})).reference;
  const uploads = createApi(cloud.apiUrl, cloud.token, new AbortController().signal);
  context = await uploadContext(uploads, 'examples/notebook');
  registry = await startDockerRegistry();
});
afterAll(() => registry?.stop());

async function build(source: object): Promise<Json> {
  const reply = await api.post('/v1/images', {
    source: { type: 'build', ...source },
    registryId: 'reg_private',
    repository: unique('checked'),
    tag: '1',
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  const done = await api.until(`/v1/builds/${reply.body.currentBuild.id}`, settled);
  expect(done.status, JSON.stringify(done.failure)).toBe('succeeded');
  return api.read(`/v1/images/${reply.body.id}`);
}

const notebook = (buildArgs: Record<string, string> = {}) =>
  build({
    dockerfile: readFileSync('examples/notebook/Dockerfile', 'utf8'),
    contextUploadId: context,
    buildArgs: { BASE: pythonBase, ...buildArgs },
  });

async function validate(
  image: Json,
  checks?: string[],
): Promise<{ job: Json; path: string; lines: string[] }> {
  const reply = await api.post(`/v1/images/${image.id}/validations`, checks ? { checks } : {});
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  expect(reply.body).toMatchObject({ kind: 'validation', imageId: image.id });
  const path = `/v1/builds/${reply.body.id}`;
  expect(reply.headers.get('location')).toBe(path);
  const lines = (await api.log(path)).map((line) => line.text);
  return { job: await api.until(path, settled), path, lines };
}

const containersOf = async (id: string) =>
  (
    await run(docker, ['ps', '--all', '--filter', `name=slipway-check-${id}`, '--format', '{{.Names}}'])
  ).trim();

/** Also after the job is over: the engine takes a moment to take it away. */
const noContainersOf = (id: string) => expect.poll(() => containersOf(id)).toBe('');

const failedPoints = (job: Json) =>
  job.validation.notebook.points.filter((one: Json) => !one.passed).map((one: Json) => one.code);

describe('I10 a notebook image', () => {
  it('passes every point with evidence, and what it can do is known (I11)', async () => {
    const image = await notebook();
    const { job, lines } = await validate(image);
    expect(job, lines.join('\n')).toMatchObject({
      status: 'succeeded',
      validation: { digest: image.digest, notebook: { passed: true } },
    });
    expect(job.validation.notebook.points.map((one: Json) => one.code)).toEqual([
      'empty-home',
      'http-prefix',
      'cors',
      'user-name',
      'user-id',
      'user-home',
    ]);
    expect(lines.join('\n')).toMatch(/pass http-prefix: GET \/notebook\/acme\/check\/ answered 200/);
    expect(job.validation.capabilities.runtimes.python).toMatch(/^3\.\d+/);
    expect(job.validation.capabilities.tools.tar).toMatch(/^1\./);
    const seen = await api.read(`/v1/images/${image.id}`);
    expect(seen.validation).toMatchObject({ buildId: job.id, notebook: { passed: true } });
    expect(seen).toMatchObject({ status: 'ready', digest: image.digest });
    await noContainersOf(job.id);
    const { items } = await api.read(`/v1/builds/${job.id}/events?limit=100`);
    expect(items.map((event: Json) => event.message)).toContain('Checking the image.');
  });

  const variants: [string, Record<string, string>, string[]][] = [
    ['that needs the files of its own home', { WRONG: 'home' }, ['empty-home']],
    ['that ignores the prefix', { WRONG: 'prefix' }, ['http-prefix']],
    ['without the header', { WRONG: 'cors' }, ['cors']],
    ['with another user name', { NAME: 'jupyter' }, ['user-name']],
    ['with another user id', { ID: '1001' }, ['user-id']],
    ['with another home', { DIRECTORY: '/home/other' }, ['user-home']],
  ];
  it.each(variants)('one %s fails exactly there', async (_name, buildArgs, codes) => {
    const { job, lines } = await validate(await notebook(buildArgs), ['notebook']);
    expect(job.status, lines.join('\n')).toBe('succeeded');
    expect(job.validation.notebook.passed).toBe(false);
    expect(failedPoints(job), lines.join('\n')).toEqual(codes);
    expect(job.validation.capabilities).toBeUndefined();
    await noContainersOf(job.id);
  });

  it('one on another port: nothing answers within the time there is', async () => {
    const { job, lines } = await validate(await notebook({ WRONG: 'port' }), ['notebook']);
    expect(failedPoints(job), lines.join('\n')).toEqual(['http-prefix', 'cors']);
    await noContainersOf(job.id);
  });

  it('stopped while its container runs: confirmed, and the container is gone', async () => {
    const image = await notebook({ WRONG: 'port' });
    const reply = await api.post(`/v1/images/${image.id}/validations`, { checks: ['notebook'] });
    const { id } = reply.body;
    await expect.poll(() => containersOf(id)).not.toBe('');
    expect((await api.post(`/v1/builds/${id}/stop`)).status).toBe(202);
    expect((await api.until(`/v1/builds/${id}`, settled)).status).toBe('stopped');
    await noContainersOf(id);
    await sleep(2000);
    expect(await containersOf(id)).toBe('');
    expect(await api.read(`/v1/images/${image.id}`)).toMatchObject({ status: 'ready', digest: image.digest });
  });
});

describe('I11 what an image can do', () => {
  const fake = (name: string, version: string) =>
    `printf '#!/bin/sh\\necho ${name} ${version}\\n' > /bin/${name} && chmod +x /bin/${name}`;

  it('finds what is there, and says which kinds of jobs lack what', async () => {
    const image = await build({
      dockerfile: `FROM ${tinyBase}\nRUN ${fake('pip', '24.3.1')} && ${fake('git', '2.47.0')}\nENV CUDA_VERSION=12.4.1\nRUN mkdir -p /usr/lib64 && touch /usr/lib64/libcudart.so.12\n`,
    });
    const { job, lines } = await validate(image, ['capabilities']);
    expect(job.status, lines.join('\n')).toBe('succeeded');
    const { capabilities, notebook: none } = job.validation;
    expect(none).toBeUndefined();
    expect(capabilities).toMatchObject({
      shell: true,
      runtimes: {},
      tools: { pip: '24.3.1', git: '2.47.0' },
      cuda: { version: '12.4.1', libraries: ['libcudart.so.12'] },
    });
    const kinds = Object.fromEntries(capabilities.kinds.map((one: Json) => [one.kind, one]));
    expect(kinds.experiment).toMatchObject({ supported: true, missing: [] });
    expect(kinds.git).toMatchObject({ supported: false, missing: ['ssh'] });
    expect(kinds.serving.missing).toEqual(['flask', 'gunicorn']);
    await noContainersOf(job.id);
  });

  it('an image without a shell gets an answer that says so', async () => {
    // Its layer is no archive with programs: there is nothing in it at all.
    const image = await build({
      dockerfile: 'FROM scratch\nCOPY server.py /server.py\n',
      contextUploadId: context,
    });
    const { job, lines } = await validate(image);
    expect(job.status, lines.join('\n')).toBe('succeeded');
    expect(job.validation.capabilities).toMatchObject({ shell: false });
    for (const kind of job.validation.capabilities.kinds) expect(kind.missing).toEqual(['/bin/sh']);
    expect(job.validation.notebook.passed).toBe(false);
    await noContainersOf(job.id);
  });

  it('an image that is gone from its registry: source-not-found', async () => {
    const images = new SmallImages(registry.host);
    const repository = unique('gone');
    const pushed = await images.image(repository, '1', unique('content'));
    const registryId = await connect(registry.host);
    const added = await reference({ registryId, repository, tag: '1' });
    await fetch(`http://${registry.host}/v2/${repository}/manifests/${pushed.digest}`, { method: 'DELETE' });
    const { job } = await validate(added);
    expect(job).toMatchObject({ status: 'failed', failure: { code: 'source-not-found' } });
    expect(await api.read(`/v1/images/${added.id}`)).toMatchObject({ status: 'ready' });
  });
});

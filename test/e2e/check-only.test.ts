/** B13: builds that push nothing, on the real engine: the image is usable there, and nowhere else. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { afterAll, expect, inject, it } from 'vitest';
import { run, succeeds } from '../../scripts/command.ts';
import { awsConfiguration } from '../../scripts/local-cloud.ts';
import { apiOf, type Json, settled, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);
const ecr = new ECRClient(awsConfiguration(cloud));
const made = new Set<string>();
afterAll(async () => {
  ecr.destroy();
  for (const uri of made) await succeeds('docker', ['rmi', '-f', uri]);
});

const saying = (text: string) => `FROM ${tinyBase}\nRUN echo ${text} > /said\nCMD ["cat", "/said"]\n`;
const runs = async (uri: string) => (await run('docker', ['run', '--rm', uri])).trim();

async function create(repository: string, source: object, tag = '1'): Promise<{ image: Json; build: Json }> {
  const reply = await api.post('/v1/images', {
    source: { type: 'build', ...source },
    registryId: 'reg_private',
    repository,
    tag,
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  return over(reply.body);
}

async function rebuild(id: string, asked: object): Promise<{ image: Json; build: Json }> {
  const reply = await api.post(`/v1/images/${id}/builds`, asked);
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  return over(reply.body);
}

async function over({ id, uri, currentBuild }: Json): Promise<{ image: Json; build: Json }> {
  made.add(uri);
  const build = await api.until(`/v1/builds/${currentBuild.id}`, settled);
  return { build, image: await api.read(`/v1/images/${id}`) };
}

/** Digests by tag, as the registry has them; nothing where there is no such repository. */
async function inRegistry({ uri }: Json): Promise<Record<string, string> | undefined> {
  const repositoryName = uri.slice(uri.indexOf('/') + 1, uri.lastIndexOf(':'));
  try {
    const { imageDetails = [] } = await ecr.send(new DescribeImagesCommand({ repositoryName }));
    return Object.fromEntries(
      imageDetails.flatMap(({ imageTags = [], imageDigest = '' }) =>
        imageTags.map((tag) => [tag, imageDigest]),
      ),
    );
  } catch (error) {
    if ((error as Error).name === 'RepositoryNotFoundException') return undefined;
    throw error;
  }
}

/** The mail about a build, as it lies in the outbox. */
async function mailAbout(id: string): Promise<string> {
  const folder = join(inject('home'), 'outbox');
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name), 'utf8');
    if (text.includes(id)) return text;
  }
  return '';
}

it('B13 a new image that is not pushed runs in the engine, and no registry has heard of it', async () => {
  const said = unique('first');
  const { image, build } = await create(unique('check/new'), { dockerfile: saying(said), push: false });
  expect(build, JSON.stringify(build)).toMatchObject({ status: 'succeeded', push: false, cached: false });
  expect(build.digest).toBeUndefined();
  expect(image).toMatchObject({ status: 'pending', currentBuild: { id: build.id, status: 'succeeded' } });
  expect(image.digest).toBeUndefined();
  expect(await runs(image.uri)).toBe(said);
  expect(await inRegistry(image)).toBeUndefined();

  const events = (await api.read(`/v1/builds/${build.id}/events`)).items.map(({ code }: Json) => code);
  expect(events).toContain('building');
  expect(events).not.toContain('pushing');
  const log = (await api.log(`/v1/builds/${build.id}`)).map(({ text }) => text).join('\n');
  expect(log).toContain(`built ${image.uri} into this machine's engine without pushing it`);
  await expect.poll(() => mailAbout(build.id)).toContain('did not push it');
  expect(await mailAbout(build.id)).toContain(': built, not pushed');

  // What is left out is as before, but for that: now it is wanted.
  const pushed = await rebuild(image.id, {});
  expect(pushed.build, JSON.stringify(pushed.build)).toMatchObject({
    status: 'succeeded',
    push: true,
    cached: false,
  });
  expect(pushed.image).toMatchObject({ status: 'ready', digest: pushed.build.digest });
  expect((await inRegistry(image))?.['1']).toBe(pushed.build.digest);
});

it('B13 a check of another Dockerfile leaves a ready image as it is, whatever comes of it', async () => {
  const { image: ready } = await create(unique('check/ready'), { dockerfile: saying('kept') });
  expect(ready.status).toBe('ready');
  const before = await inRegistry(ready);
  const same = (image: Json) => {
    const { status, digest, sizeBytes, platforms, parentUri, source } = image;
    return { status, digest, sizeBytes, platforms, parentUri, source };
  };
  const good = await rebuild(ready.id, { dockerfile: saying('other'), push: false });
  expect(good.build, JSON.stringify(good.build)).toMatchObject({ status: 'succeeded', push: false });
  expect(same(good.image)).toEqual(same(ready));
  expect(await runs(ready.uri)).toBe('other');

  const bad = await rebuild(ready.id, { dockerfile: `FROM ${tinyBase}\nRUN exit 3\n`, push: false });
  expect(bad.build).toMatchObject({ status: 'failed', push: false, failure: { code: 'step-failed' } });
  expect(same(bad.image)).toEqual(same(ready));
  // What the check before left in the engine is not the failed one's to take.
  expect(await runs(ready.uri)).toBe('other');
  // Tags of the layer cache included.
  expect(await inRegistry(ready)).toEqual(before);
});

it('B13 B8 a check neither answers identical requests nor is answered by a build that pushed', async () => {
  const repository = unique('check/same');
  const dockerfile = saying(repository);
  const check = await create(repository, { dockerfile, push: false });
  const pushed = await create(repository, { dockerfile }, '2');
  expect(pushed.build, JSON.stringify(pushed.build)).toMatchObject({ status: 'succeeded', cached: false });
  expect(pushed.build.identity).toBe(check.build.identity);
  expect(pushed.image.status).toBe('ready');

  const again = await rebuild(check.image.id, { push: false });
  expect(again.build).toMatchObject({ status: 'succeeded', cached: false, push: false });
  expect(again.build.attachedTo).toBeUndefined();
  expect(again.image.status).toBe('pending');
  expect(await runs(check.image.uri)).toBe(repository);

  const attached = await create(repository, { dockerfile }, '3');
  expect(attached.build).toMatchObject({ cached: true, attachedTo: pushed.build.id, push: true });
  expect(attached.image.digest).toBe(pushed.image.digest);
  expect(Object.keys((await inRegistry(check.image)) ?? {})).not.toContain('1');
});

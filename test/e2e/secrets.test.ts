/** B16: a build uses a secret's value, and nobody finds it anywhere afterwards. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  BatchGetBuildsCommand,
  CodeBuildClient,
  ListBuildsForProjectCommand,
} from '@aws-sdk/client-codebuild';
import { expect, inject, it } from 'vitest';
import { awsConfiguration } from '../../scripts/local-cloud.ts';
import { apiOf, settled, unique } from './client.ts';

const cloud = inject('cloud');
const home = inject('home');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

/** The cloud is at work: what was listed may have been a temporary file. */
function ifGone(error: NodeJS.ErrnoException): Buffer {
  if (error.code !== 'ENOENT') throw error;
  return Buffer.of();
}

/** Every file below `folder` that holds `text`, compressed or not. */
async function filesWith(folder: string, text: string, accept: (path: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !accept(path)) continue;
    const bytes = await readFile(path).catch(ifGone);
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    if (bytes.includes(text) || (isGzip && gunzipSync(bytes).includes(text))) found.push(path);
  }
  return found;
}

it('B16 a secret by its mount: used, and in no layer, config, log, record, spec or environment', async () => {
  const [value, name, marker] = [unique('the-value'), unique('token'), unique('marker')];
  expect((await api.call('PUT', `/v1/secrets/${name}`, { value })).status).toBeLessThan(300);
  const dockerfile = [
    `FROM ${tinyBase}`,
    `RUN echo ${marker} > /marker`,
    // Its length says that it was really there.
    'RUN --mount=type=secret,id=api cat /run/secrets/api | wc -c > /length && cat /length',
    'RUN test ! -s /run/secrets/api',
    '',
  ].join('\n');
  const reply = await api.post('/v1/images', {
    source: { type: 'build', dockerfile, secrets: { api: name } },
    registryId: 'reg_private',
    repository: unique('secret'),
    tag: '1',
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  const path = `/v1/builds/${reply.body.currentBuild.id}`;
  const lines = (await api.log(path)).map(({ text }) => text);
  const done = await api.until(path, settled);
  expect(done.status, lines.join('\n')).toBe('succeeded');
  expect(lines.some((line) => new RegExp(`^#\\d+ [\\d.]+ ${value.length}$`).test(line))).toBe(true);

  // What the API shows: the build, its timeline, its log, its image with the Dockerfile.
  const { items: events } = await api.until(`${path}/events?limit=100`, (page) => page.complete);
  const image = await api.read(`/v1/images/${reply.body.id}`);
  expect(JSON.stringify([done, events, lines, image, reply.body])).not.toContain(value);

  // What CodeBuild knows of all its builds, their environment included.
  const codeBuild = new CodeBuildClient(awsConfiguration(cloud));
  const { ids = [] } = await codeBuild.send(
    new ListBuildsForProjectCommand({ projectName: 'slipway-local-builds' }),
  );
  const { builds } = await codeBuild.send(new BatchGetBuildsCommand({ ids: ids.slice(0, 100) }));
  const shown = JSON.stringify(builds);
  expect(shown).toContain(done.id);
  expect(shown).not.toContain(value);

  // Everything on disk but Secrets Manager's own store: objects (spec.json, result.json, kept logs), registry blobs
  // (layers, configs, manifests), the table, mails. The marker proves that the search finds what is there.
  const kept = (file: string) => !/\/cloud\.db/.test(file);
  const withMarker = await filesWith(home, marker, kept);
  expect(withMarker.some((file) => file.includes('/registry/'))).toBe(true);
  expect(withMarker.some((file) => file.includes('/s3/'))).toBe(true);
  expect(withMarker.some((file) => file.includes('dynamodb.db'))).toBe(true);
  expect(await filesWith(home, value, kept)).toEqual([]);
  const spec = await filesWith(home, done.id, (file) => file.includes('/s3/'));
  expect(spec.length).toBeGreaterThan(0);
});

it('B16 a secret that does not exist is refused, and one that changes makes another build', async () => {
  const body = (secret: string, tag: string) => ({
    source: {
      type: 'build',
      dockerfile: `FROM ${tinyBase}\nRUN --mount=type=secret,id=api cat /run/secrets/api | wc -c\n`,
      secrets: { api: secret },
    },
    registryId: 'reg_private',
    repository,
    tag,
  });
  const [repository, name] = [unique('secret'), unique('token')];
  const refused = await api.post('/v1/images', body(unique('absent'), '1'));
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: '/source/secrets/api' }] } });
  await api.call('PUT', `/v1/secrets/${name}`, { value: 'one' });
  const first = await api.post('/v1/images', body(name, '1'));
  const same = await api.post('/v1/images', body(name, '2'));
  expect([first, same].map((reply) => reply.body.currentBuild.cached)).toEqual([false, true]);
  await api.call('PUT', `/v1/secrets/${name}`, { value: 'two' });
  const changed = await api.post('/v1/images', body(name, '3'));
  expect(changed.body.currentBuild.cached).toBe(false);
  for (const reply of [first, same, changed])
    expect((await api.until(`/v1/builds/${reply.body.currentBuild.id}`, settled)).status).toBe('succeeded');
});

it('B16 a build gets the value that its secret had when it was accepted', async () => {
  const [repository, name] = [unique('secret'), unique('token')];
  const ask = async (tag: string) => {
    const reply = await api.post('/v1/images', {
      source: {
        type: 'build',
        dockerfile: `FROM ${tinyBase}\nRUN --mount=type=secret,id=api echo ${unique('it')} is $(wc -c < /run/secrets/api) long\n`,
        secrets: { api: name },
      },
      registryId: 'reg_private',
      repository,
      tag,
    });
    expect(reply.status, JSON.stringify(reply.body)).toBe(202);
    return reply.body.currentBuild;
  };
  const printed = async ({ id }: { id: string }) =>
    (await api.log(`/v1/builds/${id}`)).flatMap(({ text }) => / is (\d+) long$/.exec(text)?.[1] ?? []);
  await api.call('PUT', `/v1/secrets/${name}`, { value: 'four' });
  const first = await ask('1');
  await api.call('PUT', `/v1/secrets/${name}`, { value: 'longer' });
  const second = await ask('2');
  expect([await printed(first), await printed(second)]).toEqual([['4'], ['6']]);
});
